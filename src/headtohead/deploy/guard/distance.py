"""How far an image lies from the training images in the network's features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FALSE_ALARMS", "TrainingDistance", "cross_fitted_distances", "distance_limit"]

Floats = npt.NDArray[np.float64]

FALSE_ALARMS = 0.02
"""Share of images like the training images that may be flagged as far."""
# Directions of greatest spread; the rest of a thousand features is noise to a distance among a few hundred images.
DIRECTIONS = 32
# A sample of the training images stands for them all; nearest distances change little beyond it.
MOST_ROWS = 2000
FOLDS = 5


@dataclass(frozen=True)
class TrainingDistance:
    """Mean Euclidean distance to the nearest training images, on whitened principal components.

    Deep nearest neighbours (Sun et al. 2022, ICML) with components in place of the raw features.

    Attributes:
        mean: (D,); components: (d, D), each divided by its spread; rows: (n, d) of training images.
        neighbours: nearest images that are averaged over.
    """

    mean: Floats
    components: Floats
    rows: Floats
    neighbours: int

    @classmethod
    def fit(cls, features: npt.NDArray[Any], neighbours: int, seed: int = 0) -> TrainingDistance:
        """Learn the components of training features (n, D) and keep their rows."""
        rows = np.asarray(features, dtype=np.float64)
        rng = np.random.default_rng(seed)
        if len(rows) > MOST_ROWS:
            rows = rows[np.sort(rng.choice(len(rows), MOST_ROWS, replace=False))]
        mean = rows.mean(axis=0)
        _, spread, basis = np.linalg.svd(rows - mean, full_matrices=False)
        # Directions without spread would be divided by rounding errors. With as many directions as images,
        # whitening would put all images at the same distance from one another.
        kept = (spread > 1e-6 * spread[0]) & (np.arange(len(spread)) < min(DIRECTIONS, len(rows) // 2))
        components = basis[kept] / (spread[kept, None] / np.sqrt(len(rows)))
        return cls(mean, components, (rows - mean) @ components.T, neighbours)

    def of(self, features: npt.NDArray[Any]) -> Floats:
        """Return (n,) distances of features (n, D)."""
        placed = (np.asarray(features, dtype=np.float64) - self.mean) @ self.components.T
        # |a - b|^2 = |a|^2 + |b|^2 - 2ab needs no array of (n, m, d); rounding can make it negative.
        squared = (placed**2).sum(1)[:, None] + (self.rows**2).sum(1) - 2 * placed @ self.rows.T
        nearest = np.sort(np.sqrt(np.clip(squared, 0, None)), axis=1)[:, : self.neighbours]
        return np.asarray(nearest.mean(axis=1))

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return what is stored in a bundle."""
        return {name: getattr(self, name).astype(np.float32) for name in ("mean", "components", "rows")}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, npt.NDArray[Any]], neighbours: int) -> TrainingDistance:
        """Return what a bundle stores."""
        parts = [tensors[name].astype(np.float64) for name in ("mean", "components", "rows")]
        return cls(parts[0], parts[1], parts[2], neighbours)


def cross_fitted_distances(
    features: npt.NDArray[Any],
    labels: npt.NDArray[np.int64],
    groups: npt.NDArray[Any],
    neighbours: int,
    seed: int,
) -> Floats:
    """Return (n,) distance of each training image from images of other groups; NaN where no fold held it out."""
    from headtohead.data.splits.folds import inner_folds

    out = np.full(len(features), np.nan)
    for fit, held_out in inner_folds(labels, groups, FOLDS, seed):
        out[held_out] = TrainingDistance.fit(features[fit], neighbours, seed).of(features[held_out])
    return out


def distance_limit(distances: Floats, share: float = FALSE_ALARMS) -> tuple[float, float]:
    """Return the limit that the share of distances exceeds at most, and the share that exceeds it."""
    known = distances[~np.isnan(distances)]
    # "higher" takes a distance that occurred, so that no more than the share lies above it.
    limit = float(np.quantile(known, 1 - share, method="higher"))
    return limit, float((known > limit).mean())
