"""Pixels for the page: browsers cannot read DICOM or show more than 8 bits, so they get the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Image
from headtohead.data.readers import Limits, count_frames, read_image

__all__ = ["MAX_SIDE", "Preview", "preview_of"]

MAX_SIDE = 1536  # pixels; about twice the widest canvas of the page, so that zooming in still shows detail


@dataclass(frozen=True, slots=True)
class Preview:
    """Pixels as the page draws them.

    Attributes:
        pixels: the numbers, row by row, little endian: 8 or 16 bits; 3 channels interleaved for colour.
        facts: what the page needs to draw them: width, height, channels, bits; `low` and `high`, the values
            in the file's own unit that code 0 and the highest code stand for; `window` in that unit; the
            full size; frames; format; what the reader did.
    """

    pixels: bytes
    facts: dict[str, Any]


def preview_of(content: bytes, limits: Limits, frame: int | None = None) -> Preview:
    """Read one frame of an image for display.

    Args:
        content: the whole file.
        limits: how much it may ask for.
        frame: from 0; None: the one that is predicted.

    Raises:
        UnreadableError: for any content that is no readable image.
    """
    frames = count_frames(content, limits=limits)
    image = read_image(content, frame=frame, limits=limits)
    small = _shrink(image.pixels)
    codes, low, high = _codes(small)
    facts = {
        "width": int(codes.shape[1]),
        "height": int(codes.shape[0]),
        "channels": 1 if codes.ndim == 2 else 3,
        "bits": 8 * codes.dtype.itemsize,
        "low": low,
        "high": high,
        "window": _window(image, small),
        "full_width": image.size[1],
        "full_height": image.size[0],
        "frames": frames,
        "format": image.format,
        "stored_bits": image.bit_depth,
        "history": list(image.history),
    }
    return Preview(codes.astype(codes.dtype.newbyteorder("<"), copy=False).tobytes(), facts)


def _shrink(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Average an image down until its longer side fits."""
    height, width = pixels.shape[:2]
    scale = MAX_SIDE / max(height, width)
    if scale >= 1:
        return pixels
    import cv2

    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # cv2.resize does not take every type of integer.
    work = pixels if pixels.dtype in (np.uint8, np.uint16, np.float32) else pixels.astype(np.float32)
    return np.asarray(cv2.resize(work, size, interpolation=cv2.INTER_AREA))


def _codes(pixels: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], float, float]:
    """Return 8- or 16-bit codes, and the values that the lowest and the highest code stand for."""
    if pixels.dtype == np.uint8:
        return pixels, 0.0, 255.0
    low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        high = low + 1
    if pixels.ndim == 3:
        scaled = (pixels.astype(np.float64) - low) * (255 / (high - low))
        return np.rint(scaled).astype(np.uint8), low, high
    scaled = (pixels.astype(np.float64) - low) * (65535 / (high - low))
    return np.rint(scaled).astype(np.uint16), low, high


def _window(image: Image, small: npt.NDArray[Any]) -> list[float] | None:
    """Return the window of the file; for grey beyond 8 bits without one, the 0.5th and 99.5th percentile."""
    if image.window is not None:
        return [float(image.window[0]), float(image.window[1])]
    if small.ndim == 3 or small.dtype == np.uint8:
        return None
    low, high = (float(value) for value in np.percentile(small, (0.5, 99.5)))
    return [low, high] if high > low else None
