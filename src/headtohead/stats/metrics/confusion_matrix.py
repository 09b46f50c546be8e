"""Metrics that follow from the confusion matrix, for many resamples at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headtohead.stats.metrics.ranking import group_sums, ratio

__all__ = ["confusion", "count_metric"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def confusion(label: Ints, predicted: Ints, group: Ints, n_classes: int, weights: Floats) -> Floats:
    """Return (k, k, n_replicates) weighted counts; rows are the truth, columns the prediction.

    One matrix product of group counts with the weights serves all replicates.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), np.arange(3), 2, np.ones((3, 1)))[..., 0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    cell = label * n_classes + predicted
    sums = group_sums(np.eye(n_classes * n_classes)[cell], group, len(weights))
    return np.asarray((sums.T @ weights).reshape(n_classes, n_classes, -1))


def count_metric(name: str, matrix: Floats, of_class: int | None = None) -> Floats:
    """Return the metric of each replicate, NaN where it is not defined.

    Beyond two classes, sensitivity, specificity, PPV, NPV and F1 are macro means of one class
    against the rest, unless `for_class` names one.

    Args:
        matrix: (k, k, n_replicates) as from `confusion`.
        of_class: index of the class that counts as positive.
    """
    if name == "accuracy":
        return ratio(np.einsum("iib->b", matrix), matrix.sum(axis=(0, 1)))
    if name == "balanced_accuracy":
        return np.asarray(np.mean([_one_class("sensitivity", matrix, c) for c in range(len(matrix))], axis=0))
    if name == "mcc":
        return _mcc(matrix)
    if name == "kappa":
        return _kappa(matrix)
    if of_class is None and len(matrix) > 2:
        return np.asarray(np.mean([_one_class(name, matrix, c) for c in range(len(matrix))], axis=0))
    return _one_class(name, matrix, 1 if of_class is None else of_class)


def _one_class(name: str, matrix: Floats, which: int) -> Floats:
    hit = matrix[which, which]
    missed = matrix[which].sum(axis=0) - hit
    false = matrix[:, which].sum(axis=0) - hit
    clear = matrix.sum(axis=(0, 1)) - hit - missed - false
    parts = {
        "sensitivity": (hit, hit + missed),
        "specificity": (clear, clear + false),
        "ppv": (hit, hit + false),
        "npv": (clear, clear + missed),
        "f1": (2 * hit, 2 * hit + missed + false),
    }
    return ratio(*parts[name])


def _mcc(matrix: Floats) -> Floats:
    """Return Gorodkin's R_K, which is Matthews' coefficient for two classes (Comput Biol Chem 28:367)."""
    total, right = matrix.sum(axis=(0, 1)), np.einsum("iib->b", matrix)
    truth, called = matrix.sum(axis=1), matrix.sum(axis=0)
    covariance = right * total - (truth * called).sum(axis=0)
    spread = (total**2 - (called**2).sum(axis=0)) * (total**2 - (truth**2).sum(axis=0))
    return ratio(covariance, np.sqrt(spread))


def _kappa(matrix: Floats) -> Floats:
    """Return Cohen's kappa (Educ Psychol Meas 20:37)."""
    total = matrix.sum(axis=(0, 1))
    seen = ratio(np.einsum("iib->b", matrix), total)
    chance = ratio((matrix.sum(axis=1) * matrix.sum(axis=0)).sum(axis=0), total**2)
    return ratio(seen - chance, 1 - chance)
