"""A light augmentation, sound for most images: flip, small rotation, shift and zoom, brightness, contrast.

Chance apart from action: `draw_light` draws numbers, `apply_light` is a pure function of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.formatting import format_percent

__all__ = ["WORDS", "LightAugmentation", "apply_light", "draw_light"]

Pixels = npt.NDArray[np.float32]

DEGREES = 10.0  # about as oblique as heads lie in a scanner
ZOOM = GAIN = 0.1  # body size and windowing differ by as much
SHIFT = OFFSET = 0.05  # positioning and brightness differ by as much
WORDS = (
    f"half are flipped; rotated by up to {DEGREES:g} degrees, size by {format_percent(ZOOM)}, "
    f"place by {format_percent(SHIFT)}, contrast by {format_percent(GAIN)}, brightness by {format_percent(OFFSET)}"
)
"""What is drawn, in words."""


@dataclass(frozen=True, slots=True)
class LightAugmentation:
    """What was drawn.

    Attributes:
        flip: left and right exchanged.
        degrees: rotation about the centre, counter-clockwise.
        zoom: factor of size.
        shift: (down, right) as shares of height and width.
        gain, offset: pixel * gain + offset, around mid-grey.
    """

    flip: bool
    degrees: float
    zoom: float
    shift: tuple[float, float]
    gain: float
    offset: float


def draw_light(rng: np.random.Generator) -> LightAugmentation:
    """Draw one augmentation, as `WORDS` says."""
    flip = bool(rng.random() < 0.5)
    degrees, zoom = rng.uniform(-DEGREES, DEGREES), rng.uniform(1 - ZOOM, 1 + ZOOM)
    down, right = rng.uniform(-SHIFT, SHIFT, 2)
    gain, offset = rng.uniform(1 - GAIN, 1 + GAIN), rng.uniform(-OFFSET, OFFSET)
    return LightAugmentation(
        flip, float(degrees), float(zoom), (float(down), float(right)), float(gain), float(offset)
    )


def apply_light(params: LightAugmentation, pixels: Pixels) -> Pixels:
    """Return pixels (H, W) or (H, W, 3) in [0, 1] after what was drawn; outside the image is 0."""
    import cv2

    height, width = pixels.shape[:2]
    centre = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, params.degrees, params.zoom)
    matrix[:, 2] += params.shift[1] * width, params.shift[0] * height
    source = pixels[:, ::-1] if params.flip else pixels
    moved = cv2.warpAffine(np.ascontiguousarray(source), matrix, (width, height), flags=cv2.INTER_LINEAR)
    toned = (moved - 0.5) * params.gain + (0.5 + params.offset)
    # what lies outside stays 0, though brightness is added, and the edge fades as it was interpolated
    inside = cv2.warpAffine(np.ones((height, width), np.float32), matrix, (width, height))
    mask = inside if moved.ndim == 2 else inside[..., None]
    return np.asarray(np.clip(toned, 0.0, 1.0) * mask, dtype=np.float32)
