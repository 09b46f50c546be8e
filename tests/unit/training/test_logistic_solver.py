"""The solver: the gradient vanishes where it ends, weights of samples count, and a failure is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax

from headtohead.core.errors import HeadToHeadError
from headtohead.training.logistic import newton as quick_module
from headtohead.training.logistic import solver as module
from headtohead.training.logistic.curvature import DenseCurvature, PlainCurvature
from headtohead.training.logistic.loss import Solution, class_weights
from headtohead.training.logistic.newton import newton, newton_pays
from headtohead.training.logistic.solver import _Problem, solve

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4))
ROWS -= ROWS.mean(axis=0)


@pytest.fixture(params=["newton", "l-bfgs"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Fit two classes by either method."""
    monkeypatch.setattr(module, "newton_pays", lambda _n, _r: request.param == "newton")
    return str(request.param)


@pytest.fixture
def lbfgs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "newton_pays", lambda _n, _r: False)


def penalised(
    coefficients: np.ndarray, bias: np.ndarray, labels: np.ndarray, c: float, weights: np.ndarray
) -> float:
    scores = ROWS @ coefficients.T + bias
    if scores.shape[1] == 1:
        scores = np.column_stack([np.zeros(len(scores)), scores[:, 0]])
    logs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    return float(-(weights * logs[np.arange(len(labels)), labels]).sum() + (coefficients**2).sum() / (2 * c))


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_no_small_step_from_the_solution_lowers_the_penalised_loss(k: int, c: float) -> None:
    labels = np.arange(60) % k
    weights = np.random.default_rng(5).uniform(0.2, 3, 60)
    end = solve(ROWS, labels, c, DenseCurvature(ROWS.T @ ROWS), weights)
    found, bias = end.coefficients, end.bias
    assert found.shape == (1 if k == 2 else k, 4)
    best = penalised(found, bias, labels, c, weights)
    rng = np.random.default_rng(6)
    for _ in range(20):
        step = 1e-3 * rng.normal(size=found.shape), 1e-3 * rng.normal(size=bias.shape)
        assert penalised(found + step[0], bias + step[1], labels, c, weights) > best
    if k > 2:
        assert bias.sum() == pytest.approx(0, abs=1e-9)


def same_end(first: Solution, second: Solution) -> None:
    np.testing.assert_allclose(first.coefficients, second.coefficients, atol=1e-6)
    np.testing.assert_allclose(first.bias, second.bias, atol=1e-6)


@pytest.mark.usefixtures("lbfgs")
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
        )
    ]
    for end in ends[1:]:
        same_end(end, ends[0])


