"""Metrics that follow from the confusion matrix, for many resamples at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.metrics.weight_blocks import Weights, weighted_sums
from headtohead.stats.predictions import ContenderPredictions

__all__ = [
    "ClassCounts",
    "FromClassCounts",
    "FromConfusion",
    "accuracy",
    "balanced_accuracy",
    "cohen_kappa",
    "confusion",
    "count_values",
    "f1",
    "linear_kappa",
    "matthews_correlation",
    "npv",
    "ppv",
    "predicted_labels",
    "quadratic_kappa",
    "sensitivity",
    "specificity",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Counts of one class against the rest, (n_replicates,) each."""

    true_positive: Floats
    false_negative: Floats
    false_positive: Floats
    true_negative: Floats

    @classmethod
    def of(cls, matrix: Floats, which: int) -> ClassCounts:
        """Return the counts of class `which` from a confusion matrix (k, k, n_replicates)."""
        hit = matrix[which, which]
        missed = matrix[which].sum(axis=0) - hit
        false = matrix[:, which].sum(axis=0) - hit
        return cls(hit, missed, false, matrix.sum(axis=(0, 1)) - hit - missed - false)


@dataclass(frozen=True, slots=True)
class FromConfusion:
    """A metric that is computed from the whole confusion matrix (k, k, n_replicates)."""

    compute: Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class FromClassCounts:
    """A metric of one class against the rest; beyond two classes the mean over the classes."""

    compute: Callable[[ClassCounts], Floats]


def predicted_labels(lines: ContenderPredictions, threshold: Floats | None) -> Ints:
    """Return the predicted class of each line.

    Args:
        threshold: (n,) probability from which on a line is predicted positive; None for the most probable
            class (of two: positive from 0.5 on).
    """
    if threshold is None:
        if lines.prob.shape[1] == 2:
            # `argmax` gives a tie to the negative class.
            return np.asarray(lines.prob[:, 1] >= 0.5, dtype=np.int64)
        return np.asarray(lines.prob.argmax(axis=1), dtype=np.int64)
    return np.asarray(lines.prob[:, 1] >= threshold, dtype=np.int64)


def confusion(label: Ints, predicted: Ints, group: Ints, n_classes: int, weights: Weights) -> Floats:
    """Return (k, k, n_replicates) weighted counts; rows are the truth, columns the prediction.

    One matrix product of group counts with the weights serves all replicates.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), np.arange(3), 2, np.ones((3, 1)))[..., 0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    cell = label * n_classes + predicted
    sums = group_sums(np.eye(n_classes * n_classes)[cell], group, len(weights))
    return np.asarray(weighted_sums(sums, weights).reshape(n_classes, n_classes, -1))


def count_values(
    kernel: FromConfusion | FromClassCounts, matrix: Floats, of_class: int | None = None
) -> Floats:
    """Return the metric of each replicate, (n_replicates,); NaN where it is not defined.

    Args:
        matrix: (k, k, n_replicates) as from `confusion`.
        of_class: index of the class that counts as positive; None for the second of two classes, and for the
            mean over more.
    """
    if isinstance(kernel, FromConfusion):
        return kernel.compute(matrix)
    if of_class is None and len(matrix) > 2:
        each = [kernel.compute(ClassCounts.of(matrix, c)) for c in range(len(matrix))]
        return np.asarray(np.mean(each, axis=0))
    return kernel.compute(ClassCounts.of(matrix, 1 if of_class is None else of_class))


def accuracy(matrix: Floats) -> Floats:
    """Return the share of samples whose class is predicted."""
    return ratio(np.einsum("iib->b", matrix), matrix.sum(axis=(0, 1)))


def balanced_accuracy(matrix: Floats) -> Floats:
    """Return the mean of the class recalls (Brodersen et al. 2010, ICPR)."""
    recalls = [sensitivity(ClassCounts.of(matrix, c)) for c in range(len(matrix))]
    return np.asarray(np.mean(recalls, axis=0))


def sensitivity(counts: ClassCounts) -> Floats:
    """Return the share of the class that is predicted as such."""
    return ratio(counts.true_positive, counts.true_positive + counts.false_negative)


def specificity(counts: ClassCounts) -> Floats:
    """Return the share of the rest that is not predicted as the class."""
    return ratio(counts.true_negative, counts.true_negative + counts.false_positive)


def ppv(counts: ClassCounts) -> Floats:
    """Return the share of the class among the samples predicted as such."""
    return ratio(counts.true_positive, counts.true_positive + counts.false_positive)


def npv(counts: ClassCounts) -> Floats:
    """Return the share of the rest among the samples not predicted as the class."""
    return ratio(counts.true_negative, counts.true_negative + counts.false_negative)


def f1(counts: ClassCounts) -> Floats:
    """Return the harmonic mean of sensitivity and PPV (van Rijsbergen 1979)."""
    twice = 2 * counts.true_positive
    return ratio(twice, twice + counts.false_negative + counts.false_positive)


def matthews_correlation(matrix: Floats) -> Floats:
    """Return Gorodkin's R_K, which is Matthews' coefficient for two classes (Comput Biol Chem 28:367)."""
    total, right = matrix.sum(axis=(0, 1)), np.einsum("iib->b", matrix)
    truth, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    covariance = right * total - (truth * predicted).sum(axis=0)
    spread = (total**2 - (predicted**2).sum(axis=0)) * (total**2 - (truth**2).sum(axis=0))
    return ratio(covariance, np.sqrt(spread))


def cohen_kappa(matrix: Floats) -> Floats:
    """Return Cohen's kappa (Educ Psychol Meas 20:37)."""
    total = matrix.sum(axis=(0, 1))
    observed = ratio(np.einsum("iib->b", matrix), total)
    chance = ratio((matrix.sum(axis=1) * matrix.sum(axis=0)).sum(axis=0), total**2)
    return ratio(observed - chance, 1 - chance)


def linear_kappa(matrix: Floats) -> Floats:
    """Return Cohen's kappa of ordered classes, each error weighted by how many classes it is off.

    >>> one_off, two_off = np.diag([4.0, 4, 4]), np.diag([4.0, 4, 4])
    >>> one_off[0, 1] = two_off[0, 2] = 2
    >>> bool(linear_kappa(one_off[..., None])[0] > linear_kappa(two_off[..., None])[0])
    True
    """
    return _weighted_kappa(matrix, 1)


def quadratic_kappa(matrix: Floats) -> Floats:
    """Return Cohen's kappa of ordered classes, each error weighted by the square of how many classes it is off."""
    return _weighted_kappa(matrix, 2)


def _weighted_kappa(matrix: Floats, power: int) -> Floats:
    """Return 1 - sum(w observed) / sum(w expected), w = |i - j|^power (Cohen 1968, Psychol Bull 70:213)."""
    steps = np.arange(len(matrix), dtype=np.float64)
    weights = np.abs(steps[:, None] - steps[None, :]) ** power
    observed = np.einsum("ij,ijb->b", weights, matrix)
    expected = np.einsum("ij,ib,jb->b", weights, matrix.sum(axis=1), matrix.sum(axis=0))
    # Observed is a sum of n cases and expected of n², which one more n makes alike; expected is 0 where
    # labels and answers are all of one class, and kappa then has no meaning.
    return 1 - ratio(observed * matrix.sum(axis=(0, 1)), expected)
