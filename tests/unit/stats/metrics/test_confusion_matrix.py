"""Metrics of the confusion matrix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sk
from statsmodels.stats.inter_rater import cohens_kappa
from tests.unit.stats.builders import apart, lines_of_score, rounded_pair, some_lines

from headtohead.stats.metrics.confusion_matrix import (
    ClassCounts,
    FromClassCounts,
    FromConfusion,
    accuracy,
    balanced_accuracy,
    cohen_kappa,
    confusion,
    count_values,
    f1,
    matthews_correlation,
    npv,
    ppv,
    predicted_labels,
    sensitivity,
    specificity,
)
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions


def test_kappa_is_statsmodels() -> None:
    a, _ = rounded_pair()
    called = (a.prob[:, 1] >= 0.5).astype(int)
    table = np.zeros((2, 2))
    np.add.at(table, (a.label, called), 1)
    found = metric_values([a], np.ones((30, 1)), ["kappa"], ("no", "yes"))["kappa"][0]
    assert found == pytest.approx(cohens_kappa(table).kappa)
    planted = [np.trace(table) / 150, 2 * np.trace(table) / 150 - 1, cohens_kappa(table[:, ::-1]).kappa]
    assert apart(found, planted, least=0.01)


LINES = some_lines(n=120, n_groups=40, k=3)
ONES = np.ones((40, 1))


def matrix_of(lines: ContenderPredictions, k: int = 3) -> npt.NDArray[np.float64]:
    return confusion(lines.label, predicted_labels(lines, None), lines.group, k, ONES)


def test_the_matrix_is_scikit_learns_with_the_truth_in_rows() -> None:
    expected = sk.confusion_matrix(LINES.label, LINES.prob.argmax(axis=1))
    assert np.array_equal(matrix_of(LINES)[..., 0], expected)


@pytest.mark.parametrize(
    ("compute", "reference"),
    [
        (sensitivity, lambda y, p: sk.recall_score(y, p)),
        (specificity, lambda y, p: sk.recall_score(1 - y, 1 - p)),
        (ppv, lambda y, p: sk.precision_score(y, p)),
        (npv, lambda y, p: sk.precision_score(1 - y, 1 - p)),
        (f1, lambda y, p: sk.f1_score(y, p)),
    ],
)
def test_each_metric_of_one_class_is_scikit_learns(
    compute: Callable[[ClassCounts], npt.NDArray[np.float64]],
    reference: Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], float],
) -> None:
    kernel, matrix = FromClassCounts(compute), matrix_of(LINES)
    predicted = LINES.prob.argmax(axis=1)
    expected = [reference((LINES.label == c).astype(int), (predicted == c).astype(int)) for c in range(3)]
    assert [count_values(kernel, matrix, c)[0] for c in range(3)] == pytest.approx(expected)
    assert count_values(kernel, matrix)[0] == pytest.approx(np.mean(expected))


def test_of_two_classes_the_second_is_positive() -> None:
    matrix = np.array([[5.0, 1.0], [2.0, 8.0]])[..., None]
    assert count_values(FromClassCounts(sensitivity), matrix)[0] == pytest.approx(0.8)
    assert count_values(FromClassCounts(sensitivity), matrix, 0)[0] == pytest.approx(5 / 6)


def test_an_empty_denominator_is_nan_and_never_zero() -> None:
    nothing_positive = np.array([[6.0, 0.0], [4.0, 0.0]])[..., None]
    assert np.isnan(count_values(FromClassCounts(ppv), nothing_positive)[0])
    assert count_values(FromClassCounts(sensitivity), nothing_positive)[0] == 0
    assert count_values(FromConfusion(accuracy), nothing_positive)[0] == pytest.approx(0.6)
    assert np.isnan(count_values(FromConfusion(matthews_correlation), nothing_positive)[0])
    one_class = np.array([[6.0, 0.0], [0.0, 0.0]])[..., None]
    assert np.isnan(count_values(FromConfusion(cohen_kappa), one_class)[0])
    assert np.isnan(count_values(FromConfusion(balanced_accuracy), one_class)[0])


def test_a_probability_at_the_threshold_is_positive() -> None:
    lines = lines_of_score(np.array([0.2, 0.5, 0.7]), np.array([0, 1, 1]))
    assert predicted_labels(lines, None).tolist() == [0, 1, 1]
    assert predicted_labels(lines, np.array([0.2, 0.6, 0.8])).tolist() == [1, 0, 0]
