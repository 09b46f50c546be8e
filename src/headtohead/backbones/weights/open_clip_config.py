"""From an `open_clip_config.json` to a record of its vision tower; the open_clip library is not needed.

Repositories of open_clip (BiomedCLIP and the like) hold the two towers of an image-text model in one file. Where the
vision tower is one of timm's networks, its tensors stand under `visual.trunk.`; they alone are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.model_config import CLIP_SCALE
from headtohead.core.errors import WeightsError

__all__ = ["CONFIG_NAME", "OPEN_CLIP_WEIGHTS", "record_from_open_clip"]

CONFIG_NAME = "open_clip_config.json"
OPEN_CLIP_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
TRUNK = "visual.trunk."
# How open_clip's `timm_pool` reads a trunk; "" leaves timm's own. Other values add a pool of open_clip's own, which
# is trained and stands outside the trunk.
POOLS = ("", "token", "avg", "map")


def record_from_open_clip(config: Mapping[str, Any], **facts: Any) -> BackboneRecord:
    """Return the record of the vision tower that a configuration describes.

    Args:
        config: of `open_clip_config.json`.
        facts: name, model_id, revision.

    Raises:
        WeightsError: the vision tower is not one of timm's, or is pooled by a layer outside it.
    """
    from headtohead.backbones.weights.timm_config import from_timm_config, timm_config

    model = dict(config.get("model_cfg") or {})
    vision = dict(model.get("vision_cfg") or {})
    scale = dict(config.get("preprocess_cfg") or {})
    name, architecture = str(facts.pop("name")), vision.get("timm_model_name")
    if not architecture:
        raise WeightsError(
            f"{name}: its vision tower is open_clip's own network, which is not supported; expected one of timm's "
            "(vision_cfg.timm_model_name). Many such models have a version for transformers: name that repository."
        )
    pool = str(vision.get("timm_pool") or "")
    if pool not in POOLS:
        raise WeightsError(
            f"{name}: its vision tower is pooled by {pool!r} outside the network; expected "
            f"one of {', '.join(POOLS[1:])}."
        )
    timm_config(str(architecture).partition(".")[0])
    mean, std = CLIP_SCALE
    stated = {
        "input_size": (3, 0, _side(vision)),
        "mean": scale.get("mean") or mean,
        "std": scale.get("std") or std,
        "interpolation": scale.get("interpolation") or "bicubic",
    }
    return from_timm_config(
        name,
        str(architecture).partition(".")[0],
        stated,
        source="timm-hub",
        model_args={"global_pool": pool} if pool else {},
        tensor_prefix=TRUNK,
        pretraining="images with text (open_clip), not stated further",
        licence="not stated",
        notes="the vision tower alone, before its projection",
        **facts,
    )


def _side(vision: Mapping[str, Any]) -> int:
    size = vision.get("image_size", 224)
    return int(size[0] if isinstance(size, list) else size)
