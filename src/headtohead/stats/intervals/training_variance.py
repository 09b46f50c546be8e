"""Variance of a cross-validated score that comes from the training sample, beside that of the test sample.

A verdict from cross-validation is about learners: the method, trained on samples like this one. Leaving a
group out of the table of predictions does not leave it out of the training samples, so the jackknife over groups
sees the test sample alone and its variance is too small. It is multiplied by

    1 + min(SLOPE * (n / n_test) * u, MARGIN * n / n_train)

where u, from 0 to 1, is the share of a sample's place in the ranking that changes from repeat to repeat, that is,
when models of other training samples predict it. With one repeat, or repeats that share their folds, u cannot be
seen and the upper bound holds.

Sources: the upper bound is the variance (1/J + n_test/n_train) s² of Nadeau and Bengio (2003, Mach Learn 52:239)
for one repeat, with s² from the jackknife instead of K numbers. The slope is a chord of the exact curve
1 + 2q(1 - q) + q²(1 - q) of the nearest centroid, whose scores change between repeats by u = q/K. A distribution-free
answer about learners does not exist at these sample sizes (Luo and Barber 2024, arXiv:2402.07388); that these
constants hold the level is shown by simulation alone (`benchmarks/coverage_learners.py`, docs/statistics.md).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from headtohead.stats.predictions import PredictionTable

__all__ = ["normal_scores", "share_of_training", "training_stretch"]

SLOPE = 1.5  # slope 2 at q = 0 and 1.63 at the maximum of the nearest centroid's curve; other learners exceed 1.63
MARGIN = 1.2  # true factors of 2.3 were seen (Lasso; ridge with more features than samples) where the bound is 2.25

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def training_stretch(table: PredictionTable, a: str, b: str | None = None) -> float:
    """Return by which factor the training sample lengthens a standard error; 1 for models as fitted.

    Args:
        table: the predictions.
        a: a contender.
        b: another one, for the standard error of their difference.
    """
    if table.target == "fixed_models":
        return 1.0
    folds = _folds(table, a)
    if folds is None:
        # The repeats do not cover the same samples: only the sizes of the folds are known.
        over = [_over_train(lines.fold, table) for lines in table.of(a)]
        # A repeat that tests every sample does not say how many trained its models.
        return math.sqrt(1 + MARGIN * float(np.mean([ratio for ratio in over if math.isfinite(ratio)])))
    sizes = np.array([_sizes(f) for f in folds])
    k, over_train = float(sizes[:, 0].mean()), float(sizes[:, 1].mean())
    most = MARGIN * over_train
    if len({_partition(f) for f in folds}) < 2:
        return math.sqrt(1 + most)
    shares = []
    for which in (1,) if table.binary else range(len(table.classes)):
        label = (table.of(a)[0].label == which).astype(np.int64)
        scores = normal_scores(_scores(table, a, which), label)
        if b is not None:
            scores = scores - normal_scores(_scores(table, b, which), label)
        shares.append(share_of_training(scores, label, folds))
    return math.sqrt(1 + min(SLOPE * k * max(shares), most))  # the class that training moves most


def normal_scores(score: Floats, label: Ints) -> Floats:
    """Return normal scores (van der Waerden) of the ranks in each repeat, less their mean in each class.

    Args:
        score: (R, n) scores. label: (n,) 0 or 1.

    Returns:
        (R, n).
    """
    from scipy import special, stats

    z = np.asarray(special.ndtri((stats.rankdata(score, axis=1) - 0.5) / score.shape[1]), dtype=np.float64)
    for c in (0, 1):
        if (label == c).any():
            z[:, label == c] -= z[:, label == c].mean(axis=1, keepdims=True)
    return z


def share_of_training(normal: Floats, label: Ints, fold: Ints) -> float:
    """Return u: the part of the samples' influence on the separation of two classes that changes between repeats.

    A sample's influence is its normal score over the size of its class. Each fold of each repeat is centred first,
    so that a drift of the scale between folds is not taken for an effect of training. Without drift, centring on
    a fold of m samples leaves 1 - 1/m of the mean square, and 1 - 2/m + (1/m + (1 - 1/m)/K)/m of the part that
    repeats share (two repeats have the sample itself, and each companion with probability 1/K, in common); both are
    undone. Samples are the units here, not groups: where groups hold both classes, the influences of a group cancel,
    and with them what training does to it.

    Args:
        normal: (R, n) normal scores of one contender, or of one minus the other; R at least 2.
        label: (n,) 0 or 1, both present.
        fold: (R, n) fold numbers.

    Returns:
        a share from 0 to 1; 1 where nothing varies.
    """
    weights = np.where(label == 1, 1 / (label == 1).sum() ** 2, 1 / (label == 0).sum() ** 2)
    centred, inverse_m, k = np.empty_like(normal), 0.0, 0.0
    for repeat, (z, f) in enumerate(zip(normal, fold, strict=True)):
        _, f = np.unique(f, return_inverse=True)
        size = np.bincount(f)
        inverse_m += len(size) / len(z) / len(normal)  # the mean over samples of 1/m
        k += len(size) / len(normal)
        centred[repeat] = z - (np.bincount(f, z) / size)[f]
    total = float((centred**2).mean(axis=0) @ weights)
    if not total > 0:
        return 1.0
    shared = total - float(centred.var(axis=0, ddof=1) @ weights)
    shared /= 1 - 2 * inverse_m + inverse_m * (inverse_m + (1 - inverse_m) / k)
    return float(np.clip(1 - shared / (total / (1 - inverse_m)), 0.0, 1.0))


def _scores(table: PredictionTable, contender: str, which: int) -> Floats:
    return np.stack([lines.prob[:, which] for lines in table.of(contender)])


def _folds(table: PredictionTable, contender: str) -> Ints | None:
    """Return (R, n) fold numbers, or None where the repeats do not hold the same samples."""
    repeats = table.of(contender)
    if any(not np.array_equal(lines.sample, repeats[0].sample) for lines in repeats):
        return None
    if len(np.unique(repeats[0].label)) < 2:
        return None
    return np.stack([lines.fold for lines in repeats])


def _sizes(fold: Ints) -> tuple[float, float]:
    """Return n / n_test and n / n_train of one repeat; folds count by the samples they test."""
    tests = np.unique(fold, return_counts=True)[1].astype(np.float64)
    n, weight = len(fold), tests / tests.sum()
    return float(n / (weight @ tests)), float(n / (weight @ (n - tests)))


def _over_train(fold: Ints, table: PredictionTable) -> float:
    """Return n / n_train of one repeat; of repeated hold-out n is what any repeat tests, at most what there was."""
    if len(np.unique(fold)) > 1:
        return _sizes(fold)[1]
    return table.n_samples / (table.n_samples - len(fold)) if len(fold) < table.n_samples else math.inf


def _partition(fold: Ints) -> bytes:
    """Return the split of the samples, whatever the folds' numbers: each sample's first companion."""
    _, first, inverse = np.unique(fold, return_index=True, return_inverse=True)
    return bytes(first[inverse].tobytes())
