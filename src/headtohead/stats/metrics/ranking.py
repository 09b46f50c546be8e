"""Metrics of the order of the scores for many resamples at once: resamples are weights, never copies.

All kernels take `weights` (n_groups, n_replicates): how often each group counts in each replicate.
Column by column the result equals the plain statistic on the data in which every sample is repeated
as often as its group's weight says. Rows are gathered, columns are contiguous, so that each step is
one pass over memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = [
    "PARTIAL_LIMIT",
    "Curve",
    "FromCurve",
    "FromRanks",
    "average_precision",
    "curve_values",
    "group_sums",
    "partial_auroc",
    "ratio",
    "sensitivity_at_specificity_90",
    "specificity_at_sensitivity_90",
    "weighted_auroc",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Eight megabytes per array of float64, so that memory does not grow with the number of resamples.
_CELLS_PER_CHUNK = 1_000_000
PARTIAL_LIMIT = 0.1
"""Where the partial area ends: a specificity of 0.9."""
# Rates are quotients of sums; a rate of exactly 0.9 must not fall short by rounding.
_ROUNDING = 1e-12


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


def weighted_auroc(score: Floats, positive: Bools, group: Ints, weights: Floats) -> Floats:
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
    ranked = _Ranked.of(score, positive, group)
    parts = [_auroc(ranked, weights[:, chunk]) for chunk in _chunks(len(score), weights.shape[1])]
    return np.concatenate(parts)


def _chunks(n_rows: int, n_columns: int) -> list[slice]:
    step = max(1, _CELLS_PER_CHUNK // max(1, n_rows))
    return [slice(start, min(start + step, n_columns)) for start in range(0, n_columns, step)]


def _running(weights: Floats, rows: Ints) -> Floats:
    """Return (len(rows) + 1, B) cumulative weights, the first row zero."""
    total = np.empty((len(rows) + 1, weights.shape[1]))
    total[0] = 0.0
    np.take(weights, rows, axis=0, out=total[1:], mode="clip")  # the default mode would buffer `out`
    np.cumsum(total, axis=0, out=total)
    return total


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Scores sorted once for all replicates.

    Attributes:
        negatives: groups of the negatives by rising score. positives: groups of the positives.
        level: (n_pos,) index of each positive's score among the `n_levels` different ones.
        low, high: (n_levels,) how many negatives lie below a level, and at or below it.
    """

    negatives: Ints
    positives: Ints
    level: Ints
    n_levels: int
    low: Ints
    high: Ints

    @classmethod
    def of(cls, score: Floats, positive: Bools, group: Ints) -> _Ranked:
        negatives = np.flatnonzero(~positive)
        negatives = negatives[np.argsort(score[negatives], kind="stable")]
        levels, which = np.unique(score[positive], return_inverse=True)
        low, high = (np.searchsorted(score[negatives], levels, side=side) for side in ("left", "right"))
        return cls(group[negatives], group[positive], which, len(levels), low, high)


def _auroc(ranked: _Ranked, weights: Floats) -> Floats:
    below = _running(weights, ranked.negatives)
    at_level = _sums_by_level(weights[ranked.positives], ranked.level, ranked.n_levels)
    low, high = ranked.low, ranked.high
    beaten = below[low] if (low == high).all() else 0.5 * (below[low] + below[high])  # ties count one half
    wins = np.einsum("ij,ij->j", at_level, beaten)
    return ratio(wins, at_level.sum(axis=0) * below[-1])


def _sums_by_level(rows: Floats, level: Ints, n_levels: int) -> Floats:
    """Return (n_levels, B): sums of `rows` (n, B) that share a level."""
    order = np.argsort(level, kind="stable")
    if n_levels == len(level) or not len(level):
        return rows[order]
    starts = np.searchsorted(level[order], np.arange(n_levels))
    return np.asarray(np.add.reduceat(rows[order], starts, axis=0))


@dataclass(frozen=True)
class Curve:
    """Weighted counts along the falling scores, from none predicted positive to all.

    Attributes:
        true, false: (n_levels + 1, n_replicates) positives and negatives at or above each level.
        n_pos, n_neg: (n_replicates,) all positives and all negatives.
    """

    true: Floats
    false: Floats
    n_pos: Floats
    n_neg: Floats

    @cached_property
    def sensitivity(self) -> Floats:
        """True positive rate at each level."""
        return ratio(self.true, self.n_pos)

    @cached_property
    def fallout(self) -> Floats:
        """False positive rate at each level."""
        return ratio(self.false, self.n_neg)

    def where_defined(self, values: Floats) -> Floats:
        """Return (n_replicates,) values, NaN in replicates that lack a class."""
        undefined = np.isnan(self.sensitivity[-1]) | np.isnan(self.fallout[-1])
        return np.where(undefined, np.nan, values)


@dataclass(frozen=True, slots=True)
class FromRanks:
    """A metric of the order of the scores: of (score, positive, group, weights) as in `weighted_auroc`."""

    compute: Callable[[Floats, Bools, Ints, Floats], Floats]


