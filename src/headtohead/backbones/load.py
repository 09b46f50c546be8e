"""The one place that builds networks with timm and transformers and puts weights into them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headtohead.backbones.network import Backbone, TimmBackbone
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.transformers_network import MODEL_TYPES, TOWERS, TransformersBackbone
from headtohead.backbones.weights.config_limits import check_config, refuse_adapters
from headtohead.backbones.weights.fetch import Weights, ensure_weights
from headtohead.backbones.weights.model_config import read_json
from headtohead.backbones.weights.silence import suppress_library_output
from headtohead.core.errors import WeightsError
from headtohead.core.progress import QUIET, Reporter

__all__ = ["build_backbone", "load_backbone", "network_settings", "read_tensors"]

# of Swin and the like: follow from the input's size, not from training
NOT_WEIGHTS = ("relative_position_index", "attn_mask")


def load_backbone(
    record: BackboneRecord,
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    drop_path: float = 0.0,
    reporter: Reporter = QUIET,
) -> Backbone:
    """Return the record's network with its weights, in evaluation mode.

    Args:
        seed: of random weights (`scratch:`), and of nothing else; torch's own generator is left as
            it was.
        device: "cpu", "cuda", "cuda:1", "mps".
        dtype: of weights and arithmetic; features come out in float32 all the same.
        drop_path: rate of stochastic depth in [0, 1), for training; only timm's networks take it.

    Raises:
        WeightsError: the weights are not available, or do not fit the network tensor by tensor.
    """
    weights = ensure_weights(record, seed=seed, reporter=reporter)
    # weights are drawn on the processor; by default the state of every GPU would be copied, too
    with suppress_library_output(), torch.random.fork_rng(devices=[]):
        # `torch.manual_seed` would seed every GPU, which is not put back
        torch.default_generator.manual_seed(seed)
        if record.architecture.startswith("transformers"):
            backbone: Backbone = _transformers(record, weights)
        else:
            backbone = _timm(record, weights, drop_path)
    return _ready(backbone).to(device=device, dtype=dtype)


def build_backbone(record: BackboneRecord, weights: Weights, settings: Mapping[str, Any]) -> Backbone:
    """Return the record's network in evaluation mode, with random weights that are to be replaced.

    Args:
        weights: facts of those that will be put into it; its path is not read.
        settings: what `network_settings` returned of the trained network.

    Raises:
        WeightsError: settings of a kind of network that is not known.
    """
    with suppress_library_output(), torch.random.fork_rng(devices=[]):
        if not settings:
            backbone: Backbone = _timm(record, weights.model_copy(update={"path": None}), 0.0)
        else:
            backbone = _transformers_from_settings(record, weights, dict(settings))
    return _ready(backbone)


def _ready(backbone: Backbone) -> Backbone:
    """Put a network into evaluation mode, and one of maps into the memory layout that convolutions are fastest in."""
    backbone.eval()
    if backbone.record.family != "transformer":
        backbone.to(memory_format=torch.channels_last)
    return backbone


def network_settings(backbone: Backbone) -> dict[str, Any]:
    """Return what `build_backbone` needs beside the record: the configuration of transformers, or nothing."""
    config = getattr(backbone, "config", None)
    if config is None:
        return {}
    facts: dict[str, Any] = config.to_dict()
    # `_name_or_path` is a folder of this machine
    return {name: value for name, value in facts.items() if name not in ("_name_or_path", "dtype")}


def _transformers_from_settings(
    record: BackboneRecord, weights: Weights, settings: dict[str, Any]
) -> TransformersBackbone:
    from transformers import AutoConfig, AutoModel

    kind = str(settings.pop("model_type", ""))
    if kind not in MODEL_TYPES:
        raise WeightsError(
            f"{record.name} is a network of type {kind!r}; expected one of {', '.join(sorted(MODEL_TYPES))}."
        )
    check_config(record.name, settings)
    config = AutoConfig.for_model(kind, **settings)
    options = {"add_pooling_layer": False} if MODEL_TYPES[kind].has_pooling_layer else {}
    make: Any = AutoModel.from_config
    return TransformersBackbone(make(config, **options), record, weights)


def _timm(record: BackboneRecord, weights: Weights, drop_path: float) -> TimmBackbone:
    import timm

    options: dict[str, Any] = {**record.model_args, "num_classes": 0}
    if drop_path:
        options["drop_path_rate"] = drop_path
    config = timm.models.get_pretrained_cfg(record.architecture)
    # such networks size their positions when they are built
    if config is not None and config.fixed_input_size:
        options["img_size"] = record.input_size
    body = timm.create_model(record.architecture, pretrained=False, **options)
    if weights.path is not None:
        tensors = _own_tensors(read_tensors(Path(weights.path)), record, weights.path)
        _fill(body, tensors, record, weights.path)
    return TimmBackbone(body, record, weights)


def _own_tensors(tensors: dict[str, Tensor], record: BackboneRecord, path: str) -> dict[str, Tensor]:
    """Return the tensors of this network, where a file holds more than one."""
    prefix = record.tensor_prefix
    own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    if not own:
        raise WeightsError(f"{path} holds no tensors under {prefix}; its first is {next(iter(tensors))}.")
    return own


def _fill(body: Any, tensors: dict[str, Tensor], record: BackboneRecord, path: str) -> None:
    """Put every tensor in its place; the classifier is left out, nothing else may be missing or over."""
    classifier = body.default_cfg.get("classifier") or ()
    heads = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    leave = (*(f"{head}." for head in heads), "pre_logits.")
    kept = {name: value for name, value in tensors.items() if not name.startswith(leave)}
    wanted: Mapping[str, Tensor] = body.state_dict()
    _resample_positions(body, kept, wanted)
    over = [name for name in kept if name not in wanted and not name.endswith(NOT_WEIGHTS)]
    missing = [name for name in wanted if name not in kept and not name.endswith(NOT_WEIGHTS)]
    if over or missing:
        raise WeightsError(
            f"{path} does not hold the weights of {record.architecture}: {len(missing)} of {len(wanted)} tensors "
            f"are missing (first: {missing[:2]}), {len(over)} are unknown to it (first: {over[:2]})."
        )
    wrong = [name for name, value in kept.items() if name in wanted and value.shape != wanted[name].shape]
    if wrong:
        shapes = f"{tuple(kept[wrong[0]].shape)}, expected {tuple(wanted[wrong[0]].shape)}"
        size = f"{record.architecture} at {record.input_size} px"
        raise WeightsError(f"{path} does not fit {size}: {wrong[0]} is {shapes}.")
    # not strict, for the sake of NOT_WEIGHTS alone: all else has been held against the network above
    body.load_state_dict({name: value for name, value in kept.items() if name in wanted}, strict=False)


def _resample_positions(body: Any, kept: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    if (
        "pos_embed" not in kept
        or "pos_embed" not in wanted
        or kept["pos_embed"].shape == wanted["pos_embed"].shape
    ):
        return
    from timm.layers.pos_embed import resample_abs_pos_embed

    # with `no_embed_class` there are positions of patches alone
    n_prefix = 0 if getattr(body, "no_embed_class", False) else int(getattr(body, "num_prefix_tokens", 0))
    grid = list(body.patch_embed.grid_size)
    kept["pos_embed"] = resample_abs_pos_embed(kept["pos_embed"], new_size=grid, num_prefix_tokens=n_prefix)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, or of a torch checkpoint read with `weights_only`.

    Raises:
        WeightsError: the file is damaged, or holds something else than tensors by name.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise _unreadable(path, error) from error
    # what training loops wrap the weights in
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if (
        not isinstance(found, dict)
        or not found
        or not all(isinstance(value, Tensor) for value in found.values())
    ):
        raise WeightsError(f"{path} holds no table of tensors by name; expected a state dict.")
    # the prefix of DataParallel
    return {name.removeprefix("module."): value for name, value in found.items()}


def _unreadable(path: Path | str, error: Exception) -> WeightsError:
    return WeightsError(f"{path} cannot be read as weights: {' '.join(str(error).split())[:200]}")


def _transformers(record: BackboneRecord, weights: Weights) -> TransformersBackbone:
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModel

    if weights.path is None:
        raise WeightsError(f"{record.name}: random weights are for timm's architectures only.")
    folder = Path(weights.path).parent
    refuse_adapters(record.name, folder)
    check_config(record.name, read_json(folder / "config.json"))
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    if config.model_type in TOWERS:
        config = config.vision_config
    # A checkpoint without safetensors is read by torch's own unpickler of tensors, which runs no code.
    safe = Path(weights.path).suffix == ".safetensors"
    options: dict[str, Any] = (
        {"use_safetensors": True} if safe else {"use_safetensors": False, "weights_only": True}
    )
    options |= {"add_pooling_layer": False} if MODEL_TYPES[config.model_type].has_pooling_layer else {}
    try:
        body, found = AutoModel.from_pretrained(
            folder, config=config, local_files_only=True, dtype=torch.float32,
            output_loading_info=True, **options,
        )  # fmt: skip
    except (SafetensorError, OSError, RuntimeError) as error:
        raise _unreadable(weights.path, error) from error
    missing = sorted(name for name in found["missing_keys"] if "pooler" not in name)
    if missing or found["mismatched_keys"]:
        raise WeightsError(
            f"{weights.path} does not hold the weights of {type(body).__name__}: {len(missing)} tensors are "
            f"missing (first: {missing[:2]}), {len(found['mismatched_keys'])} have another shape."
        )
    return TransformersBackbone(body, record, weights)
