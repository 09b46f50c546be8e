"""From directions and spacings to the orientation that the reader of slices needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel.orientations import io_orientation

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import Limits

__all__ = ["LPS_AS_STORED", "check_extent", "oriented"]

Array = npt.NDArray[Any]

LPS_AS_STORED = np.array([[0, -1], [1, -1], [2, 1]], dtype=float)
"""Axes that run to the left, to the back and to the head: what ITK takes where a file states nothing."""

_UNUSABLE = "Its orientation is not usable: axes taken as stored (left, back, head), spacing as 1 mm."


def check_extent(shape: Sequence[int], limits: Limits) -> tuple[int, int, int]:
    """Return the first three lengths, 1 where there are fewer.

    Raises:
        UnreadableError: a length below 1, or more voxels or slices than the limits.
    """
    text = " x ".join(map(str, shape))
    if not shape or len(shape) > 7 or min(shape) < 1:
        raise UnreadableError(f"its header claims a size of {text or 'nothing'}; each must be at least 1")
    x, y, z = [*shape, 1, 1][:3]
    if max(x, y, z) > limits.frames or x * y * z > limits.voxels:
        raise UnreadableError(
            f"its header claims {x} x {y} x {z} voxels; the limits are {limits.voxels:,} voxels and "
            f"{limits.frames:,} slices (Limits.voxels, Limits.frames)"
        )
    return x, y, z


def oriented(directions: Array) -> tuple[Array, tuple[float, float, float], tuple[str, ...]]:
    """Return orientation, voxel sizes in mm and what was decided.

    Args:
        directions: (3, 3), column i is the step in mm along the stored axis i, in RAS coordinates.
    """
    sizes = tuple(float(size) for size in np.sqrt((directions**2).sum(axis=0)))
    if not all(math.isfinite(size) and 0 < size < 1e6 for size in sizes):
        return LPS_AS_STORED, (1.0, 1.0, 1.0), (_UNUSABLE,)
    affine = np.eye(4)
    affine[:3, :3] = directions
    try:
        orientation = io_orientation(affine)  # type: ignore[no-untyped-call]
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return LPS_AS_STORED, (1.0, 1.0, 1.0), (_UNUSABLE,)
    if not np.isfinite(orientation).all():
        return LPS_AS_STORED, (1.0, 1.0, 1.0), (_UNUSABLE,)
    plain = np.array_equal(orientation, np.array([[0, 1], [1, 1], [2, 1]], dtype=float))
    notes = () if plain else ("Axes brought to canonical order (RAS).",)
    return orientation, (sizes[0], sizes[1], sizes[2]), notes
