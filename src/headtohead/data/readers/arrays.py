"""Repairs of decoded pixels that every reader shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError

__all__ = ["fill_non_finite", "is_grey_as_rgb", "narrow", "narrowed", "orient"]

Array = npt.NDArray[Any]


def fill_non_finite(pixels: Array) -> tuple[Array, tuple[str, ...]]:
    """Replace NaN by the smallest finite value, and infinities by the finite ends; say how many.

    NaN marks "no value" in maps and floats outside the field of view, so it becomes background.

    Args:
        pixels: any array; integers are returned as they are.

    Returns:
        The pixels and a history of one sentence or none.

    Raises:
        UnreadableError: no finite pixel at all.
    """
    if pixels.dtype.kind != "f":
        return pixels, ()
    finite = np.isfinite(pixels)
    if finite.all():
        return pixels, ()
    if not finite.any():
        raise UnreadableError("none of its pixels is a finite number (all NaN or infinite)")
    low, high = pixels[finite].min(), pixels[finite].max()
    n_nan, n_inf = int(np.isnan(pixels).sum()), int(np.isinf(pixels).sum())
    filled = np.nan_to_num(pixels, nan=low, posinf=high, neginf=low)
    return filled, (
        f"{n_nan} NaN pixels set to the smallest finite value, {n_inf} infinite ones to the nearest finite.",
    )


def is_grey_as_rgb(pixels: Array) -> bool:
    """Tell whether a colour image holds three equal channels."""
    return pixels.ndim == 3 and bool(
        np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 0], pixels[..., 2])
    )


def narrow(pixels: Array, low: float, high: float) -> Array:
    """Cast whole numbers known to lie in low .. high to the first type that holds them.

    The types in order: uint8, uint16, int16, int32; beyond that float32 (exact up to 2**24). The
    range is what the file *can* hold, not what this image holds, so a series has one type.
    """
    for dtype in (np.uint8, np.uint16, np.int16, np.int32):
        info = np.iinfo(dtype)
        if info.min <= low and high <= info.max:
            return pixels.astype(dtype)
    return pixels.astype(np.float32)


def narrowed(pixels: Array, low: float, high: float) -> tuple[Array, tuple[str, ...]]:
    """Do as `narrow` and say so where numbers had to be rounded."""
    result = narrow(pixels, low, high)
    if result.dtype == np.float32 and bool((result.astype(np.float64) != pixels).any()):
        return result, ("Rounded to 32-bit floats.",)
    return result, ()


# Orientation -> quarter turns to the left, and whether the result is mirrored.
_ROTATIONS = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}


def orient(pixels: Array, orientation: int) -> Array:
    """Return the pixels upright, undoing an EXIF orientation (2 to 8; 1 is upright already).

    Source: EXIF 2.32, tag 0x0112: where row 0 and column 0 of the stored image belong.
    """
    quarter_turns, flip = _ROTATIONS.get(orientation, (0, False))
    rotated = np.rot90(pixels, quarter_turns)
    return np.ascontiguousarray(np.flip(rotated, axis=1) if flip else rotated)
