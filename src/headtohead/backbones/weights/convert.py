"""From the layouts in which weights are published to timm's names, every tensor accounted for."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headtohead.core.errors import WeightsError

__all__ = ["convert", "expected_tensors", "from_dinov2_onnx", "from_efficientnet_lite", "save"]

Tensors = dict[str, Tensor]


def convert(content: bytes, layout: str, architecture: str) -> Tensors:
    """Return tensors by timm's names.

    Args:
        content: the published file.
        layout: "efficientnet-lite" (a torch checkpoint) or "dinov2-onnx".
        architecture: timm's name.

    Raises:
        WeightsError: a tensor is missing, left over, or of another shape than timm's.
    """
    if layout == "efficientnet-lite":
        return from_efficientnet_lite(content, architecture)
    if layout == "dinov2-onnx":
        return from_dinov2_onnx(content, architecture)
    raise WeightsError(f"Unknown layout of weights {layout!r}; expected efficientnet-lite or dinov2-onnx.")


def expected_tensors(architecture: str, **options: Any) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every tensor of timm's architecture, in timm's order, without its weights."""
    import timm

    with torch.device("meta"):
        model = timm.create_model(architecture, pretrained=False, **options)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def save(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write `tensors` as safetensors; the same tensors give the same bytes."""
    from safetensors.torch import save_file

    save_file({name: tensors[name].contiguous() for name in sorted(tensors)}, path, metadata={"format": "pt"})


def from_efficientnet_lite(content: bytes, architecture: str) -> Tensors:
    """Rename a checkpoint of `efficientnet-lite-pytorch`, whose tensors stand in timm's order.

    The order alone would be trusted blindly, so every pair must agree in shape and in kind (weight,
    bias, running_mean, running_var, num_batches_tracked).
    """
    try:
        published: Tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise WeightsError(f"The checkpoint for {architecture} cannot be read: {error}") from error
    expected = expected_tensors(architecture)
    if len(published) != len(expected):
        raise WeightsError(
            f"{architecture} has {len(expected)} tensors in timm, the checkpoint has {len(published)}."
        )
    named: Tensors = {}
    for (old, tensor), (new, shape) in zip(published.items(), expected.items(), strict=True):
        if tuple(tensor.shape) != shape or _kind(old) != _kind(new):
            raise WeightsError(
                f"{old} {tuple(tensor.shape)} stands where timm has {new} {shape} in {architecture}."
            )
        named[new] = tensor
    return named


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def from_dinov2_onnx(content: bytes, architecture: str) -> Tensors:
    """Take a DINOv2 ViT out of an exported ONNX graph in which its linear weights have lost their names.

    The exporter keeps biases, norms, scales and the patch projection by name under `backbone.`;
    linear weights became nameless constants, found here through the names of the MatMul nodes that
    read them, and stored transposed; positions were split into class and grid.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        graph = onnx.load_model_from_string(content).graph
    except DecodeError as error:
        raise WeightsError(f"The ONNX graph for {architecture} cannot be read: {error}") from error
    constants = {item.name: item for item in graph.initializer}

    def tensor(name: str) -> Tensor:
        if name not in constants:
            raise WeightsError(f"The ONNX graph for {architecture} has no constant {name!r}.")
        # the array may be a read-only view of the file
        return torch.from_numpy(onnx.numpy_helper.to_array(constants[name]).copy())

    reads = {node.name: list(node.input) for node in graph.node}

    def read_by(node: str, prefix: str) -> Tensor:
        names = [name for name in reads.get(node, []) if name.startswith(prefix)]
        if len(names) != 1:
            raise WeightsError(
                f"Node {node!r} of the ONNX graph reads {len(names)} constants {prefix}*; expected one."
            )
        return tensor(names[0])

    found = dict(_vit_tensors(architecture, tensor, read_by))
    return _complete(found, expected_tensors(architecture), architecture)


def _vit_tensors(architecture: str, tensor: Any, read_by: Any) -> Iterator[tuple[str, Tensor]]:
    embeddings, last = "backbone.embeddings", "backbone.layernorm"
    yield "cls_token", tensor(f"{embeddings}.cls_token")
    # numbered by the exporter: these two hold for the pinned wheel alone
    grid = read_by("/backbone/embeddings/Reshape_1", "onnx::Reshape_")
    first = read_by("/backbone/embeddings/Concat_6", "onnx::Concat_")
    yield "pos_embed", torch.cat([first, grid], dim=1)
    for kind in ("weight", "bias"):
        yield f"patch_embed.proj.{kind}", tensor(f"{embeddings}.patch_embeddings.projection.{kind}")
        yield f"norm.{kind}", tensor(f"{last}.{kind}")
    depth = 1 + max(
        int(name.split(".")[1]) for name in expected_tensors(architecture) if name.startswith("blocks.")
    )
    for number in range(depth):
        for name, value in _block_tensors(number, tensor, read_by):
            yield f"blocks.{number}.{name}", value


def _block_tensors(number: int, tensor: Any, read_by: Any) -> Iterator[tuple[str, Tensor]]:
    names, nodes = f"backbone.encoder.layer.{number}", f"/backbone/encoder/layer.{number}"

    def linear(part: str) -> Tensor:
        weight: Tensor = read_by(f"{nodes}/{part}/MatMul", "onnx::MatMul_").T.contiguous()
        return weight

    parts = [f"attention/attention/{which}" for which in ("query", "key", "value")]
    # timm joins the three in one layer, in this order
    yield "attn.qkv.weight", torch.cat([linear(part) for part in parts])
    yield "attn.qkv.bias", torch.cat([tensor(f"{names}.{part.replace('/', '.')}.bias") for part in parts])
    for ours, theirs in (
        ("attn.proj", "attention/output/dense"),
        ("mlp.fc1", "mlp/fc1"),
        ("mlp.fc2", "mlp/fc2"),
    ):
        yield f"{ours}.weight", linear(theirs)
        yield f"{ours}.bias", tensor(f"{names}.{theirs.replace('/', '.')}.bias")
    for which in (1, 2):
        yield f"ls{which}.gamma", tensor(f"{names}.layer_scale{which}.lambda1")
        for kind in ("weight", "bias"):
            yield f"norm{which}.{kind}", tensor(f"{names}.norm{which}.{kind}")


def _complete(found: Tensors, expected: dict[str, tuple[int, ...]], architecture: str) -> Tensors:
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or extra:
        raise WeightsError(
            f"{architecture}: tensors missing {missing[:3]}, left over {extra[:3]} after conversion."
        )
    wrong = [name for name, shape in expected.items() if tuple(found[name].shape) != shape]
    if wrong:
        name = wrong[0]
        raise WeightsError(
            f"{architecture}: {name} has shape {tuple(found[name].shape)}, timm has {expected[name]}."
        )
    return {name: found[name] for name in expected}
