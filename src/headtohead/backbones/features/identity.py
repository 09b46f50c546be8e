"""How the folder of cached rows is called, and what an extraction took."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch

from headtohead.backbones.features.options import ExtractionOptions
from headtohead.backbones.features.precision import fast_precision
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.cache import file_sha256
from headtohead.backbones.weights.fetch import Weights
from headtohead.preprocess.recipe import Recipe

__all__ = ["ExtractionTask", "device_name", "folder_name", "rows_identity", "speed"]

IMAGE_PACKAGES = ("numpy", "pillow", "opencv-python-headless")  # that decode and scale images
ARITHMETIC = 1  # raised whenever `to_network_input` or a pooling changes, so that old rows are not reused


class ExtractionTask(Protocol):
    """What is known of an extraction."""

    @property
    def record(self) -> BackboneRecord:
        """The network's record."""

    @property
    def options(self) -> ExtractionOptions:
        """What the caller asked for."""

    @property
    def device(self) -> torch.device:
        """Where torch computes."""

    @property
    def batch(self) -> int:
        """Images in a pass."""


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


def rows_identity(task: ExtractionTask, recipe: Recipe, weights: Weights) -> dict[str, Any]:
    """Return all that a row's digits depend on besides the image."""
    record, options = task.record, task.options
    identity = {
        "backbone": record.name,
        "architecture": record.architecture,
        "network": _network_facts(record, weights),
        "input": {"size": record.input_size, "mean": record.mean, "std": record.std,
                  "interpolation": record.interpolation, "aspect": options.aspect},
        "weights": weights.model_dump(exclude={"path", "notes"}),
        "recipe": recipe.name,
        "recipe_digest": recipe.digest(),
        "kind": options.kind,
        "precision_asked": options.precision,
        "device": task.device.type,
        "device_name": device_name(task.device),
        "batch": task.batch,
        "arithmetic": ARITHMETIC,
        "versions": {name: version(name) for name in ("torch", "timm", "transformers")},
        "image_versions": {name: version(name) for name in IMAGE_PACKAGES},
    }  # fmt: skip
    if options.precision == "auto":  # "AVX512" alone does not say whether there is bf16
        identity["fastest"] = fast_precision(task.device)
    return identity if options.change is None else {**identity, "change": options.change.name}


def _network_facts(record: BackboneRecord, weights: Weights) -> dict[str, Any]:
    """Return what shapes the network besides its weights: options of timm, or the configuration of transformers."""
    if record.architecture.startswith("transformers") and weights.path is not None:
        return {"config_sha256": file_sha256(Path(weights.path).parent / "config.json")}
    return dict(record.model_args)
