"""Tests over folds, which share training samples: Nadeau and Bengio's t and the Bayesian one with a ROPE."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from headtohead.core.formatting import pluralize
from headtohead.core.records import TestResult
from headtohead.stats.metrics.fold_values import FoldValue
from headtohead.stats.predictions import PredictionTable

__all__ = [
    "FoldDifferences",
    "corrected_t",
    "correlated_bayes",
    "fold_differences",
    "fold_tests",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoldDifferences:
    """Differences of a metric in each fold of each repeat, and the mean test-to-train ratio."""

    values: Floats
    test_to_train: float
    skipped: int


def fold_differences(
    table: PredictionTable, a: Sequence[FoldValue], b: Sequence[FoldValue]
) -> FoldDifferences:
    """Return the differences of two contenders' `fold_values`, leaving out folds where one is not defined."""
    raw = np.array([of_a.value - of_b.value for of_a, of_b in zip(a, b, strict=True)])
    known = ~np.isnan(raw)
    ratios = [n_test / (table.n_samples - n_test) for *_, n_test in a if n_test < table.n_samples]
    ratio = float(np.mean(ratios)) if ratios else math.nan
    return FoldDifferences(raw[known], ratio, int((~known).sum()))


def corrected_t(differences: Floats, test_to_train: float) -> tuple[float, float] | None:
    """Return (t, two-sided p) of the corrected resampled t-test (Nadeau and Bengio 2003, Mach Learn 52:239).

    t = mean / sqrt((1/J + n_test/n_train) s^2) on J - 1 degrees of freedom, where s^2 is the variance of
    the J differences; the plain t-test, without the second term, calls far too many differences.
    None with fewer than two folds or no variance.

    >>> t, p = corrected_t(np.array([0.02, 0.01, 0.03, 0.0, 0.04]), 0.25)
    >>> round(t, 4), round(p, 4)
    (1.8856, 0.1324)
    """
    if len(differences) < 2 or math.isnan(test_to_train):
        return None
    spread = float(differences.var(ddof=1))
    if spread < 1e-24:
        return None
    t = float(differences.mean()) / math.sqrt((1 / len(differences) + test_to_train) * spread)
    return t, float(2 * stats.t.sf(abs(t), len(differences) - 1))


def correlated_bayes(differences: Floats, test_to_train: float, rope: float) -> Mapping[str, float] | None:
    """Return the posterior probabilities that a is better, equivalent within `rope`, or worse.

    The Bayesian correlated t-test (Corani and Benavoli 2015, Mach Learn 100:285; Benavoli et al. 2017,
    JMLR 18:77): the mean difference follows a t with J - 1 degrees of freedom, the observed mean, and
    scale sqrt((1/J + rho/(1 - rho)) s^2), where rho/(1 - rho) is the test-to-train ratio.

    >>> found = correlated_bayes(np.array([0.02, 0.01, 0.03, 0.0, 0.04]), 0.25, 0.01)
    >>> {name: round(p, 3) for name, p in found.items()}
    {'a_better': 0.8, 'equivalent': 0.176, 'b_better': 0.024}
    """
    if len(differences) < 2 or math.isnan(test_to_train):
        return None
    scale = math.sqrt((1 / len(differences) + test_to_train) * float(differences.var(ddof=1)))
    if scale < 1e-12:
        return None
    mean, degrees = float(differences.mean()), len(differences) - 1
    worse = float(stats.t.cdf((-rope - mean) / scale, degrees))
    better = float(stats.t.sf((rope - mean) / scale, degrees))
    return {"a_better": better, "equivalent": max(0.0, 1 - worse - better), "b_better": worse}


def fold_tests(differences: FoldDifferences, rope: float | None, sign: int) -> dict[str, TestResult]:
    """Return both tests by name; `sign` is -1 where a lower metric is better."""
    skipped = (
        f"; {pluralize(differences.skipped, 'fold')} without a defined value left out"
        if differences.skipped
        else ""
    )
    tests = {}
    student = corrected_t(differences.values, differences.test_to_train)
    if student is None:
        why = "needs at least two folds whose differences vary"
        return {name: TestResult(statistic=None, note=why) for name in ("nadeau_bengio", "bayes_rope")}
    note = f"t over {len(differences.values)} folds, corrected for shared training samples{skipped}"
    tests["nadeau_bengio"] = TestResult(statistic=student[0], p_value=student[1], note=note)
    belief = correlated_bayes(sign * differences.values, differences.test_to_train, rope or 0.0)
    if belief is not None:
        words = f"P(a better) {belief['a_better']:.3f}, P(b better) {belief['b_better']:.3f}"
        middle = f"P(within ±{rope:g}) {belief['equivalent']:.3f}, " if rope else "no ROPE asked for, "
        tests["bayes_rope"] = TestResult(statistic=belief["a_better"], note=f"{middle}{words}{skipped}")
    return tests
