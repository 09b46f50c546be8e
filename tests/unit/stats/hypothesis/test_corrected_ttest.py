"""The corrected t-test and its Bayesian form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.unit.stats.builders import apart, some_lines, table_from

from headtohead.stats.hypothesis.corrected_ttest import (
    FoldDifferences,
    corrected_t,
    correlated_bayes,
    fold_differences,
    fold_tests,
)
from headtohead.stats.metrics.fold_values import FoldValue


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


def test_folds_where_one_contender_is_not_defined_are_skipped_and_counted() -> None:
    table = table_from({"a": some_lines(n=60)})
    a = [FoldValue(0, fold, 0.8 + 0.01 * fold, 20) for fold in range(3)]
    b = [FoldValue(0, 0, 0.7, 20), FoldValue(0, 1, math.nan, 20), FoldValue(0, 2, 0.7, 20)]
    differences = fold_differences(table, a, b)
    assert differences.values == pytest.approx([0.1, 0.12])
    assert differences.skipped == 1
    assert differences.test_to_train == pytest.approx(20 / 40)
    tests = fold_tests(differences, 0.05, 1)
    assert "1 fold without a defined value left out" in tests["nadeau_bengio"].note


def test_the_sign_of_a_loss_turns_better_into_worse() -> None:
    differences = FoldDifferences(np.array([0.02, 0.01, 0.03, 0.0, 0.04]), 0.25, 0)
    higher, lower = (fold_tests(differences, 0.01, sign)["bayes_rope"].statistic for sign in (1, -1))
    assert higher == pytest.approx(0.8, abs=1e-3)
    assert lower == pytest.approx(0.024, abs=1e-3)


def test_folds_that_do_not_vary_have_no_test_but_the_reason() -> None:
    tests = fold_tests(FoldDifferences(np.full(4, 0.1), 0.25, 0), None, 1)
    assert {test.note for test in tests.values()} == {"needs at least two folds whose differences vary"}
