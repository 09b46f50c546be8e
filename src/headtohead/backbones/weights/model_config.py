"""From a model's own `config.json` (timm's kind or transformers') to a record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from headtohead.backbones.catalog_rows import HALF, IMAGENET_MEAN, IMAGENET_STD
from headtohead.backbones.record import MAX_SIDE, BackboneRecord, Family
from headtohead.backbones.weights.config_limits import check_config
from headtohead.core.errors import WeightsError

__all__ = ["MODEL_TYPES", "read_json", "record_from_config"]

# Which model types of transformers can be built here; what each is made of stands in `transformers_network`,
# which loads torch. A test holds the two tables equal.
MODEL_TYPES: Mapping[str, Family] = {
    **dict.fromkeys(
        ("vit", "deit", "vit_msn", "dinov2", "dinov2_with_registers", "dinov3_vit", "clip_vision_model", "clip",
         "siglip_vision_model", "siglip"), "transformer",
    ),
    **dict.fromkeys(("convnext", "convnextv2", "resnet"), "cnn"),
}  # fmt: skip
# Of families whose repositories once lacked a preprocessor_config.json: the values in transformers' own processors.
CLIP_SCALE = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
DEFAULT_SCALES = {"vit": (HALF, HALF), "siglip": (HALF, HALF), "clip": CLIP_SCALE}
PIL_BILINEAR = 2  # Pillow's number; 3 is bicubic
# The options of `model_args` that change which numbers a network computes and are plain values. Anything else is
# refused by name: an option that was dropped would load, and compute something else.
MODEL_ARGS = frozenset((
    "img_size", "patch_size", "embed_dim", "depth", "num_heads", "mlp_ratio", "qkv_bias", "qk_norm", "init_values",
    "class_token", "reg_tokens", "no_embed_class", "pre_norm", "fc_norm", "final_norm", "global_pool",
    "dynamic_img_size", "act_layer", "norm_layer", "mlp_layer",
))  # fmt: skip
WITHOUT_EFFECT = ("num_classes", "drop_rate", "drop_path_rate", "pretrained")  # on the features


def read_json(path: Path) -> dict[str, Any]:
    """Return the table in a JSON file.

    Raises:
        WeightsError: it cannot be read, or is not a table.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{path} holds a {type(found).__name__}; expected a table of settings.")
    return found


def record_from_config(
    config: Mapping[str, Any], preprocessor: Mapping[str, Any], **facts: Any
) -> BackboneRecord:
    """Return the record that a model's configuration describes.

    Args:
        config: of `config.json`: timm's has "architecture", transformers' has "model_type".
        preprocessor: of `preprocessor_config.json`, empty where there is none.
        facts: name, source, model_id, revision, licence.

    Raises:
        WeightsError: neither timm nor this program knows the network.
    """
    facts = {
        "pretraining": "not stated by the configuration",
        "licence": "not stated",
        "paper": "not stated",
        **facts,
    }
    check_config(str(facts["name"]), config)
    try:
        return _record(config, preprocessor, facts)
    except (ValidationError, TypeError, ValueError, AttributeError, IndexError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        told = f"{first['loc'][0]}: {first['msg']}" if first else f"{type(error).__name__}: {error}"
        raise WeightsError(
            f"{facts['name']}: its configuration cannot be used ({' '.join(told.split())[:200]}). Expected sizes, "
            f"mean and std as numbers, with an input of at most {MAX_SIDE} px."
        ) from error


def _record(
    config: Mapping[str, Any], preprocessor: Mapping[str, Any], facts: Mapping[str, Any]
) -> BackboneRecord:
    if "architecture" in config:
        return _timm(config, facts)
    kind = str(config.get("model_type", ""))
    if kind not in MODEL_TYPES:
        raise WeightsError(
            f"{facts['name']}: its configuration states model_type {kind or 'none'!r}; expected one of "
            f"{', '.join(MODEL_TYPES)}, or timm's key 'architecture'. Save the weights as safetensors and name "
            f"timm's architecture: path:<file>?arch=<timm model>."
        )
    return _transformers(config, preprocessor, kind, facts)


def _timm(config: Mapping[str, Any], facts: Mapping[str, Any]) -> BackboneRecord:
    from headtohead.backbones.weights.timm_config import from_timm_config, timm_config

    architecture = str(config["architecture"]).partition(".")[0]
    timm_config(architecture)
    stated = config.get("pretrained_cfg") or {}
    facts = {**facts, "model_args": _model_args(str(facts["name"]), config)}
    given = {key: value for key, value in facts.items() if key not in ("name", "paper")}
    return from_timm_config(str(facts["name"]), architecture, stated, **given)


def _model_args(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that timm's `create_model` takes from a configuration.

    Raises:
        WeightsError: one of them is not known here, or is no plain value.
    """
    stated = dict(config.get("model_args") or {})
    found = {key: value for key, value in stated.items() if key not in WITHOUT_EFFECT}
    for key, value in found.items():
        if key not in MODEL_ARGS or not isinstance(value, bool | int | float | str | None):
            raise WeightsError(
                f"{name}: its configuration builds the network with {key} = {str(value)[:60]!r}, which is not "
                f"supported; known are {', '.join(sorted(MODEL_ARGS))}."
            )
    return found


def _transformers(
    config: Mapping[str, Any], preprocessor: Mapping[str, Any], kind: str, facts: Mapping[str, Any]
) -> BackboneRecord:
    config = config.get("vision_config") or config
    bilinear = preprocessor.get("resample", PIL_BILINEAR if kind == "vit" else 3) == PIL_BILINEAR
    mean, std = DEFAULT_SCALES.get(kind.partition("_")[0], (IMAGENET_MEAN, IMAGENET_STD))
    return BackboneRecord.model_validate({
        "family": MODEL_TYPES[kind], "architecture": f"transformers {kind} (patch{config.get('patch_size', 0)})",
        "input_size": _side(config, preprocessor), "interpolation": "bilinear" if bilinear else "bicubic",
        "mean": tuple(preprocessor.get("image_mean") or mean),
        "std": tuple(preprocessor.get("image_std") or std), **facts,
    })  # fmt: skip


def _side(config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> int:
    # the cut is what the network sees; `size` is the image's before it
    for size in (preprocessor.get("crop_size"), preprocessor.get("size"), config.get("image_size"), 224):
        if isinstance(size, Mapping):
            size = size.get("height") or size.get("shortest_edge")
        if isinstance(size, int) and size > 0:
            return size
    return 224
