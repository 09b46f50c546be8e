"""McNemar's test on right and wrong: exact, mid-p, and for groups of dependent samples.

statsmodels has the exact test for independent samples only; mid-p and the clustered form are written here.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from headtohead.core.records import TestResult
from headtohead.stats.intervals.proportions import mcnemar_exact
from headtohead.stats.predictions import ContenderPredictions

__all__ = ["clustered_mcnemar", "discordance", "mcnemar_tests"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def discordance(right_a: npt.NDArray[np.bool_], right_b: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return how many samples only a has right, and how many only b."""
    return int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())


def clustered_mcnemar(group_difference: Floats) -> tuple[float, float] | None:
    """Return (chi-squared, p) from each group's difference: samples only a has right less those only b has.

    (sum of differences)^2 / (sum of squared differences), one degree of freedom: the test of Obuchowski 1998 (Stat
    Med 17:1495) as Yang, Sun and Hardin 2010 (Biom J 52:638) write it, less its factor (K - 1)/K for K
    groups, so that groups of one sample give McNemar's own (b - c)^2 / (b + c). None where no group is
    discordant.

    >>> [round(x, 4) for x in clustered_mcnemar(np.array([1.0] * 7 + [-1.0]))]
    [4.5, 0.0339]
    """
    spread = float((group_difference**2).sum())
    if spread == 0:
        return None
    statistic = float(group_difference.sum()) ** 2 / spread
    return statistic, float(stats.chi2.sf(statistic, 1))


def mcnemar_tests(
    a: Sequence[ContenderPredictions],
    b: Sequence[ContenderPredictions],
    predicted_labels: Sequence[tuple[Ints, Ints]],
    n_groups: int,
) -> tuple[dict[str, TestResult], list[dict[str, float]]]:
    """Return the tests by name, and the discordant counts and p-values of each repeat.

    Exact and mid-p tests take samples as independent; of several repeats the one with the median p is
    reported. The clustered form averages each group's difference over repeats and needs neither.

    Args:
        predicted_labels: per repeat, the classes that a and b predict.
    """
    table = []
    group_difference = np.zeros(n_groups)
    for mine, theirs, (first, second) in zip(a, b, predicted_labels, strict=True):
        right_a, right_b = first == mine.label, second == theirs.label
        only_a, only_b = discordance(right_a, right_b)
        exact, mid = mcnemar_exact(only_a, only_b)
        table.append({"only_a": only_a, "only_b": only_b, "p_exact": exact, "p_midp": mid})
        gain = right_a.astype(float) - right_b.astype(float)
        group_difference += np.bincount(mine.group, weights=gain, minlength=n_groups) / len(a)
    return {
        "mcnemar_exact": _median(table, "p_exact"),
        "mcnemar_midp": _median(table, "p_midp"),
        "mcnemar_clustered": _clustered(group_difference),
    }, table


def _median(table: Sequence[dict[str, float]], key: str) -> TestResult:
    # One that occurred, so that its counts can be told.
    median = statistics.median_high(row[key] for row in table)
    row = next(row for row in table if row[key] == median)
    note = f"discordant samples {row['only_a']:.0f} and {row['only_b']:.0f}; samples taken as independent"
    if len(table) > 1:
        note += f"; the median of {len(table)} repeats"
    return TestResult(statistic=min(row["only_a"], row["only_b"]), p_value=median, note=note)


def _clustered(group_difference: Floats) -> TestResult:
    test = clustered_mcnemar(group_difference)
    if test is None:
        return TestResult(statistic=None, note="no group is discordant")
    return TestResult(statistic=test[0], p_value=test[1], note="chi-squared, groups as units")