@dataclass(frozen=True, slots=True)
class FromCurve:
    """A metric of the whole ROC or precision-recall curve.

    Attributes:
        only_gains: whether it changes at levels with a positive alone, so that the others may be left out.
        fallout_up_to: the false positive rate from which on the curve does not matter.
    """

    compute: Callable[[Curve], Floats]
    only_gains: bool = False
    fallout_up_to: float = 1.0


def curve_values(
    score: Floats, positive: Bools, group: Ints, weights: Floats, kernels: Mapping[str, FromCurve]
) -> dict[str, Floats]:
    """Return metrics of the curve by name, each (n_replicates,); the scores are sorted once for all.

    Args:
        score, positive, group, weights: as in `weighted_auroc`.
        kernels: what to compute, by name.
    """
    levels = _Levels.of(score, positive, group)
    parts = []
    for chunk in _chunks(len(score), weights.shape[1]):
        block, curves, values = weights[:, chunk], {}, {}
        for name, kernel in kernels.items():
            needs = kernel.only_gains, kernel.fallout_up_to
            if needs not in curves:
                curves[needs] = _curve(levels, block, *needs)
            values[name] = kernel.compute(curves[needs])
        parts.append(values)
    return {name: np.concatenate([part[name] for part in parts]) for name in kernels}


@dataclass(frozen=True, slots=True)
class _Levels:
    """Different scores, falling, found once for all replicates.

    Attributes:
        positives, negatives: groups of the samples of each class by falling score.
        n_true, n_false: (n_levels,) how many of each lie at or above a level.
    """

    positives: Ints
    negatives: Ints
    n_true: Ints
    n_false: Ints

    @classmethod
    def of(cls, score: Floats, positive: Bools, group: Ints) -> _Levels:
        order = np.argsort(-score, kind="stable")
        hit, sorted_score = positive[order], score[order]
        last = np.append(np.flatnonzero(np.diff(sorted_score) != 0), len(score) - 1)
        return cls(group[order][hit], group[order][~hit], np.cumsum(hit)[last], np.cumsum(~hit)[last])


def _curve(levels: _Levels, weights: Floats, only_gains: bool, fallout_up_to: float) -> Curve:
    n_pos, n_neg = (
        np.bincount(side, minlength=len(weights)) @ weights for side in (levels.positives, levels.negatives)
    )
    kept = np.flatnonzero(np.diff(levels.n_true, prepend=0)) if only_gains else np.arange(len(levels.n_true))
    n_true, n_false = levels.n_true[kept], levels.n_false[kept]
    if fallout_up_to < 1:
        # Twice the rate in the data is beyond the rate in nearly every replicate; where it is not, take all levels.
        enough = int(np.searchsorted(n_false, 2 * fallout_up_to * len(levels.negatives))) + 1
        false = _running(weights, levels.negatives[: n_false[:enough][-1]])[np.append(0, n_false[:enough])]
        if (false[-1] >= fallout_up_to * n_neg).all():
            n_true = n_true[:enough]
            true = _running(weights, levels.positives[: n_true[-1]])[np.append(0, n_true)]
            return Curve(true, false, n_pos, n_neg)
    true = _running(weights, levels.positives)[np.append(0, n_true)]
    false = _running(weights, levels.negatives)[np.append(0, n_false)]
    return Curve(true, false, n_pos, n_neg)


def average_precision(curve: Curve) -> Floats:
    """Return the step-wise area under the precision-recall curve (Davis and Goadrich 2006, ICML)."""
    precision = ratio(curve.true[1:], curve.true[1:] + curve.false[1:])
    steps = np.diff(curve.true, axis=0)
    return ratio(np.nansum(steps * precision, axis=0), curve.n_pos)  # NaN before any weight: no step


def partial_auroc(curve: Curve) -> Floats:
    """Return the area for false positive rates up to 0.1, standardised so that chance is 0.5 and perfect 1.

    McClish 1989, Med Decis Making 9:190.
    """
    tpr, fpr = curve.sensitivity, curve.fallout
    x0, x1 = fpr[:-1], fpr[1:]
    width = np.minimum(x1, PARTIAL_LIMIT) - np.minimum(x0, PARTIAL_LIMIT)
    slope = np.where(x1 > x0, (tpr[1:] - tpr[:-1]) / np.where(x1 > x0, x1 - x0, 1.0), 0.0)
    area = (width * (tpr[:-1] + 0.5 * slope * width)).sum(axis=0)
    chance, best = 0.5 * PARTIAL_LIMIT**2, PARTIAL_LIMIT  # areas below the diagonal and a perfect curve
    return curve.where_defined(np.asarray(0.5 * (1 + (area - chance) / (best - chance))))


def sensitivity_at_specificity_90(curve: Curve) -> Floats:
    """Return the largest sensitivity on the empirical curve with a specificity of at least 0.9."""
    admissible = curve.fallout <= 0.1 + _ROUNDING
    return curve.where_defined(np.where(admissible, curve.sensitivity, 0.0).max(axis=0))


def specificity_at_sensitivity_90(curve: Curve) -> Floats:
    """Return the largest specificity on the empirical curve with a sensitivity of at least 0.9."""
    admissible = curve.sensitivity >= 0.9 - _ROUNDING
    return curve.where_defined(1 - np.where(admissible, curve.fallout, 1.0).min(axis=0))
