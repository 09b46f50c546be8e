"""Weighted statistics for many resamples at once: weights, never copies.

All kernels take `weights` (n_groups, n_replicates): how often each group counts in each replicate.
Column by column the result equals the plain statistic on the data in which every sample is repeated
as often as its group's weight says. Rows are gathered, columns are contiguous, so that each step is
one pass over memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["curve_metrics", "group_sums", "ratio", "weighted_auroc"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CELLS_PER_CHUNK = 1_000_000


def group_sums(values: Floats, group: Ints, n_groups: int) -> Floats:
    """Return (n_groups, q): the sum of the rows of `values` (n, q) in each group (n,).

    >>> group_sums(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0]), 2).tolist()
    [[5.0], [2.0]]
    """
    columns = values.reshape(len(values), -1)
    sums = [np.bincount(group, weights=column, minlength=n_groups) for column in columns.T]
    return np.stack(sums, axis=1)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return numerator / denominator, NaN where the denominator is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator == 0, np.nan, numerator / denominator)


def weighted_auroc(score: Floats, positive: npt.NDArray[np.bool_], group: Ints, weights: Floats) -> Floats:
    """Return the AUROC of each replicate, (n_replicates,); NaN where a class has no weight.

    AUROC is the probability that a positive scores above a negative, ties counting one half
    (Bamber 1975, J Math Psychol 12:387; Hanley and McNeil 1982, Radiology 143:29).

    Args:
        score: (n,) higher means more positive.
        positive: (n,) whether the sample is positive.
        group: (n,) row of `weights` that the sample belongs to.
        weights: (n_groups, n_replicates), not negative.

    >>> weighted_auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]),
    ...                np.arange(4), np.ones((4, 1))).tolist()
    [0.75]
    """
    parts = [
        _auroc(score, positive, group, weights[:, chunk]) for chunk in _chunks(len(score), weights.shape[1])
    ]
    return np.concatenate(parts)


def _chunks(n_rows: int, n_columns: int) -> list[slice]:
    step = max(1, _CELLS_PER_CHUNK // max(1, n_rows))
    return [slice(start, min(start + step, n_columns)) for start in range(0, n_columns, step)]


def _running(weights: Floats, rows: Ints) -> Floats:
    """Return (len(rows) + 1, B) cumulative weights, the first row zero."""
    total = np.empty((len(rows) + 1, weights.shape[1]))
    total[0] = 0.0
    np.take(weights, rows, axis=0, out=total[1:], mode="clip")
    np.cumsum(total, axis=0, out=total)
    return total


def _auroc(score: Floats, positive: npt.NDArray[np.bool_], group: Ints, weights: Floats) -> Floats:
    negatives = np.flatnonzero(~positive)
    negatives = negatives[np.argsort(score[negatives], kind="stable")]
    below = _running(weights, group[negatives])
    levels, which = np.unique(score[positive], return_inverse=True)
    at_level = _sums_by_level(weights[group[positive]], which, len(levels))
    low = np.searchsorted(score[negatives], levels, side="left")
    high = np.searchsorted(score[negatives], levels, side="right")
    beaten = below[low] if (low == high).all() else 0.5 * (below[low] + below[high])
    wins = np.einsum("ij,ij->j", at_level, beaten)
    return ratio(wins, at_level.sum(axis=0) * below[-1])


def _sums_by_level(rows: Floats, level: Ints, n_levels: int) -> Floats:
    """Return (n_levels, B): sums of `features` (n, B) that share a level."""
    order = np.argsort(level, kind="stable")
    if n_levels == len(level) or not len(level):
        return rows[order]
    starts = np.searchsorted(level[order], np.arange(n_levels))
    return np.asarray(np.add.reduceat(rows[order], starts, axis=0))


def curve_metrics(
    score: Floats, positive: npt.NDArray[np.bool_], group: Ints, weights: Floats, names: frozenset[str]
) -> dict[str, Floats]:
    """Return the metrics that need the whole ROC or precision-recall curve, each (n_replicates,).

    Known names: average_precision (step-wise area, no interpolation: Davis and Goadrich 2006, ICML),
    partial_auroc (false positive rate 0 to 0.1, standardised so that chance is 0.5 and perfect 1:
    McClish 1989, Med Decis Making 9:190), sensitivity_at_specificity_90 and
    specificity_at_sensitivity_90 (best point of the empirical curve that keeps the other at 0.9).

    Args:
        score, positive, group, weights: as in `weighted_auroc`.
        names: what to compute; others are left out.
    """
    parts = [
        _curves(score, positive, group, weights[:, chunk], names)
        for chunk in _chunks(len(score), weights.shape[1])
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _curves(
    score: Floats, positive: npt.NDArray[np.bool_], group: Ints, weights: Floats, names: frozenset[str]
) -> dict[str, Floats]:
    order = np.argsort(-score, kind="stable")
    hit, sorted_score = positive[order], score[order]
    last = np.append(np.flatnonzero(np.diff(sorted_score) != 0), len(score) - 1)
    if names == {"average_precision"}:
        last = _levels_with_positives(hit, last)
    true = _running(weights, group[order][hit])[np.append(0, np.cumsum(hit)[last])]
    false = _running(weights, group[order][~hit])[np.append(0, np.cumsum(~hit)[last])]
    n_pos, n_neg = weights[group[positive]].sum(axis=0), weights[group[~positive]].sum(axis=0)
    result: dict[str, Floats] = {}
    if "average_precision" in names:
        precision = ratio(true[1:], true[1:] + false[1:])
        steps = np.diff(true, axis=0)
        result["average_precision"] = ratio(np.nansum(steps * precision, axis=0), n_pos)
    if names - {"average_precision"}:
        result |= _roc_metrics(ratio(true, n_pos), ratio(false, n_neg), names)
    return result


def _levels_with_positives(hit: npt.NDArray[np.bool_], last: Ints) -> Ints:
    gained = np.diff(np.append(0, np.cumsum(hit)[last]))
    return last[gained > 0]


def _roc_metrics(tpr: Floats, fpr: Floats, names: frozenset[str]) -> dict[str, Floats]:
    undefined = np.isnan(tpr[-1]) | np.isnan(fpr[-1])
    result: dict[str, Floats] = {}
    if "partial_auroc" in names:
        result["partial_auroc"] = _partial(tpr, fpr, 0.1)
    if "sensitivity_at_specificity_90" in names:
        result["sensitivity_at_specificity_90"] = np.where(fpr <= 0.1 + 1e-12, tpr, 0.0).max(axis=0)
    if "specificity_at_sensitivity_90" in names:
        result["specificity_at_sensitivity_90"] = 1 - np.where(tpr >= 0.9 - 1e-12, fpr, 1.0).min(axis=0)
    return {name: np.where(undefined, np.nan, values) for name, values in result.items()}


def _partial(tpr: Floats, fpr: Floats, limit: float) -> Floats:
    """Return the McClish-standardised area for false positive rates in [0, limit]."""
    x0, x1 = fpr[:-1], fpr[1:]
    width = np.minimum(x1, limit) - np.minimum(x0, limit)
    slope = np.where(x1 > x0, (tpr[1:] - tpr[:-1]) / np.where(x1 > x0, x1 - x0, 1.0), 0.0)
    area = (width * (tpr[:-1] + 0.5 * slope * width)).sum(axis=0)
    chance, best = 0.5 * limit**2, limit
    return np.asarray(0.5 * (1 + (area - chance) / (best - chance)))
