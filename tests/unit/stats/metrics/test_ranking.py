"""AUROC and curve metrics against plain double loops and scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from tests.unit.stats.builders import double_loop, lines_of_score, some_lines, some_weights

from headtohead.stats.metrics.ranking import (
    Curve,
    FromCurve,
    average_precision,
    curve_values,
    group_sums,
    partial_auroc,
    ratio,
    sensitivity_at_specificity_90,
    specificity_at_sensitivity_90,
    weighted_auroc,
)
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions

Floats = npt.NDArray[np.float64]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=2, max_size=25),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
def test_auroc_equals_the_double_loop_on_copies(rows: list[tuple[int, bool, int]], counts: list[int]) -> None:
    score = np.array([row[0] for row in rows], dtype=float)
    positive = np.array([row[1] for row in rows])
    group = np.array([row[2] for row in rows])
    weights = np.array(counts, dtype=float)[:, None]
    drawn = np.repeat(np.arange(len(rows)), weights[group, 0].astype(int))
    found = weighted_auroc(score, positive, group, weights)[0]
    if len(drawn) == 0 or positive[drawn].all() or not positive[drawn].any():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(double_loop(score[drawn], positive[drawn]), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_auroc_depends_on_the_order_alone_and_is_one_minus_itself_for_swapped_labels(seed: int) -> None:
    lines, weights = some_lines(seed=seed), some_weights(seed=seed)
    score, positive = lines.prob[:, 1], lines.label == 1
    plain = weighted_auroc(score, positive, lines.group, weights)
    ranks = np.unique(score, return_inverse=True)[1].astype(float)
    bent = weighted_auroc(np.exp(ranks / 9) - 7, positive, lines.group, weights)
    turned = weighted_auroc(score, ~positive, lines.group, weights)
    np.testing.assert_allclose(plain, bent, atol=1e-12, equal_nan=True)
    np.testing.assert_allclose(plain, 1 - turned, atol=1e-12, equal_nan=True)


def test_operating_points_are_read_off_the_curve() -> None:
    lines = some_lines(n=200, ties=True, seed=5)
    found = metric_values(
        [lines],
        np.ones((20, 1)),
        ["sensitivity_at_specificity_90", "specificity_at_sensitivity_90"],
        ("no", "yes"),
    )
    fpr, tpr, _ = sk.roc_curve(lines.label, lines.prob[:, 1], drop_intermediate=False)
    assert found["sensitivity_at_specificity_90"][0] == pytest.approx(tpr[fpr <= 0.1 + 1e-12].max())
    assert found["specificity_at_sensitivity_90"][0] == pytest.approx(1 - fpr[tpr >= 0.9 - 1e-12].min())


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    lines, weights = some_lines(), some_weights()
    kernels = {"average_precision": FromCurve(average_precision), "partial_auroc": FromCurve(partial_auroc)}
    args = (lines.prob[:, 1], lines.label == 1, lines.group, weights)
    whole, area = curve_values(*args, kernels), weighted_auroc(*args)
    monkeypatch.setattr("headtohead.stats.metrics.ranking._CELLS_PER_CHUNK", 100)
    pieces = curve_values(*args, kernels)
    for name in kernels:
        np.testing.assert_allclose(whole[name], pieces[name], rtol=1e-13)
    np.testing.assert_allclose(area, weighted_auroc(*args), rtol=1e-13)


def curve_of(
    kernel: FromCurve, lines: ContenderPredictions, weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    return curve_values(lines.prob[:, 1], lines.label == 1, lines.group, weights, {"x": kernel})["x"]


@pytest.mark.parametrize("ties", [True, False])
def test_partial_auroc_is_scikit_learns(ties: bool) -> None:
    lines = some_lines(n=200, ties=ties, seed=3)
    expected = sk.roc_auc_score(lines.label, lines.prob[:, 1], max_fpr=0.1)
    assert curve_of(FromCurve(partial_auroc), lines, np.ones((20, 1)))[0] == pytest.approx(expected)


def test_levels_without_a_positive_may_be_left_out_of_average_precision() -> None:
    lines, weights = some_lines(n=120, ties=True), some_weights()
    short, whole = (
        curve_of(FromCurve(average_precision, only_gains=g), lines, weights) for g in (True, False)
    )
    np.testing.assert_array_equal(short, whole)


@pytest.mark.parametrize(
    "compute", [partial_auroc, sensitivity_at_specificity_90, specificity_at_sensitivity_90]
)
def test_a_replicate_that_lacks_a_class_is_not_defined(
    compute: Callable[[Curve], npt.NDArray[np.float64]],
) -> None:
    label = np.arange(40) // 20
    lines = lines_of_score(np.linspace(0, 1, 40), label, label * 2 + np.arange(40) % 2)
    weights = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    values = curve_of(FromCurve(compute), lines, weights)
    assert values[0] == 1
    assert np.isnan(values[1:]).all()
    assert np.isnan(weighted_auroc(lines.prob[:, 1], label == 1, lines.group, weights)[1:]).all()


def test_sums_by_group_and_ratios_with_an_empty_denominator() -> None:
    sums = group_sums(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([2, 0, 2]), 3)
    assert sums.tolist() == [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]]
    np.testing.assert_array_equal(ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0])), [0.5, np.nan])
