"""How the folder of cached rows is called, and what an extraction took."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.cache import file_sha256
from headtohead.backbones.weights.fetch import Weights

__all__ = ["device_name", "folder_name", "network_facts", "speed"]


def device_name(device: torch.device) -> str:
    """Return the name of a device as far as it decides digits."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return torch.backends.cpu.get_cpu_capability() if device.type == "cpu" else "mps"


def folder_name(backbone: str, identity: Mapping[str, Any]) -> str:
    """Return the name of the folder of rows: readable, and different where the digits may be.

    Args:
        backbone: its name.
        identity: all that a row's digits depend on besides the image.
    """
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in backbone)[:60]
    # names decide no digit; weights, architecture and the recipe's digest stand beside them
    counted = {key: value for key, value in identity.items() if key not in ("backbone", "recipe")}
    return f"{plain}-{hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]}"


def speed(distinct: int, computed: int, seconds: float) -> dict[str, Any]:
    """Return the counts of an extraction, its seconds, and images per second where any were computed."""
    rate = round(computed / seconds, 2) if computed and seconds > 0 else None
    counts = {"distinct_images": distinct, "computed": computed}
    return counts | {"seconds": round(seconds, 3), "images_per_second": rate}


def network_facts(record: BackboneRecord, weights: Weights) -> dict[str, Any]:
    """Return what shapes the network besides its weights: options of timm, or the configuration of transformers."""
    if record.architecture.startswith("transformers") and weights.path is not None:
        return {"config_sha256": file_sha256(Path(weights.path).parent / "config.json")}
    return dict(record.model_args)
