"""Quality of a fit by hand and by scikit-learn, patience counted in epochs, and losses that are not defined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss

from headtohead.training.records import EpochRecord, FitMetrics, fit_metrics, loss_order, out_of_patience


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 40))
def test_accuracy_and_loss_are_those_of_scikit_learn(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    labels, rows = rng.integers(0, k, n), rng.dirichlet(np.ones(k), n)
    found = fit_metrics(labels, rows)
    assert found.accuracy == pytest.approx(accuracy_score(labels, rows.argmax(axis=1)))
    assert found.loss == pytest.approx(log_loss(labels, rows, labels=list(range(k))), rel=1e-9)


def test_rows_without_a_prediction_are_left_out_even_if_one_number_is_missing() -> None:
    labels = np.array([0, 1, 1])
    rows = np.array([[0.8, 0.2], [np.nan, np.nan], [0.6, np.nan]])
    found = fit_metrics(labels, rows)
    assert found.accuracy == 1.0 and found.loss == pytest.approx(-np.log(0.8))
    assert fit_metrics(labels, np.full((3, 2), np.nan)) == FitMetrics(None, None)
    assert fit_metrics(labels[:0], rows[:0]) == FitMetrics(None, None)


def test_a_certain_mistake_costs_as_much_as_a_probability_of_1e_15() -> None:
    rows = np.array([[1.0, 0.0], [1.0, 0.0]])
    found = fit_metrics(np.array([1, 0]), rows)
    assert found.loss == pytest.approx(-np.log(1e-15) / 2) and found.accuracy == 0.5


def curve(losses: Sequence[float | None]) -> list[EpochRecord]:
    return [EpochRecord(i + 1, 0.1, 0.9, loss, 0.5, 1e-3) for i, loss in enumerate(losses)]


@pytest.mark.parametrize(
    ("losses", "patience", "over"),
    [
        ([0.5, 0.4, 0.6], 2, False),
        ([0.5, 0.4, 0.6, 0.7], 2, True),
        ([0.5, 0.4, 0.4, 0.4], 2, True),  # no better is no improvement
        ([0.5, 0.4, 0.6, 0.3], 2, False),
        ([0.3], 1, False),
        ([0.3, 0.3], 1, True),
        ([0.5, 0.6, 0.7], None, False),
        ([], 1, False),
        ([None, None, None], 1, False),
    ],
)
def test_patience_counts_epochs_since_the_least_loss(
    losses: Sequence[float | None], patience: int | None, over: bool
) -> None:
    assert out_of_patience(curve(losses), patience) is over


def test_a_loss_that_is_not_defined_is_the_worst_and_zero_the_best() -> None:
    assert sorted([None, 2.0, 0.0, 1e300], key=loss_order) == [0.0, 2.0, 1e300, None]
