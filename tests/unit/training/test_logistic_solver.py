"""The solver: the gradient vanishes where it ends, weights of samples count, and a failure is told."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from headtohead.core.errors import HeadToHeadError
from headtohead.training.logistic_solver import (
    AxisCurvature,
    DenseCurvature,
    PlainCurvature,
    class_weights,
    solve,
)

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4))
ROWS -= ROWS.mean(axis=0)


def penalised(
    coefficients: np.ndarray, bias: np.ndarray, labels: np.ndarray, c: float, weights: np.ndarray
) -> float:
    scores = ROWS @ coefficients.T + bias
    if scores.shape[1] == 1:
        scores = np.column_stack([np.zeros(len(scores)), scores[:, 0]])
    logs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    return float(-(weights * logs[np.arange(len(labels)), labels]).sum() + (coefficients**2).sum() / (2 * c))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_no_small_step_from_the_solution_lowers_the_penalised_loss(k: int, c: float) -> None:
    labels = np.arange(60) % k
    weights = np.random.default_rng(5).uniform(0.2, 3, 60)
    found, bias = solve(ROWS, labels, c, DenseCurvature(ROWS.T @ ROWS), weights)
    assert found.shape == (1 if k == 2 else k, 4)
    best = penalised(found, bias, labels, c, weights)
    rng = np.random.default_rng(6)
    for _ in range(20):
        step = 1e-3 * rng.normal(size=found.shape), 1e-3 * rng.normal(size=bias.shape)
        assert penalised(found + step[0], bias + step[1], labels, c, weights) > best
    if k > 2:
        assert bias.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("k", [2, 3])
def test_the_curvature_decides_the_way_and_not_its_end(k: int) -> None:
    labels = np.arange(60) % k
    gram = ROWS.T @ ROWS
    ends = [
        solve(ROWS, labels, 0.5, curvature, np.ones(60))
        for curvature in (
            DenseCurvature(gram),
            DenseCurvature(gram).of_part(0.3),
            PlainCurvature(60.0),
            AxisCurvature(np.diag(gram).copy()),
        )
    ]
    for weights, bias in ends[1:]:
        np.testing.assert_allclose(weights, ends[0][0], atol=1e-6)
        np.testing.assert_allclose(bias, ends[0][1], atol=1e-6)


@pytest.mark.parametrize(
    ("curvature", "square"),
    [
        (AxisCurvature(np.array([4.0, 9.0])), np.diag([4.0, 9.0])),
        (PlainCurvature(5.0), np.diag([5.0, 5.0])),
        (DenseCurvature(np.array([[4.0, 1.0], [1.0, 9.0]])), np.array([[4.0, 1.0], [1.0, 9.0]])),
        (DenseCurvature(np.array([[4.0, 1.0], [1.0, 9.0]]), 0.5), np.array([[2.0, 0.5], [0.5, 4.5]])),
    ],
)
def test_round_coordinates_turn_the_hessian_into_the_identity(curvature: object, square: np.ndarray) -> None:
    factor, ridge = 0.25, 3.0
    back, forth = curvature.scaling(factor, ridge)  # type: ignore[attr-defined]
    hessian = factor * square + ridge * np.eye(2)
    np.testing.assert_allclose(forth(hessian @ back(np.eye(2))), np.eye(2), atol=1e-12)


def test_the_gram_matrix_is_not_changed_by_a_fit() -> None:
    gram = np.array([[4.0, 1.0], [1.0, 9.0]])
    before = gram.copy()
    DenseCurvature(gram).scaling(0.25, 1.0)
    assert np.array_equal(gram, before)


def test_weights_that_even_classes_out_have_a_mean_of_one() -> None:
    labels = np.repeat([0, 1, 2], [30, 6, 4])
    weights = class_weights(labels, balanced=True)
    sums = np.bincount(labels, weights)
    np.testing.assert_allclose(sums, 40 / 3)
    assert weights.mean() == pytest.approx(1.0) and (class_weights(labels, balanced=False) == 1).all()
    gap = class_weights(np.repeat([0, 2], [30, 10]), balanced=True)  # a class that is nowhere takes no part
    np.testing.assert_allclose([gap[0], gap[-1]], [40 / 60, 2.0])


def test_a_sample_of_weight_two_is_that_sample_twice() -> None:
    labels = np.arange(60) % 2
    weights = np.where(np.arange(60) < 20, 2.0, 1.0)
    doubled = np.concatenate([ROWS, ROWS[:20]]), np.concatenate([labels, labels[:20]])
    one, bias = solve(ROWS, labels, 0.5, PlainCurvature(60.0), weights)
    two, other = solve(*doubled, 0.5, PlainCurvature(60.0), np.ones(80))
    np.testing.assert_allclose(one, two, atol=1e-6)
    np.testing.assert_allclose(bias, other, atol=1e-6)


def test_a_search_that_ends_early_is_told_with_c_and_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.optimize

    ended = SimpleNamespace(fun=1.0, jac=np.array([2e-5, 0.0]), x=np.zeros(5))
    monkeypatch.setattr(scipy.optimize, "minimize", lambda *_, **__: ended)
    with pytest.raises(
        HeadToHeadError, match=r"^The probe did not converge at C = 0\.5 on 60 rows of 4 features\."
    ):
        solve(ROWS, np.arange(60) % 2, 0.5, PlainCurvature(60.0), np.ones(60))
    ended.jac = np.array([1e-6, 0.0])
    solve(ROWS, np.arange(60) % 2, 0.5, PlainCurvature(60.0), np.ones(60))
    ended.fun = np.inf
    with pytest.raises(HeadToHeadError, match="did not converge"):
        solve(ROWS, np.arange(60) % 2, 0.5, PlainCurvature(60.0), np.ones(60))
