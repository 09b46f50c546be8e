"""From prepared pixels to what the weights ask: size, aspect, three channels, mean and standard deviation."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from headtohead.core.errors import UsageError

__all__ = ["Aspect", "InputRequirements", "normalise", "resize", "resize_to_input", "to_network_input"]

Floats = npt.NDArray[np.float32]
Aspect = Literal["squash", "pad"]
FILTERS = {"bicubic": Pillow.Resampling.BICUBIC, "bilinear": Pillow.Resampling.BILINEAR}


class InputRequirements(Protocol):
    """What a network asks of its input; a `BackboneRecord` says it, and an exported file."""

    @property
    def input_size(self) -> int:
        """Side of the square input in pixels."""

    @property
    def mean(self) -> tuple[float, float, float]:
        """Per channel, of pixels in [0, 1]."""

    @property
    def std(self) -> tuple[float, float, float]:
        """Per channel, of pixels in [0, 1]."""

    @property
    def interpolation(self) -> Literal["bicubic", "bilinear"]:
        """How the weights' own training resized images."""


def to_network_input(pixels: Floats, record: InputRequirements, *, aspect: Aspect = "squash") -> Floats:
    """Return an image as the record's network takes it: `resize_to_input`, then `normalise`.

    Args:
        pixels: (H, W) or (H, W, 3), float32 in [0, 1].

    Returns:
        (3, S, S) float32. Nothing is cut off: what the weights' own evaluation cropped away may
        hold the lesion.

    Raises:
        UsageError: another shape, an empty image, or values that are not finite.
    """
    return normalise(resize_to_input(pixels, record, aspect=aspect), record)


def resize_to_input(pixels: Floats, record: InputRequirements, *, aspect: Aspect = "squash") -> Floats:
    """Return an image at the record's size, still in [0, 1]: (S, S) for grey, (S, S, 3) for colour.

    Args:
        pixels: (H, W) or (H, W, 3), float32 in [0, 1].
        aspect: "squash" fills the square and changes the aspect ratio; "pad" keeps it and adds
            black on both sides of the shorter side.

    Raises:
        UsageError: another shape, an empty image, or values that are not finite.
    """
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise UsageError(f"An image has shape (H, W) or (H, W, 3) with H, W > 0; got {pixels.shape}.")
    if aspect not in get_args(Aspect):
        raise UsageError(f"aspect is 'squash' or 'pad'; got {aspect!r}.")
    if not np.isfinite(pixels).all():
        raise UsageError("The prepared image holds values that are not finite; expected float32 in [0, 1].")
    whole = pixels.astype(np.float32, copy=False)
    if whole.ndim == 2:
        return _fit(whole, record.input_size, aspect, record.interpolation)
    # Pillow's images of floats have one channel
    planes = [
        _fit(whole[..., channel], record.input_size, aspect, record.interpolation) for channel in range(3)
    ]
    return np.stack(planes, axis=-1)


def normalise(unit: Floats, record: InputRequirements) -> Floats:
    """Return (3, S, S) = (x - mean) / std per channel, of (S, S) or (S, S, 3) in [0, 1]; grey is repeated."""
    planes = np.broadcast_to(unit, (3, *unit.shape)) if unit.ndim == 2 else unit.transpose(2, 0, 1)
    mean = np.asarray(record.mean, np.float32)[:, None, None]
    std = np.asarray(record.std, np.float32)[:, None, None]
    return np.ascontiguousarray((planes - mean) / std, dtype=np.float32)


def _fit(plane: Floats, side: int, aspect: Aspect, interpolation: str) -> Floats:
    if aspect == "squash":
        return resize(plane, (side, side), interpolation)
    height, width = plane.shape
    scale = side / max(height, width)
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    top, left = (side - inner[0]) // 2, (side - inner[1]) // 2
    square = np.zeros((side, side), np.float32)
    square[top : top + inner[0], left : left + inner[1]] = resize(plane, inner, interpolation)
    return square


def resize(plane: Floats, size: tuple[int, int], interpolation: str = "bicubic") -> Floats:
    """Return one channel (H, W) resized to `size` (height, width), antialiased, clipped to [0, 1].

    Pillow's filters are used, on floats: with them these weights were trained and evaluated.
    """
    if plane.shape == size:
        return np.clip(plane, 0.0, 1.0)
    image = Pillow.fromarray(np.ascontiguousarray(plane))
    resized = image.resize((size[1], size[0]), FILTERS[interpolation])  # Pillow's order: width, height
    return np.clip(np.asarray(resized, np.float32), 0.0, 1.0)
