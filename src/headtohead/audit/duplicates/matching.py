"""Which features of two images match, and which transform the matches follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates.keypoints import COARSE, Keypoints, rotated

__all__ = ["FEWEST", "find_transform", "match", "quick_matches"]

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]

FEWEST = 8
"""Matched points of a transform: two fix a similarity, six more must confirm it."""

_RATIO = 0.8  # Lowe's ratio test (2004): the best match must be clearly better than the second
_PIXELS = 3.0  # of RANSAC: at the 256 pixels of an aligned image, the jitter of a keypoint
_FEWEST_QUICK = 6  # of a quick try, at half the size or less, where there are fewer features
_STRETCH = 1.6  # longer by shorter axis: copies are squeezed to a square, hardly more
_NO_POINTS = np.zeros((0, 2), np.float32)


def _unit(descriptors: Grey) -> Floats:
    rows = descriptors.astype(np.float32)
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return rows


def match(a: Keypoints, b: Keypoints) -> tuple[Floats, Floats]:
    """Return matched positions (m, 2) in a and b: mutual nearest, clearly nearer than the second.

    Fewer than `FEWEST` matches prove nothing, so there none are returned.
    """
    if min(len(a.points), len(b.points)) < FEWEST:
        return _NO_POINTS, _NO_POINTS
    alike = _unit(a.descriptors) @ _unit(b.descriptors).T
    best, clear = _clear(alike)
    kept, partner = _mutual(alike, best, np.flatnonzero(clear), FEWEST)
    return a.points[kept], b.points[partner]


def _clear(alike: Floats) -> tuple[Ints, Mask]:
    """Return the best of the last axis of cosines (…, m), and whether it is clearly better than the second."""
    best = alike.argmax(axis=-1)
    first = np.take_along_axis(alike, best[..., None], -1)
    np.put_along_axis(alike, best[..., None], -1.0, -1)  # so that the greatest left is the second best
    second = alike.max(axis=-1)
    np.put_along_axis(alike, best[..., None], first, -1)
    # |a - b|² of unit rows: the ratio is squared, too
    return best, (2 - 2 * first[..., 0]) < _RATIO**2 * (2 - 2 * second)


def _mutual(alike: Floats, best: Ints, clear: Ints, fewest: int) -> tuple[Ints, Ints]:
    """Return rows and columns of the mutual matches among clear rows of (n, m) cosines; none if fewer than `fewest`.

    The ratio test looks at rows alone, so it comes first: for most pairs of different images nothing else is needed.
    """
    if len(clear) >= fewest:
        wanted = best[clear]
        kept = alike[:, wanted].argmax(axis=0) == clear
        if int(kept.sum()) >= fewest:
            return clear[kept], wanted[kept]
    return clear[:0], clear[:0]


def find_transform(on_a: Floats, on_b: Floats) -> tuple[Matrix, Mask] | None:
    """Return the (2, 3) matrix from a to b and which matches follow it, or None.

    A similarity (shift, turn, zoom) is sought first. Many data sets were resized to squares, so an
    affine transform takes its place where that keeps the matches and stretches by 1.6 at most.
    OpenCV seeds its RANSAC itself, the same way each time, so equal input gives equal output.
    """
    plain = _ransac(cv2.estimateAffinePartial2D, on_a, on_b)
    stretched = _ransac(cv2.estimateAffine2D, on_a, on_b)
    if stretched is None or (plain is not None and stretched[1].sum() < 0.9 * plain[1].sum()):
        return plain
    return stretched


def _ransac(
    estimate: Callable[..., Any],
    on_a: Floats,
    on_b: Floats,
    fewest: int = FEWEST,
    pixels: float = _PIXELS,
) -> tuple[Matrix, Mask] | None:
    """Return a plausible matrix and which matches follow it, or None where fewer than `fewest` do."""
    matrix, chosen = estimate(on_a, on_b, None, cv2.RANSAC, pixels, 2000, 0.999)
    if matrix is None or not _is_plausible(matrix) or int(chosen.sum()) < fewest:
        return None
    return np.asarray(matrix, np.float64), chosen.ravel() > 0


def quick_matches(a: Keypoints, others: Sequence[Keypoints], kind: int) -> list[bool]:
    """Tell for each of several images whether a quick try finds any transform from a at all.

    Args:
        a: the one image, as `coarse_keypoints` returns it. others: the images tried, in the same way.
        kind: what the others must undergo first, as a position in `keypoints.KINDS`.
    """
    most = max((len(b.points) for b in others), default=0)
    if min(len(a.points), most) < _FEWEST_QUICK:
        return [False] * len(others)
    # Turning the one image's descriptors instead of all others' compares the same pairs of numbers.
    rows = _unit(rotated(a, kind).descriptors)
    columns = np.zeros((len(others), most, rows.shape[1]), np.float32)
    for place, b in zip(columns, others, strict=True):
        place[: len(b.points)] = _unit(b.descriptors)
    alike = (rows @ columns.reshape(-1, rows.shape[1]).T).reshape(len(rows), len(others), most)
    best, clear = _clear(alike)
    found = [False] * len(others)
    for i in np.flatnonzero(clear.sum(axis=0) >= _FEWEST_QUICK).tolist():
        kept, partner = _mutual(alike[:, i], best[:, i], np.flatnonzero(clear[:, i]), _FEWEST_QUICK)
        if len(kept):
            found[i] = _has_transform(a.points[kept], rotated(others[i], kind), partner)
    return found


def _has_transform(on_a: Floats, b: Keypoints, partner: Ints) -> bool:
    pixels = _PIXELS * max(b.grey.shape) / COARSE
    tries = (cv2.estimateAffinePartial2D, cv2.estimateAffine2D)
    return any(_ransac(one, on_a, b.points[partner], _FEWEST_QUICK, pixels) is not None for one in tries)


def _is_plausible(matrix: Matrix) -> bool:
    """Tell whether a (2, 3) matrix neither mirrors, nor stretches much, nor zooms beyond ten times."""
    long, short = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(np.linalg.det(matrix[:, :2]) > 0 and short > 0.1 and long < 10 and long < _STRETCH * short)
