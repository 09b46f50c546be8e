"""The digits that R's pROC prints, on 60 cases with ties that both languages draw from one integer formula.

R 4.2.2, pROC 1.18.0:

    library(pROC); options(digits = 12)
    i <- 0:59
    y <- as.integer((7 * i + 3) %% 5 < 2)
    shared <- (i * i + 3 * i) %% 17
    a <- (9 * y + shared + (13 * i) %% 7) / 40
    b <- (4 * y + shared + (29 * i) %% 11) / 40
    ra <- roc(y, a, levels = c(0, 1), direction = "<")    # rb alike
    ci.auc(ra, method = "delong"); var(ra, method = "delong"); cov(ra, rb, method = "delong")
    roc.test(ra, rb, method = "delong", paired = TRUE)
    auc(ra, partial.auc = c(1, 0.9), partial.auc.correct = TRUE)
    all <- coords(ra, "all", ret = c("specificity", "sensitivity"))
    max(all$sensitivity[all$specificity >= 0.9]); max(all$specificity[all$sensitivity >= 0.9])
    coords(ra, 0.4999, input = "threshold", ret = c("sensitivity", "specificity", "ppv", "npv", "accuracy"))
    coords(ra, "best", best.method = "youden", ret = c("threshold", "sensitivity", "specificity"))
    coords(ra, "best", best.method = "youden", best.weights = c(5, mean(y)), ret = "threshold")

pROC's own `coords(ra, 0.9, input = "specificity")` goes along the line between two points of the curve
(0.525 for a); no threshold has that sensitivity, so the product reports the best point that exists (0.5).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from headtohead.stats.decision.operating_points import RULES, choose_threshold
from headtohead.stats.inner_predictions import InnerCell
from headtohead.stats.intervals.delong import (
    StructuralComponents,
    auroc_components,
    auroc_test,
    covariance,
    logit_interval,
)
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions

_I = np.arange(60)
LABEL = ((7 * _I + 3) % 5 < 2).astype(np.int64)
_SHARED = (_I * _I + 3 * _I) % 17
SCORES = {"a": (9 * LABEL + _SHARED + (13 * _I) % 7) / 40, "b": (4 * LABEL + _SHARED + (29 * _I) % 11) / 40}


def lines_of(name: str) -> ContenderPredictions:
    score = SCORES[name]
    return ContenderPredictions(
        _I, _I, LABEL, np.zeros(60, dtype=np.int64), np.stack([1 - score, score], axis=1)
    )


def components_of(name: str) -> StructuralComponents:
    return auroc_components([lines_of(name)], 60, by_group=False)


@pytest.mark.parametrize(
    ("name", "area", "variance", "low", "high"),
    [
        ("a", 0.877314814815, 0.00179653086633, 0.794240755427, 0.960388874202),
        ("b", 0.746527777778, 0.00437477434949, 0.616891689001, 0.876163866555),
    ],
)
def test_area_and_delongs_interval_are_procs(
    name: str, area: float, variance: float, low: float, high: float
) -> None:
    components = components_of(name)
    found = covariance(components, components)
    assert (components.value, found) == pytest.approx((area, variance), rel=1e-11)
    half = NormalDist().inv_cdf(0.975) * np.sqrt(found)
    assert (components.value - half, components.value + half) == pytest.approx((low, high), rel=1e-11)


def test_the_logit_interval_is_procs_variance_by_the_delta_method() -> None:
    """R: plogis(qlogis(auc(ra)) + c(-1, 1) * qnorm(0.975) * sqrt(var(ra)) / (auc(ra) * (1 - auc(ra))))."""
    found = logit_interval(0.877314814815, 0.00179653086633, 0.95)
    assert found == pytest.approx((0.7677092140981, 0.9392929470545), rel=1e-10)


def test_the_paired_test_is_procs() -> None:
    a, b = components_of("a"), components_of("b")
    assert covariance(a, b) == pytest.approx(0.00201630714350, rel=1e-11)
    found = auroc_test(a, b)
    assert found is not None
    z, p, error = found
    assert (z, p) == pytest.approx((2.82807346726701, 0.00468290583416), rel=1e-11)
    half = NormalDist().inv_cdf(0.975) * error
    ends = (a.value - b.value - half, a.value - b.value + half)
    assert ends == pytest.approx((0.04014657624129, 0.22142749783278), rel=1e-11)
    unpaired = (a.value - b.value) / np.sqrt(covariance(a, a) + covariance(b, b))
    assert abs(unpaired - z) > 0.5  # planted: the covariance left out


@pytest.mark.parametrize(
    ("name", "corrected", "sensitivity", "specificity"),
    [
        ("a", 0.680068226121, 0.5, 0.638888888889),
        ("b", 0.5521442495127, 0.291666666667, 0.388888888889),
    ],
)
def test_the_part_of_the_curve_that_matters_is_procs(
    name: str, corrected: float, sensitivity: float, specificity: float
) -> None:
    """McClish's correction; and the best point of the curve that keeps the other rate at 0.9."""
    names = ("partial_auroc", "sensitivity_at_specificity_90", "specificity_at_sensitivity_90")
    found = metric_values([lines_of(name)], np.ones((60, 1)), names, ("no", "yes"))
    assert [found[n][0] for n in names] == pytest.approx([corrected, sensitivity, specificity], rel=1e-10)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", (0.416666666667, 0.944444444444, 0.833333333333, 0.708333333333, 0.733333333333)),
        ("b", (0.166666666667, 0.944444444444, 0.666666666667, 0.629629629630, 0.633333333333)),
    ],
)
def test_rates_at_one_half_are_procs(name: str, expected: tuple[float, ...]) -> None:
    """A score of exactly 0.5 is called positive; pROC is asked just below it."""
    names = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
    found = metric_values([lines_of(name)], np.ones((60, 1)), names, ("no", "yes"))
    assert [found[n][0] for n in names] == pytest.approx(list(expected), rel=1e-10)


@pytest.mark.parametrize(
    ("name", "rule", "threshold"),
    [
        ("a", "youden", 0.3125),
        ("b", "youden", 0.3375),
        ("a", "cost_5_to_1", 0.2125),
        ("b", "cost_5_to_1", 0.2125),
    ],
)
def test_chosen_thresholds_are_procs(name: str, rule: str, threshold: float) -> None:
    """Youden's index, and the same weighted with a miss five times as dear at the share of positives seen."""
    cell = InnerCell(LABEL, _I, lines_of(name).prob)
    chosen = choose_threshold(next(one for one in RULES if one.name == rule), cell)
    assert chosen == pytest.approx(threshold, rel=1e-10)
