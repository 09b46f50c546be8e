"""How features are extracted: arithmetic, device, kind of features, and what happens to an image before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, get_args

import numpy as np
import numpy.typing as npt

from headtohead.backbones.features.inference import Kind
from headtohead.backbones.features.input_transform import Aspect
from headtohead.backbones.features.precision import Precision
from headtohead.backbones.features.runtimes import RuntimeName
from headtohead.core.errors import UsageError
from headtohead.core.records import Sample

__all__ = ["ExtractionOptions", "InputChange"]

Floats = npt.NDArray[np.float32]


class InputChange(Protocol):
    """What happens to an image between its recipe and the network."""

    @property
    def name(self) -> str:
        """All that decides the change; rows are kept under it."""

    def __call__(self, sample: Sample, pixels: Floats) -> Floats:
        """Return pixels (S, S) or (S, S, 3) in [0, 1] of the same shape; a function of its arguments alone."""


@dataclass(frozen=True, slots=True)
class ExtractionOptions:
    """How features are extracted.

    Attributes:
        precision: "fp32", "bf16", "fp16", or "auto": the fastest that the device has, checked against
            fp32 on a few images, and fp32 with a warning where the check fails.
        device: "auto", "cpu", "cuda", "mps".
        seed: of random weights (`scratch:`) only.
        batch: images per pass; 8 if None, or 32 on CUDA.
        kind: "last" pooled features, "layers" of several depths, "symmetry" those of both sides of an
            image and how the sides differ, "map" the flattened last map (its shape is in
            `Features.how["shape"]`).
        aspect: how an image is brought to the network's square: "squash" or "pad".
        change: what happens to each image at the network's size, such as one draw of an augmentation.
        runtime: "torch", "openvino", "onnx", or "auto": on a processor, OpenVINO where it is installed, the images
            are many enough to pay for the conversion and its features agree with torch's in fp32; else torch.

    Raises:
        UsageError: an unknown kind, or a batch below 1.
    """

    precision: Precision = "auto"
    device: str = "auto"
    seed: int = 0
    batch: int | None = None
    kind: Kind = "last"
    aspect: Aspect = "squash"
    change: InputChange | None = None
    runtime: RuntimeName = "auto"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UsageError(f"kind is one of {get_args(Kind)}; got {self.kind!r}.")
        if self.batch is not None and self.batch < 1:
            raise UsageError(f"batch is at least 1; got {self.batch}.")
