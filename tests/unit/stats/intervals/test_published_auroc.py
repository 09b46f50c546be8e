"""Newcombe's method 5 against its definition, a root finder, and simulated studies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from headtohead.stats.hypothesis.power import hanley_mcneil_error
from headtohead.stats.intervals.published_auroc import auroc_difference_interval, auroc_interval


def by_root(area: float, m: int, n: int, level: float) -> tuple[float, float]:
    """Solve Newcombe's equation with scipy: |area - truth| is z times the error at the truth."""
    z, both = stats.norm.ppf((1 + level) / 2), (m + n) / 2 - 1

    def gap(truth: float) -> float:
        variance = (
            truth
            * (1 - truth)
            / (m * n)
            * (1 + both * (1 - truth) / (2 - truth) + both * truth / (1 + truth))
        )
        return (area - truth) ** 2 - z * z * variance

    low = optimize.brentq(gap, 0, area - 1e-12) if area > 0 else 0.0
    high = optimize.brentq(gap, area + 1e-12, 1) if area < 1 else 1.0
    return float(low), float(high)


@pytest.mark.parametrize(
    ("area", "m", "n"), [(0.95, 20, 80), (0.5, 10, 10), (0.8932, 58, 51), (0.7, 300, 30)]
)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_ends_solve_newcombes_equation(area: float, m: int, n: int, level: float) -> None:
    assert auroc_interval(area, m, n, level) == pytest.approx(by_root(area, m, n, level), abs=1e-9)


def test_with_equal_counts_the_error_is_hanley_and_mcneils() -> None:
    """At m = n the change of Newcombe disappears, so that far from the ends the interval is area -+ z error."""
    low, high = auroc_interval(0.9, 5000, 5000)
    error = hanley_mcneil_error(0.9, 5000, 5000)
    assert (high - low) / 2 == pytest.approx(1.959964 * error, rel=2e-3)


def test_the_ends_stay_inside_and_say_something_of_a_perfect_area() -> None:
    low, high = auroc_interval(1.0, 20, 80)
    assert high == 1.0
    assert 0.9 < low < 0.99
    assert auroc_interval(0.0, 20, 80) == pytest.approx((1 - high, 1 - low))


def test_two_areas_add_their_spreads_in_squares() -> None:
    (l1, u1), (l2, u2) = auroc_interval(0.95, 20, 80), auroc_interval(0.90, 30, 70)
    expected = (0.05 - math.hypot(0.95 - l1, u2 - 0.90), 0.05 + math.hypot(u1 - 0.95, 0.90 - l2))
    assert auroc_difference_interval((0.95, 20, 80), (0.90, 30, 70)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("area", "m", "n", "ratio"), [(0.95, 20, 80, 1.0), (0.8, 30, 30, 1.0), (0.9, 25, 75, 1.5)]
)
def test_the_interval_covers_the_true_area(area: float, m: int, n: int, ratio: float) -> None:
    """Normal scores, also of unequal spread, although the error supposes exponential ones."""
    rng = np.random.default_rng(5)
    shift = stats.norm.ppf(area) * math.hypot(1, ratio)
    positive, negative = shift + ratio * rng.normal(size=(1000, m)), rng.normal(size=(1000, n))
    ranks = stats.rankdata(np.concatenate([positive, negative], axis=1), axis=1)[:, :m].sum(axis=1)
    ends = [auroc_interval(float(found), m, n) for found in (ranks - m * (m + 1) / 2) / (m * n)]
    cover = np.mean([low <= area <= high for low, high in ends])
    assert 0.93 <= cover <= 0.99
