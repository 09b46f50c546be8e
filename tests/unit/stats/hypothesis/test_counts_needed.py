"""Cases needed, against the exact power of the interval that decides."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from headtohead.stats.hypothesis.counts_needed import (
    cases_needed,
    fewest_and_most_cases,
    fewest_and_most_pairs,
    paired_cases_needed,
)
from headtohead.stats.intervals.proportions import newcombe, newcombe_paired


@pytest.mark.parametrize(("p1", "p2"), [(0.95, 0.80), (0.98, 0.90)])
def test_cases_needed_give_newcombes_interval_the_promised_power(p1: float, p2: float) -> None:
    n = cases_needed(p1, p2)
    assert n is not None
    right, other = stats.binom(n, p1).pmf(np.arange(n + 1)), stats.binom(n, p2).pmf(np.arange(n + 1))
    power = sum(
        right[x] * other[y]
        for x in np.flatnonzero(right > 1e-6)
        for y in np.flatnonzero(other > 1e-6)
        if newcombe(int(x), n, int(y), n)[0] > 0
    )
    assert 0.78 <= power <= 0.85


def test_pairs_needed_give_the_paired_interval_about_the_promised_power() -> None:
    n = paired_cases_needed(0.15, 0.05)
    assert n == 155
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(n, [0.75, 0.15, 0.05, 0.05], size=2000)
    shown = [newcombe_paired(*map(int, counts))[0] > 0 for counts in drawn]
    assert 0.76 <= np.mean(shown) <= 0.86


def test_equal_shares_need_no_number() -> None:
    assert cases_needed(0.9, 0.9) is None
    assert paired_cases_needed(0.1, 0.1) is None


def test_the_range_spans_both_directions_and_all_shares() -> None:
    found = fewest_and_most_cases((0.78, 0.86, 0.91), 0.05, 0.95)
    assert found is not None
    each = [cases_needed(p, p + side) or 0 for p in (0.78, 0.86, 0.91) for side in (-0.05, 0.05)]
    assert found == (min(each), max(each))
    assert fewest_and_most_cases((0.5,), 0.6, 0.95) is None
    pairs = fewest_and_most_pairs(6, 36, 0.05, 0.95)
    assert pairs is not None
    assert pairs[0] < pairs[1]
