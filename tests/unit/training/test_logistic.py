"""Probes in their span: invariances that must hold to rounding, refusals, and the way back to frequencies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import HeadToHeadError
from headtohead.training.logistic import FittedProbe, StandardizedDesign, fit_probe
from headtohead.training.logistic import design as module

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def problem(n: int = 60, d: int = 9, k: int = 2, seed: int = 0) -> tuple[Floats, Ints]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    return rng.normal(size=(n, d)) + np.eye(k, d)[labels], labels.astype(np.int64)


@pytest.mark.parametrize("d", [9, 200])
@pytest.mark.parametrize("k", [2, 3])
def test_scale_shift_and_order_of_the_features_change_no_probability(d: int, k: int) -> None:
    rows, labels = problem(d=d, k=k)
    rng = np.random.default_rng(1)
    order, scale, shift = rng.permutation(d), rng.uniform(0.01, 100, d), rng.normal(size=d) * 50
    plain = fit_probe(rows, labels, 0.1).predict_proba(rows)
    moved = (rows * scale + shift)[:, order]
    np.testing.assert_allclose(fit_probe(moved, labels, 0.1).predict_proba(moved), plain, atol=1e-6)


@pytest.mark.parametrize("k", [2, 3])
def test_the_order_of_images_and_the_names_of_classes_change_no_probability(k: int) -> None:
    rows, labels = problem(k=k)
    plain = fit_probe(rows, labels, 0.1).predict_proba(rows)
    order = np.random.default_rng(2).permutation(len(rows))
    np.testing.assert_allclose(
        fit_probe(rows[order], labels[order], 0.1).predict_proba(rows), plain, atol=1e-6
    )
    turned = fit_probe(rows, k - 1 - labels, 0.1).predict_proba(rows)
    np.testing.assert_allclose(turned[:, ::-1], plain, atol=1e-6)


def test_a_column_that_never_varies_is_worth_nothing_and_harms_nothing() -> None:
    rows, labels = problem()
    plain = fit_probe(rows, labels, 1.0)
    padded = fit_probe(np.column_stack([rows, np.full(len(rows), 7.0)]), labels, 1.0)
    assert padded.scale[-1] == 1.0 and padded.mean[-1] == 7.0
    np.testing.assert_allclose(padded.weights[:, -1], 0.0, atol=1e-12)
    np.testing.assert_allclose(padded.weights[:, :-1], plain.weights, atol=1e-6)


def test_rows_are_standardised_by_the_training_part_alone() -> None:
    rows, labels = problem()
    design = StandardizedDesign.from_features(rows)
    np.testing.assert_allclose(design.mean, rows.mean(axis=0))
    np.testing.assert_allclose(design.scale, rows.std(axis=0))
    before = rows.copy()
    design.fit(labels, 1.0)
    assert np.array_equal(rows, before), "the caller's rows are not changed"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite_are_counted(bad: float) -> None:
    rows, labels = problem(d=5)
    rows[3, 1] = rows[4, 1] = rows[0, 4] = bad
    with pytest.raises(HeadToHeadError) as told, np.errstate(invalid="ignore"):
        fit_probe(rows, labels, 1.0)
    assert str(told.value) == "2 of 5 features are not finite in every row; a probe needs finite numbers."


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 2, 0, 2], [1, 1, 1, 1]])
def test_a_class_without_rows_is_told_by_the_counts(labels: list[int]) -> None:
    rows = np.random.default_rng(0).normal(size=(4, 3))
    given = np.array(labels)
    with pytest.raises(HeadToHeadError) as told:
        fit_probe(rows, given, 1.0)
    assert str(told.value) == (
        "A probe needs every class among its training rows, and two at least; got counts "
        f"{np.bincount(given).tolist()}."
    )


def test_too_many_features_to_factor_take_more_steps_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = problem(n=80, d=30, k=3)
    plain = fit_probe(rows, labels, 0.05)
    monkeypatch.setattr(module, "FACTORED", 10)
    slow = fit_probe(rows, labels, 0.05)
    np.testing.assert_allclose(slow.predict_proba(rows), plain.predict_proba(rows), atol=1e-6)
    np.testing.assert_allclose(slow.weights, plain.weights, atol=1e-5)


def test_a_shared_factorisation_of_other_rows_changes_no_probability() -> None:
    rows, labels = problem(n=90, d=12)
    whole = StandardizedDesign.from_features(rows)
    part = np.arange(90) % 3 != 0
    shared = StandardizedDesign.from_features(rows[part], whole).fit(labels[part], 0.3)
    alone = fit_probe(rows[part], labels[part], 0.3)
    np.testing.assert_allclose(shared.predict_proba(rows), alone.predict_proba(rows), atol=1e-6)
    np.testing.assert_allclose(shared.mean, rows[part].mean(axis=0))


@pytest.mark.parametrize("k", [2, 3])
def test_a_penalty_without_bound_leaves_the_class_frequencies(k: int) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(k), [40, 15, 5][:k])
    rows = rng.normal(size=(len(labels), 4))
    found = fit_probe(rows, labels, 1e-9).predict_proba(rows)
    np.testing.assert_allclose(found, np.tile(np.bincount(labels) / len(labels), (len(labels), 1)), atol=1e-5)


@pytest.mark.parametrize("k", [2, 4])
def test_scores_far_out_are_probabilities_without_overflow(k: int) -> None:
    m = 1 if k == 2 else k
    weights = np.zeros((m, 2))
    weights[-1, 0] = 1e6
    probe = FittedProbe(np.zeros(2), np.ones(2), weights, np.zeros(m))
    found = probe.predict_proba(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 5.0]]))
    assert np.isfinite(found).all() and found.shape == (3, k)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert found[0, -1] == 1.0 and found[1, -1] == 0.0
    np.testing.assert_allclose(found[2], 1 / k)


def test_odds_of_the_classes_are_added_once_to_the_intercepts() -> None:
    labels = np.repeat([0, 1], [30, 10])
    two = FittedProbe(np.zeros(1), np.ones(1), np.zeros((1, 1)), np.array([0.25])).at_frequencies(labels)
    assert two.bias == pytest.approx([0.25 - np.log(3)])
    many = FittedProbe(np.zeros(1), np.ones(1), np.zeros((3, 1)), np.zeros(3))
    shifted = many.at_frequencies(np.repeat([0, 1, 2], [20, 5, 5]))
    np.testing.assert_allclose(shifted.predict_proba(np.zeros((1, 1)))[0], [20 / 30, 5 / 30, 5 / 30])
    assert shifted.bias.sum() == pytest.approx(0)
