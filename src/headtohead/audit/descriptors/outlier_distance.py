"""How far each image stands from the rest of its own set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["knn_distance_to_other_groups", "pca_block", "robust_z", "whitened_pca"]

Floats = npt.NDArray[np.float64]

REFERENCE = 4000
"""Distances are taken to at most this many groups, drawn at random, so time stays linear."""


def pca_block(rows: Floats, n_components: int = 20) -> Floats:
    """Return the first principal components, scaled so that their total variance is 1.

    Blocks of different descriptors weigh the same when they stand side by side. The axes are found
    on at most `REFERENCE` rows, evenly spaced.

    Args:
        rows: (n, d).
        n_components: at most.
    """
    basis = rows[:: max(1, len(rows) // REFERENCE)]
    mean = basis.mean(axis=0)
    _, _, axes = np.linalg.svd(basis - mean, full_matrices=False)
    parts = (rows - mean) @ axes[:n_components].T
    total = float(parts.var(axis=0).sum())
    return np.asarray(parts / np.sqrt(total) if total > 0 else parts)


def whitened_pca(rows: Floats, groups: npt.NDArray[Any], n_components: int = 50) -> Floats:
    """Return principal components whitened by their shrunken covariance, with a total variance of 1.

    A network's features vary along some directions a hundred times more than along others; whitened,
    a distance is Mahalanobis'. The covariance is that of one row per group, shrunk towards a sphere
    (Ledoit and Wolf, 2004), since groups are few and components many.

    Args:
        rows: (n, d).
        groups: (n,).
        n_components: at most.
    """
    from sklearn.covariance import LedoitWolf

    parts = pca_block(rows, n_components)
    _, first = np.unique(groups.astype(str), return_index=True)
    if len(first) < 2 or not parts.any():
        return parts
    # with precision = L L', the Euclidean distance of rows @ L is Mahalanobis'
    white = parts @ np.linalg.cholesky(LedoitWolf().fit(parts[first]).precision_)
    return np.asarray(white / np.sqrt(float(white.var(axis=0).sum())))


def knn_distance_to_other_groups(
    blocks: Sequence[Floats], groups: npt.NDArray[Any], *, nearest: int = 5, seed: int = 0
) -> Floats:
    """Return each row's distance to the fifth nearest row of another group, (n,).

    One row stands for each group, so that an image which occurs twice does not hide behind its copy.

    Args:
        blocks: arrays (n, d_i), put side by side.
        groups: (n,).
        nearest: which neighbour.
        seed: of the draw of groups, where there are more than `REFERENCE`.
    """
    rows = np.hstack(blocks)
    _, first, which = np.unique(groups.astype(str), return_index=True, return_inverse=True)
    chosen = np.arange(len(first))
    if len(chosen) > REFERENCE:
        chosen = np.sort(np.random.default_rng(seed).choice(len(first), REFERENCE, replace=False))
    k = min(nearest, len(chosen) - 1)
    if k < 1:
        return np.zeros(len(rows))
    found = [
        # 512 x 4000 distances are 16 MB
        _kth(rows[i : i + 512], which[i : i + 512], rows[first[chosen]], chosen, k)
        for i in range(0, len(rows), 512)
    ]
    return np.concatenate(found)


def _kth(
    rows: Floats, own: npt.NDArray[np.intp], reference: Floats, names: npt.NDArray[np.intp], k: int
) -> Floats:
    square = (rows**2).sum(1)[:, None] + (reference**2).sum(1)[None, :] - 2 * rows @ reference.T
    square[own[:, None] == names[None, :]] = np.inf
    # |a|² + |b|² - 2 a b can fall below 0 by rounding
    return np.asarray(np.sqrt(np.maximum(np.partition(square, k - 1, axis=1)[:, k - 1], 0.0)))


def robust_z(values: Floats) -> Floats:
    """Return (value - median) / (1.4826 x median absolute deviation); zeros where that is 0.

    >>> robust_z(np.array([1.0, 2.0, 3.0, 4.0, 100.0])).round(1).tolist()
    [-1.3, -0.7, 0.0, 0.7, 65.4]
    """
    middle = np.nanmedian(values)
    spread = 1.4826 * float(np.nanmedian(np.abs(values - middle)))
    return np.asarray((values - middle) / spread) if spread > 0 else np.zeros(len(values))
