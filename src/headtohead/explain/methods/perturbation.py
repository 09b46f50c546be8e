"""Occlusion and RISE: what happens to a score when parts of the image are hidden; for any function of an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Score", "blurred", "mixed", "occlusion", "rise"]

Pixels = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Score = Callable[[Sequence[Pixels]], Floats]
"""From prepared images, (H, W) or (H, W, 3) in [0, 1], to one score each."""

CELLS = 14  # windows along each side
WINDOW = 2  # cells along each side of what is hidden at once
MASKS = 400  # of RISE; Petsiuk et al. 2018 use 4,000 to 8,000 for photographs of 1,000 classes
KEPT = 0.5  # probability that a cell of a mask of RISE is kept
BLUR = 0.08  # standard deviation of the blur that hides, as a share of the longer side


def occlusion(score: Score, pixels: Pixels, *, cells: int = CELLS) -> Floats:
    """Return (cells, cells): the mean drop of the score over the windows that hide each cell.

    A window is hidden by blur, not by black, which no training image had (Zeiler and Fergus 2014 use grey).

    Args:
        score: of prepared images.
        pixels: the prepared image.
        cells: along each side of the map.
    """
    hidden = blurred(pixels)
    starts = range(1 - WINDOW, cells)  # from outside the edge, so that all cells lie in as many windows
    windows = [(row, column) for row in starts for column in starts]
    full = float(score([pixels])[0])
    masks = []
    for row, column in windows:
        mask = np.zeros((cells, cells))
        mask[max(0, row) : row + WINDOW, max(0, column) : column + WINDOW] = 1.0
        masks.append(mask)
    drops = full - score([mixed(pixels, hidden, 1.0 - mask) for mask in masks])
    total, count = np.zeros((cells, cells)), np.zeros((cells, cells))
    for mask, drop in zip(masks, drops, strict=True):
        total += mask * drop / mask.sum()  # at an edge fewer cells share the drop of a window
        count += mask
    return total / count


def rise(score: Score, pixels: Pixels, *, seed: int = 0, masks: int = MASKS) -> Floats:
    """Return (CELLS, CELLS): the mean score of random masks that keep a cell, less that of those that hide it.

    Petsiuk et al. 2018 (RISE), with blur in place of black and centred scores, so that the sign has a meaning.

    Args:
        score: of prepared images.
        pixels: the prepared image.
        seed: of the masks; masks: how many.
    """
    rng = np.random.default_rng(seed)
    hidden = blurred(pixels)
    kept = (rng.random((masks, CELLS, CELLS)) < KEPT).astype(np.float64)
    scores = score([mixed(pixels, hidden, mask) for mask in kept])
    centred = scores - scores.mean()
    with_cell = np.tensordot(centred, kept, axes=1) / np.maximum(kept.sum(axis=0), 1)
    without = np.tensordot(centred, 1 - kept, axes=1) / np.maximum((1 - kept).sum(axis=0), 1)
    return np.asarray(with_cell - without, dtype=np.float64)


def blurred(pixels: Pixels) -> Pixels:
    """Return an image in which no detail is left."""
    import cv2

    sigma = BLUR * max(pixels.shape[:2])
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.float32)


def _enlarged(mask: Floats, size: tuple[int, ...]) -> Floats:
    import cv2

    found = cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(found, dtype=np.float64)


def mixed(pixels: Pixels, hidden: Pixels, kept: Floats) -> Pixels:
    """Return an image in which a part is hidden.

    Args:
        pixels: the image; hidden: what takes its place.
        kept: share of the image at each cell of a grid, which is enlarged to the image.
    """
    share = _enlarged(kept, pixels.shape[:2])
    weight = share if pixels.ndim == 2 else share[..., None]
    return np.asarray(pixels * weight + hidden * (1 - weight), np.float32)
