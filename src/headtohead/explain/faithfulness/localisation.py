"""How well a map finds a region that is known: hit rate, mass inside, distance of the centre, AUPRC.

The same measures of a random map and of a blob in the centre say what they are worth without looking at the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Localisation", "centred_blob", "localise", "random_map"]

Floats = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]
BLOB = 0.25  # standard deviation of the centred blob, as a share of each side


@dataclass(frozen=True)
class Localisation:
    """One map against one mask.

    Attributes:
        hit: the greatest value lies inside the mask (pointing game, Zhang et al. 2016).
        mass: share of the positive part that lies inside; 0 where nothing is positive.
        area: share of the image that the mask takes.
        distance: between the centre of mass of the hotter half of the positive part and that of the mask, as a
            share of the longer side.
        auprc: average precision of the pixels' values for being inside.
    """

    hit: bool
    mass: float
    area: float
    distance: float
    auprc: float


def localise(found: Floats, mask: Mask) -> Localisation:
    """Return how well a map (H, W) finds a mask (H, W) that is neither empty nor full.

    >>> mask = np.array([[True, False], [False, False]])
    >>> one = localise(np.array([[3.0, 1.0], [0.0, -1.0]]), mask)
    >>> one.hit, one.mass, one.area, one.auprc
    (True, 0.75, 0.25, 1.0)
    """
    from sklearn.metrics import average_precision_score

    values = np.asarray(found, dtype=np.float64)
    positive = np.maximum(values, 0.0)
    total = float(positive.sum())
    mass = float(positive[mask].sum()) / total if total else 0.0
    # a map without evidence points nowhere; its first pixel is the greatest of equals
    hit = bool(mask.ravel()[int(values.argmax())]) and total > 0
    there = _centre(mask.astype(np.float64))
    here = _centre(_hotter_half(positive)) if total else (values.shape[0] / 2, values.shape[1] / 2)
    distance = float(np.hypot(here[0] - there[0], here[1] - there[1]) / max(values.shape))
    auprc = float(average_precision_score(mask.ravel(), values.ravel()))
    return Localisation(hit, mass, float(mask.mean()), distance, auprc)


def centred_blob(size: tuple[int, int]) -> Floats:
    """Return a Gaussian in the middle of an image (H, W), which needs no look at it."""
    rows = (np.arange(size[0]) + 0.5) / size[0] - 0.5
    columns = (np.arange(size[1]) + 0.5) / size[1] - 0.5
    return np.exp(-(np.square(rows)[:, None] + np.square(columns)[None, :]) / (2 * BLOB**2))


def random_map(size: tuple[int, int], rng: np.random.Generator, cells: int = 14) -> Floats:
    """Return noise on a grid of cells, spread over an image (H, W) as the maps are."""
    from headtohead.core.records import Box
    from headtohead.explain.placement import to_pixels

    return to_pixels(rng.normal(size=(cells, cells)), Box(0, 0, *size), size)


def _centre(weights: Floats) -> tuple[float, float]:
    total = float(weights.sum())
    rows = float((weights.sum(axis=1) * (np.arange(weights.shape[0]) + 0.5)).sum()) / total
    columns = float((weights.sum(axis=0) * (np.arange(weights.shape[1]) + 0.5)).sum()) / total
    return rows, columns


def _hotter_half(positive: Floats) -> Floats:
    """Return the pixels that hold the hotter half of the mass, others at zero; equal values stay together."""
    falling = np.sort(positive, axis=None)[::-1]
    reached = int(np.searchsorted(np.cumsum(falling), falling.sum() / 2))
    return np.where(positive >= falling[min(reached, len(falling) - 1)], positive, 0.0)
