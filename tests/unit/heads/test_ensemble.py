"""Ensembles: weights from inner probabilities alone, and honest about themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize

from headtohead.core.errors import UnknownNameError, UnpairedError, UsageError
from headtohead.heads.base import FoldJob, FoldResult, SampleLabels
from headtohead.heads.ensemble import (
    COMBINATION_RULES,
    CombinationRule,
    EnsembleHead,
    combine,
    mixture_weights,
)
from headtohead.training.records import FitMetrics, fit_metrics

Floats = npt.NDArray[np.float64]
N_TRAIN, N_TEST = 120, 60


def rows_of(rng: np.random.Generator, labels: npt.NDArray[np.int64], skill: float) -> Floats:
    odds = skill * (2 * labels - 1) + rng.normal(size=len(labels))
    positive = 1 / (1 + np.exp(-odds))
    return np.column_stack([1 - positive, positive])


def result(rng: np.random.Generator, labels: npt.NDArray[np.int64], skill: float) -> FoldResult:
    inner, test = rows_of(rng, labels[:N_TRAIN], skill), rows_of(rng, labels[N_TRAIN:], skill)
    return FoldResult(test, inner, FitMetrics(1.0, 0.0), fit_metrics(labels[:N_TRAIN], inner))


@pytest.fixture
def labels() -> npt.NDArray[np.int64]:
    return np.random.default_rng(1).integers(0, 2, N_TRAIN + N_TEST)


GROUPS = np.asarray([f"g{i // 2}" for i in range(N_TRAIN)], dtype=object)


def test_mean_is_the_mean(labels: npt.NDArray[np.int64]) -> None:
    rng = np.random.default_rng(0)
    a, b = result(rng, labels, 1.0), result(rng, labels, 2.0)
    joined = combine([a, b], "mean", labels[:N_TRAIN], GROUPS)
    assert np.allclose(joined.probabilities, (a.probabilities + b.probabilities) / 2)
    assert np.allclose(joined.inner_probabilities, (a.inner_probabilities + b.inner_probabilities) / 2)


def test_weights_are_the_optimum_that_another_solver_finds(labels: npt.NDArray[np.int64]) -> None:
    rng = np.random.default_rng(2)
    rows = np.stack([rows_of(rng, labels, skill) for skill in (0.7, 1.2, 1.0)])

    def loss(free: Floats) -> float:
        weights = np.exp(free) / np.exp(free).sum()
        mixed = np.tensordot(weights, rows, axes=1)
        return float(-np.log(mixed[np.arange(len(labels)), labels]).mean())

    free = minimize(loss, np.zeros(3), method="BFGS").x
    other = np.exp(free) / np.exp(free).sum()
    assert mixture_weights(rows, labels, 5000) == pytest.approx(other, abs=2e-3)


@pytest.mark.parametrize("how", ["weighted", "stacked", "greedy"])
def test_a_useless_member_is_left_aside(labels: npt.NDArray[np.int64], how: CombinationRule) -> None:
    rng = np.random.default_rng(3)
    good, noise = result(rng, labels, 2.0), result(rng, labels, 0.0)
    truth = labels[N_TRAIN:]
    mean = combine([good, noise], "mean", labels[:N_TRAIN], GROUPS)
    joined = combine([good, noise], how, labels[:N_TRAIN], GROUPS)
    before, after = fit_metrics(truth, mean.probabilities).loss, fit_metrics(truth, joined.probabilities).loss
    assert before is not None and after is not None and after < before
    if how != "stacked":
        assert joined.chosen["weights"][0] > 0.9


@pytest.mark.parametrize("how", COMBINATION_RULES)
def test_rows_are_probabilities(labels: npt.NDArray[np.int64], how: CombinationRule) -> None:
    rng = np.random.default_rng(4)
    members = [result(rng, labels, skill) for skill in (0.5, 1.0, 1.5)]
    joined = combine(members, how, labels[:N_TRAIN], GROUPS)
    for rows in (joined.probabilities, joined.inner_probabilities):
        assert np.allclose(rows.sum(axis=1), 1.0) and (rows >= 0).all()


def test_more_than_two_classes() -> None:
    rng = np.random.default_rng(5)
    labels = np.arange(150) % 3
    rows = [rng.dirichlet(np.ones(3), 150) * 0.5 + 0.5 * np.eye(3)[labels] for _ in range(2)]
    members = [FoldResult(r[120:], r[:120], FitMetrics(None, None), FitMetrics(None, None)) for r in rows]
    for how in COMBINATION_RULES:
        joined = combine(members, how, labels[:120], GROUPS)
        assert joined.probabilities.shape == (30, 3)
        assert (joined.probabilities.argmax(axis=1) == labels[120:]).mean() > 0.9


def test_permuted_labels_get_chance() -> None:
    """Weights chosen on inner rows that mean nothing leave the cross-fitted rows at chance, not above it."""
    rng = np.random.default_rng(6)
    gains = []
    for _ in range(20):
        labels = rng.integers(0, 2, N_TRAIN + N_TEST)
        members = [result(rng, rng.permutation(labels), 1.0) for _ in range(6)]
        joined = combine(members, "stacked", labels[:N_TRAIN], GROUPS)
        told = fit_metrics(labels[:N_TRAIN], joined.inner_probabilities).accuracy
        assert told is not None
        gains.append(told - 0.5)
    assert abs(np.mean(gains)) < 0.03


def test_a_cell_without_inner_rows_can_only_be_averaged(labels: npt.NDArray[np.int64]) -> None:
    rng = np.random.default_rng(7)
    with_rows = result(rng, labels, 1.0)
    bare = FoldResult(
        with_rows.probabilities, np.full((N_TRAIN, 2), np.nan), FitMetrics(None, None), FitMetrics(None, None)
    )
    joined = combine([with_rows, bare], "mean", labels[:N_TRAIN], GROUPS)
    assert np.isnan(joined.inner_probabilities).all() and joined.inner.loss is None
    with pytest.raises(UsageError, match="vit has none"):
        combine([with_rows, bare], "weighted", labels[:N_TRAIN], GROUPS, names=["cnn", "vit"])


def test_members_must_predict_the_same(labels: npt.NDArray[np.int64]) -> None:
    rng = np.random.default_rng(8)
    a, b = result(rng, labels, 1.0), result(rng, labels[:-1], 1.0)
    with pytest.raises(UnpairedError):
        combine([a, b], "mean", labels[:N_TRAIN], GROUPS)


def test_head_asks_for_its_members_and_knows_its_ways(labels: npt.NDArray[np.int64], tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    results = {"a": result(rng, labels, 1.0), "b": result(rng, labels, 2.0)}
    groups = np.asarray([f"g{i // 2}" for i in range(len(labels))], dtype=object)
    cell = FoldJob(0, 0, np.arange(N_TRAIN), np.arange(N_TRAIN, len(labels)), 0)
    head = EnsembleHead(["a", "b"], lambda name, _cell: results[name], "stacked")
    told = head.fit_predict(cell, SampleLabels(labels, groups, ("no", "yes")), tmp_path)
    assert told.chosen["members"] == ["a", "b"]
    with pytest.raises(UnknownNameError, match="did you mean"):
        EnsembleHead(["a", "b"], lambda name, _cell: results[name], "stackd")
    with pytest.raises(UsageError):
        EnsembleHead(["a"], lambda name, _cell: results[name])
