"""The corrected t-test and its Bayesian form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.unit.stats.builders import apart

from headtohead.stats.hypothesis.corrected_ttest import corrected_t, correlated_bayes


@pytest.mark.parametrize("test_to_train", [0.25, 1 / 9])
def test_nadeau_and_bengio_from_their_own_variance(test_to_train: float) -> None:
    """Their section 3: (1/n + test/train) s²; Student's plain t and a sum in place of a mean are planted."""
    x = np.random.default_rng(0).normal(0.02, 0.03, 15)
    found = corrected_t(x, test_to_train)
    assert found is not None
    spread = sum((v - x.mean()) ** 2 for v in x) / 14
    assert found[0] == pytest.approx(x.mean() / np.sqrt((1 / 15 + test_to_train) * spread))
    students = x.mean() / np.sqrt(spread / 15)
    other_way = x.mean() / np.sqrt((1 / 15 + 1 / test_to_train) * spread)
    off_by_one = x.mean() / np.sqrt((1 / 15 + test_to_train) * spread * 14 / 15)
    assert apart(found[0], [students, other_way, off_by_one])


def test_corrected_t_is_wider_than_students_and_equals_the_formula() -> None:
    x = np.random.default_rng(0).normal(0.02, 0.03, 15)
    found = corrected_t(x, 0.25)
    assert found is not None
    plain = stats.ttest_1samp(x, 0)
    assert found[0] == pytest.approx(plain.statistic * math.sqrt((1 / 15) / (1 / 15 + 0.25)))
    assert found[1] > plain.pvalue
    assert corrected_t(np.zeros(5), 0.25) is None
    assert corrected_t(x[:1], 0.25) is None


def test_bayes_shares_sum_to_one_and_follow_the_integral() -> None:
    x = np.random.default_rng(1).normal(0.01, 0.02, 10)
    found = correlated_bayes(x, 0.25, 0.01)
    assert found is not None
    assert sum(found.values()) == pytest.approx(1)
    scale = math.sqrt((0.1 + 0.25) * x.var(ddof=1))
    draws = stats.t(9, x.mean(), scale).rvs(200_000, random_state=0)
    assert found["equivalent"] == pytest.approx((np.abs(draws) < 0.01).mean(), abs=0.005)
    turned = correlated_bayes(-x, 0.25, 0.01)
    assert turned is not None
    assert turned["a_better"] == pytest.approx(found["b_better"])


SEEDS = st.integers(0, 10_000)


MANY = settings(max_examples=60, deadline=None)


@MANY
@given(SEEDS)
def test_a_wider_region_of_equivalence_is_more_probable(seed: int) -> None:
    x = np.random.default_rng(seed).normal(0.01, 0.03, 10)
    shares = [correlated_bayes(x, 0.25, rope) for rope in (0.005, 0.02, 0.08)]
    within = [one["equivalent"] for one in shares if one is not None]
    assert len(within) == 3
    assert within == sorted(within)
