"""Power and sample size against formulas and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from headtohead.stats.hypothesis.power import (
    detectable_difference,
    groups_for_difference,
    groups_needed,
    hanley_mcneil_error,
    influence,
    simulated_power,
    smallest_accuracy_difference,
    smallest_auroc_difference,
)


def test_power_by_simulation_agrees_with_the_formula() -> None:
    influences = np.random.default_rng(0).normal(0, 1, 300)
    influences -= influences.mean()
    needed = groups_needed(influences, 0.25, 300)
    expected = ((1.96 + 0.8416) * influences.std(ddof=1) / 0.25) ** 2
    assert needed == pytest.approx(expected, rel=0.2)
    assert needed is not None
    assert simulated_power(influences, 0.25, needed, 0.95, np.random.default_rng(3)) == pytest.approx(
        0.8, abs=0.07
    )
    assert groups_needed(influences, 0.0, 300) is None
    smaller = groups_needed(influences, 0.125, 300)
    assert smaller is not None
    assert smaller == pytest.approx(4 * expected, rel=0.2)


def test_the_groups_needed_grow_with_the_square() -> None:
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert detectable_difference(0.02) == pytest.approx(z * 0.02)


def test_the_range_of_groups_is_that_of_the_variance_and_no_order_moves_it() -> None:
    influences = np.random.default_rng(0).normal(0, 1, 300)
    influences -= influences.mean()
    found = groups_for_difference(influences, 0.25, 300, level=0.95, degrees=40.0)
    assert found is not None
    likeliest = groups_needed(np.sort(influences), 0.25, 300) or 0
    assert found[0] == math.ceil(likeliest * 40 / stats.chi2.ppf(0.9, 40))
    assert found[1] == math.ceil(likeliest * 40 / stats.chi2.ppf(0.1, 40))
    assert groups_for_difference(influences[::-1], 0.25, 300, level=0.95, degrees=40.0) == found
    stricter = groups_for_difference(influences, 0.25, 300, level=1 - 0.05 / 10, degrees=40.0)
    assert stricter is not None
    z = stats.norm.ppf(0.8)
    grows = ((stats.norm.ppf(1 - 0.05 / 20) + z) / (stats.norm.ppf(0.975) + z)) ** 2
    assert stricter[0] / found[0] == pytest.approx(grows, rel=0.15)
    assert groups_for_difference(influences, 1e-4, 300, level=0.95, degrees=40.0) is None


SEEDS = st.integers(0, 10_000)


FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(SEEDS)
def test_power_grows_with_the_groups_and_with_the_difference(seed: int) -> None:
    influences = np.random.default_rng(seed).normal(size=200)
    influences -= influences.mean()

    def power(gap: float, n: int) -> float:
        return simulated_power(influences, gap, n, 0.95, np.random.default_rng(0))

    assert power(0.2, 50) <= power(0.2, 400) + 0.05
    assert power(0.05, 200) <= power(0.4, 200) + 0.05


def test_the_error_of_an_auroc_is_that_of_the_published_example() -> None:
    """Hanley and McNeil 1982, section on their example: area 0.893, 51 abnormal, 58 normal: SE 0.032."""
    assert hanley_mcneil_error(0.893, 51, 58) == pytest.approx(0.032, abs=0.0006)


def test_the_smallest_accuracy_difference_has_the_power_it_claims() -> None:
    n, share = 400, 0.10
    x = smallest_accuracy_difference(share, n)
    rng = np.random.default_rng(8)
    b, c = rng.multinomial(n, [(share + x) / 2, (share - x) / 2, 1 - share], size=20_000)[:, :2].T
    z = (b - c) / np.sqrt(np.maximum(b + c, 1))
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.80, abs=0.03)


def test_more_groups_show_smaller_differences() -> None:
    small, large = (smallest_auroc_difference(0.9, n, n) for n in (50, 500))
    assert large < small


def test_blocks_of_groups_stand_for_all_their_groups() -> None:
    """A study of 800 groups has 400 jackknife blocks of two: as many blocks are needed, twice the groups."""
    influences = np.random.default_rng(1).normal(0, 1, 400)
    influences -= influences.mean()
    single, double = (groups_needed(influences, 0.3, n_groups) for n_groups in (400, 800))
    assert single is not None and double == 2 * single


def test_beyond_two_thousand_groups_the_normal_formula_counts_and_beyond_a_hundred_thousand_nothing() -> None:
    influences = np.array([-1.0, 1.0] * 150)
    z, spread = stats.norm.ppf(0.975) + stats.norm.ppf(0.8), influences.std(ddof=1)
    assert groups_needed(influences, 0.05, 300) == math.ceil((z * spread / 0.05) ** 2)
    assert groups_needed(influences, 0.05, 600) == math.ceil(2 * (z * spread / 0.05) ** 2)
    edge = z * spread / math.sqrt(100_000)
    assert groups_needed(influences, edge * 1.001, 300) is not None
    assert groups_needed(influences, edge * 0.999, 300) is None
    assert groups_needed(influences, edge * 1.001, 600) is None  # twice as many groups


def test_units_without_spread_need_no_number() -> None:
    assert groups_needed(np.zeros(50), 0.1, 50) is None
    assert groups_needed(np.array([0.3]), 0.1, 1) is None


def test_more_power_and_a_higher_level_ask_for_a_larger_difference() -> None:
    norm = stats.norm.ppf
    assert detectable_difference(0.02, 0.99, 0.9) == pytest.approx((norm(0.995) + norm(0.9)) * 0.02)


def test_the_smallest_difference_of_two_aurocs_shrinks_with_their_correlation() -> None:
    error = hanley_mcneil_error(0.9, 60, 80)
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    for r in (0.0, 0.3, 0.8):
        expected = z * math.sqrt(2 * error**2 - 2 * r * error**2)
        assert smallest_auroc_difference(0.9, 60, 80, r) == pytest.approx(expected)


def test_where_even_all_discordant_cases_on_one_side_show_nothing_they_are_the_answer() -> None:
    assert smallest_accuracy_difference(0.1, 20) == pytest.approx(0.1)
    assert smallest_accuracy_difference(0.1, 2000) < 0.03


def test_influences_of_undefined_units_are_left_out() -> None:
    x = np.array([1.0, 2.0, 4.0, 9.0])
    without = (x.sum() - x) / 3
    assert influence(np.append(without, np.nan)) == pytest.approx(x - x.mean())
