"""The checks of a map: correlations against scipy, intervals that cover, and the sentence that they end in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from headtohead.explain.faithfulness.checks import (
    CheckedDifference,
    judge,
    rank_correlation,
    sanity_words,
    top_cells,
)

GRIDS = arrays(float, (4, 5), elements=st.integers(-4, 4).map(float))


@settings(max_examples=40, deadline=None)
@given(GRIDS, GRIDS)
def test_rank_correlation_is_that_of_scipy(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> None:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert rank_correlation(a, b) == 0.0
    else:
        assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
        assert rank_correlation(a, -b) == pytest.approx(-rank_correlation(a, b)), (
            "signed maps, not their size"
        )
        assert rank_correlation(np.exp(a), b) == pytest.approx(rank_correlation(a, b)), "of ranks alone"


def test_the_top_cells_take_the_share_of_the_area() -> None:
    grid = np.arange(20.0).reshape(4, 5)
    assert np.flatnonzero(top_cells(grid)).tolist() == [17, 18, 19]
    assert np.flatnonzero(top_cells(grid, 0.5)).tolist() == list(range(10, 20))
    assert np.flatnonzero(top_cells(-grid, 0.1)).tolist() == [0, 1]
    assert top_cells(grid, 0.001).sum() == 1, "at least one"
    assert top_cells(grid).shape == grid.shape


def test_of_equal_cells_the_first_are_chosen() -> None:
    assert np.flatnonzero(top_cells(np.zeros((5, 4)))).tolist() == [0, 1, 2]


def test_the_value_is_the_mean_over_images_and_the_interval_is_over_groups() -> None:
    values = np.array([1.0, 1.0, 1.0, 5.0])
    found = judge(values, ["a", "a", "a", "b"])
    assert (found.value, found.n_images, found.n_groups) == (2.0, 4, 2)
    # of two groups drawn with replacement: aa 1, ab and ba (3 + 5) / 4 = 2, bb 5
    assert (found.low, found.high) == (1.0, 5.0)


def test_one_group_has_no_width() -> None:
    found = judge(np.array([1.0, 3.0]), [7, 7])
    assert (found.low, found.value, found.high) == (2.0, 2.0, 2.0)


def test_the_interval_is_that_of_the_percentile_bootstrap() -> None:
    rng = np.random.default_rng(1)
    values, groups = rng.normal(0.3, 1, 60), list(range(60))
    found = judge(values, groups)
    means = [values[rng.integers(60, size=60)].mean() for _ in range(4000)]
    low, high = np.quantile(means, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.04) and found.high == pytest.approx(high, abs=0.04)
    assert judge(values, groups, seed=0) == found != judge(values, groups, seed=1)


def test_names_of_groups_and_the_order_of_images_do_not_matter_to_the_value() -> None:
    rng = np.random.default_rng(2)
    values, groups = rng.normal(size=12), [n // 3 for n in range(12)]
    order = rng.permutation(12)
    one, other = judge(values, groups), judge(values[order], [groups[n] for n in order])
    assert one.value == pytest.approx(other.value)
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


@pytest.mark.parametrize(("low", "passed"), [(0.001, True), (0.0, False), (-0.1, False)])
def test_only_an_interval_above_zero_passes(low: float, passed: bool) -> None:
    one = CheckedDifference(0.123456, low, 0.3, 9, 5)
    assert one.passed is passed
    assert one.to_json() == {
        "value": 0.1235, "low": low, "high": 0.3, "n_images": 9, "n_groups": 5, "passed": passed
    }  # fmt: skip


def test_each_failed_check_is_a_reason() -> None:
    good, bad = CheckedDifference(1, 0.5, 2, 9, 9), CheckedDifference(0, -0.5, 2, 9, 9)
    assert sanity_words(good, good) == "passed"
    labels, deletion = sanity_words(bad, good), sanity_words(good, bad)
    assert labels.startswith("failed: maps from halves") and "hiding" not in labels
    assert deletion.startswith("failed: hiding the places") and "halves" not in deletion
    assert sanity_words(bad, bad) == f"{labels}; {deletion.removeprefix('failed: ')}"
