"""Digits of other programs for what pROC lacks: groups, folds and the Brier score's parts.

The cases are those of `test_golden_proc`, put into groups that hold both classes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.stats.hypothesis.corrected_ttest import corrected_t, correlated_bayes
from headtohead.stats.hypothesis.mcnemar import clustered_mcnemar
from headtohead.stats.intervals.delong import auroc_components, auroc_test, covariance
from headtohead.stats.intervals.proportions import newcombe, wilson_interval
from headtohead.stats.intervals.resampling import concordance_bound
from headtohead.stats.metrics.probabilistic import brier_parts
from headtohead.stats.predictions import ContenderPredictions

_I = np.arange(60)
LABEL = ((7 * _I + 3) % 5 < 2).astype(np.int64)
_SHARED = (_I * _I + 3 * _I) % 17
A = (9 * LABEL + _SHARED + (13 * _I) % 7) / 40
B = (4 * LABEL + _SHARED + (29 * _I) % 11) / 40


def lines_of(score: npt.NDArray[np.float64], group: npt.NDArray[np.int64]) -> ContenderPredictions:
    return ContenderPredictions(
        _I, group, LABEL, np.zeros(60, dtype=np.int64), np.stack([1 - score, score], axis=1)
    )


@pytest.mark.parametrize(
    ("group", "first", "second", "both", "difference", "p"),
    [
        (_I // 4, 0.00249552815516, 0.00464944542330, 0.00271004226987, 0.00172488903873, 0.00163783619983),
        (_I // 7, 0.00198364955517, 0.00422578976478, 0.00212462416075, 0.00196019099846, 0.00313649336279),
        (
            np.unique(_I * _I % 13, return_inverse=True)[1],
            0.00467523673897,
            0.02025497150465,
            0.00961833345886,
            0.00569354132590,
            0.08304255550676,
        ),
    ],
)
def test_clustered_auroc_is_obuchowskis_own_program(
    group: npt.NDArray[np.int64], first: float, second: float, both: float, difference: float, p: float
) -> None:
    """The R function `doAUCcluster` of iMRMCcluster (R 4.2.2), adapted there from Obuchowski's `clusteredROC`."""
    n = len(np.unique(group))
    a, b = (auroc_components([lines_of(score, group)], n, by_group=True) for score in (A, B))
    found = (covariance(a, a), covariance(b, b), covariance(a, b))
    assert found == pytest.approx((first, second, both), rel=1e-11)
    test = auroc_test(a, b)
    assert test is not None
    assert test[2] ** 2 == pytest.approx(difference, rel=1e-11)
    assert test[1] == pytest.approx(p, rel=1e-10)


def test_clustered_mcnemar_is_obuchowskis_without_the_factor_of_few_groups() -> None:
    """R: (K - 1)/K * sum(b - c)^2 / sum((b - c)^2) = 2.25 on 12 groups (Obuchowski 1998; `clust.bin.pair` 0.1.2)."""
    only_a = np.array([2.0, 0, 1, 3, 0, 1, 0, 2, 1, 0, 4, 1])
    only_b = np.array([0.0, 1, 0, 1, 0, 2, 0, 0, 0, 1, 0, 1])
    found = clustered_mcnemar(only_a - only_b)
    assert found is not None
    assert found[0] * 11 / 12 == pytest.approx(2.25, rel=1e-12)
    pooled = (only_a.sum() - only_b.sum()) ** 2 / (only_a.sum() + only_b.sum())
    assert abs(pooled - found[0]) > 1  # planted: images as units


def test_corrected_t_and_its_posterior_are_baycomps() -> None:
    """baycomp 1.0.3: two_on_single(x, 0, rope=0.01, runs=2) on ten differences of twice five folds."""
    x = np.array([0.021, -0.004, 0.035, 0.012, 0.0, 0.028, 0.017, -0.009, 0.031, 0.006])
    found = correlated_bayes(x, 1 / 4, 0.01)
    assert found is not None
    assert found["a_better"] == pytest.approx(0.6540980083194687, rel=1e-10)
    assert found["equivalent"] == pytest.approx(0.33205342155157924, rel=1e-10)
    assert found["b_better"] == pytest.approx(0.01384857012895202, rel=1e-10)
    test = corrected_t(x, 1 / 4)
    assert test is not None
    assert test[1] == pytest.approx(
        2 * 0.08191744799678535, rel=1e-10
    )  # without a region, twice its smaller tail


def test_the_brier_scores_parts_are_those_of_rs_verification() -> None:
    """brier(obs, pred, bins = FALSE) of R's `verification`: each probability is its own bin."""
    step = (9 * LABEL + _SHARED + (13 * _I) % 7) // 4 + 1
    parts = brier_parts(step / 10, LABEL.astype(float), step.astype(np.int64))
    expected = (0.1626666666667, 0.0210466853408, 0.0983800186741, 0.24)
    assert [
        getattr(parts, k) for k in ("brier", "reliability", "resolution", "uncertainty")
    ] == pytest.approx(expected, rel=1e-11)
    assert parts.within_bin == pytest.approx(0, abs=1e-15)
    skill = (parts.resolution - parts.reliability) / parts.uncertainty
    assert skill == pytest.approx(0.3222222222222, rel=1e-11)


def test_intervals_of_shares_are_rs_and_statsmodels() -> None:
    """R: prop.test(35, 36, correct = FALSE), binom.test(30, 30); statsmodels: proportion_confint, Newcombe."""
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    assert wilson_interval(35, 36) == pytest.approx((0.858302813467, 0.995079592860), rel=1e-11)
    assert wilson_interval(43, 50) == pytest.approx(proportion_confint(43, 50, method="wilson"), rel=1e-12)
    theirs = confint_proportions_2indep(35, 36, 43, 50, method="newcomb", compare="diff")
    assert newcombe(35, 36, 43, 50) == pytest.approx(theirs, rel=1e-10)
    assert concordance_bound(30, 0.95) == pytest.approx(0.884296691778, rel=1e-11)
