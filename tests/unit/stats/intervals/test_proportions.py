"""Wilson, Fisher and McNemar for counts against scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from headtohead.stats.intervals.proportions import fisher_exact, mcnemar_exact, wilson_interval


@pytest.mark.parametrize(("b", "c"), [(0, 0), (3, 3), (1, 7), (12, 5), (0, 9)])
def test_mcnemar_exact_is_a_binomial_test(b: int, c: int) -> None:
    p, mid = mcnemar_exact(b, c)
    assert p == pytest.approx(stats.binomtest(b, b + c).pvalue if b + c else 1.0)
    assert mid <= p
    assert mcnemar_exact(c, b) == pytest.approx((p, mid))


@pytest.mark.parametrize(
    ("a", "n", "b", "m"), [(35, 36, 43, 50), (0, 5, 5, 5), (7, 12, 7, 12), (1, 40, 9, 41)]
)
def test_fisher_is_scipys(a: int, n: int, b: int, m: int) -> None:
    assert fisher_exact(a, n, b, m)[0] == pytest.approx(
        stats.fisher_exact(np.array([[a, n - a], [b, m - b]])).pvalue
    )


MANY = settings(max_examples=60, deadline=None)


@MANY
@given(st.integers(1, 200), st.data())
def test_more_right_answers_raise_both_ends_of_a_share(total: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, total - 1))
    low, high = wilson_interval(right, total)
    better = wilson_interval(right + 1, total)
    assert 0 <= low <= right / total <= high <= 1
    assert better[0] > low and better[1] > high - 1e-12
    wider = wilson_interval(right, total, 0.99)
    assert wider[0] <= low and wider[1] >= high
    longer = wilson_interval(10 * right, 10 * total)
    assert longer[1] - longer[0] < high - low


@MANY
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_symmetric_and_falls_with_the_imbalance(b: int, c: int) -> None:
    exact, mid = mcnemar_exact(b, c)
    assert mcnemar_exact(c, b) == pytest.approx((exact, mid))
    assert 0 < mid <= exact <= 1
    few, more = sorted((b, c))
    if few:
        assert mcnemar_exact(few - 1, more + 1)[0] <= exact + 1e-12


@pytest.mark.parametrize(("right", "total"), [(0, 9), (9, 9), (90, 100), (35, 36), (1, 200)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_wilson_is_statsmodels(right: int, total: int, level: float) -> None:
    expected = proportion_confint(right, total, alpha=1 - level, method="wilson")
    assert wilson_interval(right, total, level) == pytest.approx(expected, abs=1e-12)


def test_wilson_takes_another_quantile() -> None:
    assert wilson_interval(9, 20, 0.95, z=2.5) == pytest.approx(
        proportion_confint(9, 20, alpha=2 * stats.norm.sf(2.5), method="wilson"), abs=1e-12
    )