@pytest.mark.parametrize(
    ("curvature", "square"),
    [
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


@pytest.mark.usefixtures("either")
def test_a_sample_of_weight_two_is_that_sample_twice() -> None:
    labels = np.arange(60) % 2
    weights = np.where(np.arange(60) < 20, 2.0, 1.0)
    doubled = np.concatenate([ROWS, ROWS[:20]]), np.concatenate([labels, labels[:20]])
    once = solve(ROWS, labels, 0.5, PlainCurvature(60.0), weights)
    same_end(once, solve(*doubled, 0.5, PlainCurvature(60.0), np.ones(80)))


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("far", [False, True])
def test_the_start_decides_the_way_and_not_its_end(k: int, far: bool) -> None:
    labels = np.arange(60) % k
    curvature, weights = DenseCurvature(ROWS.T @ ROWS), np.ones(60)
    cold = solve(ROWS, labels, 0.5, curvature, weights)
    rng = np.random.default_rng(3)
    m = 1 if k == 2 else k
    near = Solution(rng.normal(size=(m, 4)), rng.normal(size=m), far)
    same_end(solve(ROWS, labels, 0.5, curvature, weights, near), cold)


@pytest.mark.usefixtures("lbfgs")
def test_a_weak_penalty_takes_a_hessian_and_not_hundreds_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    labels = (np.arange(150) % 2).astype(np.int64)
    turn = np.linalg.qr(rng.normal(size=(100, 100)))[0] * np.geomspace(10, 0.1, 100)
    rows = (rng.normal(size=(150, 100)) + 0.3 * labels[:, None]) @ turn
    rows -= rows.mean(axis=0)
    counted: list[int] = []
    search = _Problem.search

    def counting(self: _Problem, *given: Any) -> Any:
        ended = search(self, *given)
        counted.append(ended.evaluations)
        return ended

    monkeypatch.setattr(_Problem, "search", counting)
    given = (rows, labels, 10.0, DenseCurvature(rows.T @ rows), np.ones(150))
    quick = solve(*given)
    assert quick.far and sum(counted) < 100
    counted.clear()
    again = solve(*given, near=quick)
    assert len(counted) == 1 and counted[0] < 5
    monkeypatch.setattr(module, "FACTORED", 50)
    counted.clear()
    slow = solve(*given)
    assert len(counted) == 1 and counted[0] > 200
    for one in (again, slow):
        np.testing.assert_allclose(one.coefficients, quick.coefficients, atol=1e-4)
    scores = rows @ quick.coefficients[0] + quick.bias
    gradient = rows.T @ (expit(scores) - labels) + quick.coefficients[0] / 10.0
    assert np.abs(gradient).max() < 1e-5


@pytest.mark.parametrize("block", [64, 4096])
def test_the_hessian_is_that_of_all_rows_where_few_bend_the_loss(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(2000, 20))
    point = 8 * rng.normal(size=(21, 1))  # nearly all rows are certain
    labels = (rows @ point[:-1, 0] + point[-1, 0] > 0).astype(np.int64)
    for workers in (1, 3):
        curvature, factor = _Problem(rows, labels, 1.0, np.ones(2000), 1, workers).curvature(point)
        back, forth = curvature.scaling(factor, 1.0)
        p = expit(rows @ point[:-1, 0] + point[-1, 0])
        assert (p * (1 - p) > 0.01).mean() < 0.1
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows + np.eye(20)
        np.testing.assert_allclose(forth(hessian @ back(np.eye(20))), np.eye(20), atol=1e-4)


@pytest.mark.usefixtures("lbfgs")
def test_a_search_that_ends_early_is_told_with_c_and_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.optimize

    ended = SimpleNamespace(fun=1.0, jac=np.array([2e-4, 0.0]), x=np.zeros(15), nfev=7, status=2)
    monkeypatch.setattr(scipy.optimize, "minimize", lambda *_, **__: ended)
    with pytest.raises(
        HeadToHeadError, match=r"^The probe did not converge at C = 0\.5 on 60 rows of 4 features\."
    ):
        solve(ROWS, np.arange(60) % 3, 0.5, PlainCurvature(60.0), np.ones(60))
    ended.jac = np.array([1e-6, 0.0])
    solve(ROWS, np.arange(60) % 3, 0.5, PlainCurvature(60.0), np.ones(60))
    ended.status = 1  # its evaluations were up: not yet, however often
    with pytest.raises(HeadToHeadError, match="did not converge"):
        solve(ROWS, np.arange(60) % 3, 0.5, PlainCurvature(60.0), np.ones(60))
    ended.status = 2
    ended.fun = np.inf
    with pytest.raises(HeadToHeadError, match="did not converge"):
        solve(ROWS, np.arange(60) % 3, 0.5, PlainCurvature(60.0), np.ones(60))


def test_newton_is_taken_where_a_hessian_is_small() -> None:
    assert newton_pays(200, 180) and newton_pays(3000, 100) and newton_pays(500_000, 8)
    assert not newton_pays(4000, 1280) and not newton_pays(3000, 300)


def test_both_methods_end_in_one_place_from_anywhere() -> None:
    labels, weights = np.arange(60) % 2, np.random.default_rng(5).uniform(0.2, 3, 60)
    curvature = DenseCurvature(ROWS.T @ ROWS)
    for c in (1e-4, 0.1, 10.0, 1e4):
        slow = module._Problem(ROWS, labels, c, weights, 1).search(np.zeros((5, 1)), curvature, 0.25, 1000)
        for start in (None, Solution(np.full((1, 4), 2.0), np.array([-3.0]), True)):
            found = newton(ROWS, labels, c, weights, start)
            assert found is not None and not found.far
            np.testing.assert_allclose(found.coefficients[0], slow.point[:4, 0], atol=1e-6, rtol=1e-6)
            np.testing.assert_allclose(found.bias, slow.point[4], atol=1e-6, rtol=1e-6)


def test_where_newton_finds_no_step_the_other_method_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(60) % 2
    given = (ROWS, labels, 0.5, DenseCurvature(ROWS.T @ ROWS), np.ones(60))
    plain = solve(*given)
    for name, value in (("STEPS", 1), ("HALVINGS", 0)):
        with monkeypatch.context() as patch:
            patch.setattr(quick_module, name, value)
            assert newton(ROWS, labels, 0.5, np.ones(60), None) is None
            same_end(solve(*given), plain)


def test_newton_halves_a_step_that_goes_too_far() -> None:
    labels = np.repeat([0, 1], 30)
    rows = np.linspace(-1, 1, 60)[:, None]
    start = Solution(
        np.array([[-60.0]]), np.array([0.0]), False
    )  # where nearly all are wrong and nothing bends
    found = newton(rows, labels, 100.0, np.ones(60), start)
    assert found is not None
    same_end(found, solve(rows, labels, 100.0, PlainCurvature(20.0), np.ones(60)))


@pytest.mark.parametrize("k", [2, 3])
def test_blocks_of_rows_give_the_same_digits_with_any_number_of_threads(
    k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, weights = np.arange(60) % k, np.random.default_rng(5).uniform(0.2, 3, 60)
    point = np.random.default_rng(6).normal(size=(5, 1 if k == 2 else k))

    def computed(workers: int) -> tuple[Any, Any]:
        losses, gradient = _Problem(ROWS, labels, 0.5, weights, point.shape[1], workers)(point)
        return np.concatenate(losses), gradient

    whole = computed(1)
    monkeypatch.setattr(module, "BLOCK", 7)
    one, many = computed(1), computed(4)
    assert np.array_equal(one[0], many[0]) and np.array_equal(one[1], many[1])
    np.testing.assert_allclose(one[0], whole[0], rtol=1e-12)
    np.testing.assert_allclose(one[1], whole[1], rtol=1e-12)


def test_a_hessian_that_cannot_be_factored_costs_steps_alone() -> None:
    gram = np.array([[2.0, 3.0], [3.0, 2.0]])  # as rounding may leave it: not positive
    back, forth = DenseCurvature(gram, 0.5).scaling(4.0, 1.0)
    np.testing.assert_allclose(back(np.eye(2)), np.eye(2) / np.sqrt(4.0 * 1.0 + 1.0))
    np.testing.assert_allclose(forth(np.eye(2)), back(np.eye(2)))


@pytest.mark.usefixtures("lbfgs")
@pytest.mark.parametrize("k", [2, 3])
def test_many_rows_are_fitted_as_closely_as_few(k: int) -> None:
    """A sum of 300,000 losses rounds by more than the last steps lower it: counted so, the search would end early."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300_000, 3))
    rows -= rows.mean(axis=0)
    labels = (rows[:, 0] + rng.normal(size=len(rows)) > 0).astype(np.int64) + (k - 2) * (
        rng.random(len(rows)) < 0.3
    )
    gram = DenseCurvature(rows.T @ rows)
    found = solve(rows, labels, 1.0, gram, np.ones(len(rows)), workers=2)
    scores = rows @ found.coefficients.T + found.bias
    p = expit(scores) if k == 2 else softmax(scores, axis=1)
    truth = labels[:, None] if k == 2 else np.eye(k)[labels]
    gradient = rows.T @ (p - truth) + found.coefficients.T
    shares = np.bincount(labels) / len(labels)
    _, forth = gram.scaling(float((shares * (1 - shares)).mean()), 1.0)
    assert np.abs(forth(gradient)).max() < 2e-7


@pytest.mark.usefixtures("lbfgs")
def test_where_scores_round_by_more_than_losses_fall_newton_takes_the_last_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(3000, 4))
    rows = hidden @ rng.normal(size=(4, 40)) + 0.001 * rng.normal(size=(3000, 40))
    rows -= rows.mean(axis=0)
    # told by small differences alone
    fine = np.linalg.svd(rows, full_matrices=False)[0][:, 20] * np.sqrt(3000)
    labels = (fine + 0.5 * rng.normal(size=3000) > 0).astype(np.int64)

    def slope() -> float:
        end = solve(rows, labels, 1e6, DenseCurvature(rows.T @ rows), np.ones(3000))
        p = expit(rows @ end.coefficients[0] + end.bias)
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows + 1e-6 * np.eye(40)
        gradient = rows.T @ (p - labels) + end.coefficients[0] / 1e6
        return float(np.sqrt(gradient @ np.linalg.solve(hessian, gradient)))

    assert slope() < 1e-7
    monkeypatch.setattr(module, "newton", lambda *_: None)
    assert slope() > 1e-6, "the case is not hard enough to show anything"
