"""Permutation test of a paired difference: contenders are exchanged within whole groups.

Written here because scipy.stats.permutation_test exchanges single observations and calls the statistic once per
permutation; here groups are exchanged, and all permutations are one matrix of weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from headtohead.core.records import TestResult
from headtohead.stats.metrics.metric import FoldMean, Metric, WithinFolds
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.metrics.weight_blocks import weight_blocks
from headtohead.stats.predictions import ContenderPredictions

__all__ = ["permutation_test"]

Floats = npt.NDArray[np.float64]

# Keeps this stream apart from the others that are drawn from the same seed.
_STREAM = 31_337
# How many groups are drawn at a time, since numpy draws 64-bit integers.
_ROWS_DRAWN_TOGETHER = 4096
# Differences that differ by rounding alone count as equal.
_ROUNDING = 1e-12


def permutation_test(
    a: Sequence[ContenderPredictions],
    b: Sequence[ContenderPredictions],
    metric: Metric,
    classes: Sequence[str],
    n_groups: int,
    *,
    thresholds: tuple[Sequence[Floats | None], Sequence[Floats | None]] | None = None,
    n_permutations: int = 1000,
    seed: int = 0,
) -> TestResult:
    """Return the two-sided p-value of the difference when contenders are swapped group by group.

    If the two do not differ, which of them made a group's predictions is a coin toss; all lines of a
    group are swapped together, in all repeats. For metrics of rank the probabilities are replaced by
    their ranks within contender and repeat first, so that two scales can be mixed (Venkatraman 2000,
    Biometrics 56:1134; Bandos, Rockette and Gur 2005, Stat Med 24:2873). p counts the data as one
    permutation (Phipson and Smyth 2010). A permutation is a weight of 0 or 1 on the lines of both contenders.

    Args:
        thresholds: per repeat, of a and of b.
        n_permutations: besides the data itself. seed: of the permutations.
    """
    ranked = metric.by_rank
    # Metrics within folds never compare scores of different folds, so their ranks must not mix either.
    ranks = _ranks_within_folds if isinstance(metric.kernel, FoldMean | WithinFolds) else _ranks
    both = [
        _joined(ranks(x) if ranked else x, ranks(y) if ranked else y, n_groups)
        for x, y in zip(a, b, strict=True)
    ]
    cuts = None if thresholds is None else [_cut(x, y) for x, y in zip(*thresholds, strict=True)]
    parts = []
    for block in weight_blocks(_swaps(n_groups, n_permutations, seed)):
        first, second = (
            metric_values(both, np.concatenate(sides), [metric.name], classes, cuts)[metric.name]
            # A swapped group counts by the other's lines.
            for sides in ((1 - block, block), (block, 1 - block))
        )
        parts.append(first - second)
    signed = np.concatenate(parts)
    difference = np.abs(signed)
    if np.isnan(difference[0]):
        return TestResult(statistic=None, note=f"{metric.title} is not defined for both")
    defined = difference[1:][~np.isnan(difference[1:])]
    p = (1 + int((defined >= difference[0] - _ROUNDING).sum())) / (1 + len(defined))
    return TestResult(
        statistic=float(signed[0]),
        p_value=p,
        note=f"{len(defined)} permutations of whole groups",
    )


def _swaps(n_groups: int, n_permutations: int, seed: int) -> npt.NDArray[np.uint8]:
    """Return (n_groups, 1 + n_permutations) whether the contenders of a group are swapped; column 0 is the data."""
    rng = np.random.default_rng([seed, _STREAM])
    swapped = np.empty((n_groups, n_permutations + 1), dtype=np.uint8)
    for start in range(0, n_groups, _ROWS_DRAWN_TOGETHER):
        rows = swapped[start : start + _ROWS_DRAWN_TOGETHER]
        rows[:] = rng.integers(0, 2, size=rows.shape)
    swapped[:, 0] = 0
    return swapped


def _ranks(lines: ContenderPredictions) -> ContenderPredictions:
    n = len(lines.label)
    prob = (stats.rankdata(lines.prob, axis=0) - 0.5) / n  # inside (0, 1), as probabilities are
    return ContenderPredictions(lines.sample, lines.group, lines.label, lines.fold, prob)


def _ranks_within_folds(lines: ContenderPredictions) -> ContenderPredictions:
    prob = np.empty_like(lines.prob)
    for fold in np.unique(lines.fold):
        inside = lines.fold == fold
        prob[inside] = _ranks(lines.take(inside)).prob
    return ContenderPredictions(lines.sample, lines.group, lines.label, lines.fold, prob)


def _joined(a: ContenderPredictions, b: ContenderPredictions, n_groups: int) -> ContenderPredictions:
    """Return the lines of both, those of b in groups of their own."""
    return ContenderPredictions(
        np.concatenate([a.sample, b.sample]),
        np.concatenate([a.group, b.group + n_groups]),
        np.concatenate([a.label, b.label]),
        np.concatenate([a.fold, b.fold]),
        np.concatenate([a.prob, b.prob]),
    )


def _cut(a: Floats | None, b: Floats | None) -> Floats | None:
    return None if a is None or b is None else np.concatenate([a, b])
