"""Intervals from a standard error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from headtohead.stats.hypothesis.power import influence
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.intervals.score_interval import (
    jackknife_variance,
    score_interval,
    transformed_interval,
)


def test_the_score_interval_is_wilsons_for_a_share() -> None:
    from statsmodels.stats.proportion import proportion_confint

    p, n = 0.85, 120
    ends = score_interval(p, (p * (1 - p) / n) ** 0.5, 1e12, 0.95, 0.0, 1.0)
    assert ends == pytest.approx(proportion_confint(p * n, n, method="wilson"), abs=1e-9)
    moved = score_interval(2 * p - 1, 2 * (p * (1 - p) / n) ** 0.5, 1e12, 0.95, -1.0, 1.0)
    assert moved == pytest.approx([2 * end - 1 for end in ends])
    few = score_interval(p, 0.03, 4, 0.95, 0.0, 1.0)
    assert few[1] - few[0] > stats.t.ppf(0.975, 4) / stats.norm.ppf(0.975) * 0.9 * 2 * 1.96 * 0.03


def test_the_variance_of_a_mean_is_that_of_its_groups_and_not_of_its_images() -> None:
    """Five equal images in each group: the spread of 40 groups, over 39."""
    x = np.random.default_rng(0).normal(size=40)
    made = make_resamples(40, 3000, 0)
    values = (made.weights.T @ x) / made.weights.sum(axis=0)
    honest = x.var(ddof=1) / 40
    assert jackknife_variance(made.jackknife(values)) == pytest.approx(honest, rel=1e-9)
    assert made.bootstrap(values).var() == pytest.approx(honest * 39 / 40, rel=0.1)
    as_images = np.repeat(x, 5).var(ddof=1) / 200
    assert as_images < 0.25 * honest
    assert influence(made.jackknife(values)) == pytest.approx(x - x.mean())


@pytest.mark.parametrize(("value", "low", "high"), [(0.9, 0.0, 1.0), (0.2, -1.0, 1.0), (1.4, 0.0, 2.0)])
def test_between_two_ends_the_interval_is_symmetric_in_the_logit(
    value: float, low: float, high: float
) -> None:
    error, degrees = 0.04, 17.0
    ends = transformed_interval(value, error, degrees, 0.9, low, high)

    def logit(x: float) -> float:
        return math.log((x - low) / (high - x))

    slope = 1 / (value - low) + 1 / (high - value)  # of the logit at the value
    half = stats.t.ppf(0.95, degrees) * error * slope
    assert [logit(end) for end in ends] == pytest.approx([logit(value) - half, logit(value) + half])
    assert low < ends[0] < value < ends[1] < high


def test_above_a_low_end_alone_the_interval_is_symmetric_in_the_logarithm() -> None:
    ends = transformed_interval(0.5, 0.1, 9.0, 0.95, 0.2, math.inf)
    half = stats.t.ppf(0.975, 9) * 0.1 / 0.3
    assert [math.log(end - 0.2) for end in ends] == pytest.approx(
        [math.log(0.3) - half, math.log(0.3) + half]
    )
    huge = transformed_interval(1e-3, 10.0, 2.0, 1 - 1e-12, 0.0, math.inf)
    assert huge[0] >= 0 and math.isfinite(huge[1])  # the exponent stays below what a double holds


def test_without_ends_the_interval_is_symmetric_in_the_value() -> None:
    ends = transformed_interval(-0.3, 0.1, 9.0, 0.95, -math.inf, math.inf)
    half = stats.t.ppf(0.975, 9) * 0.1
    assert ends == pytest.approx((-0.3 - half, -0.3 + half))


def test_a_jackknife_of_fewer_than_two_defined_values_has_no_variance() -> None:
    assert math.isnan(jackknife_variance(np.array([0.5, np.nan])))
    assert jackknife_variance(np.array([0.4, np.nan, 0.6])) == pytest.approx(0.5 * 2 * 0.01)
