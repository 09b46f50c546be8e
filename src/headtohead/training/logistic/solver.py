"""Logistic regression by L-BFGS in coordinates in which the problem is nearly round, or by Newton's method where small.

The penalised loss at weights 0 has the Hessian `p (1 - p) X'X + I / C`. In coordinates that turn this into the identity
L-BFGS (Liu and Nocedal 1989, Math Program 45:503) needs some ten to thirty steps, however correlated the features are,
and a small gradient there means a small error of the scores. Under a weak penalty the solution lies far from 0, where
the loss bends otherwise, and hundreds of steps would be needed: with two classes the search goes on in the coordinates
of the Hessian where it stands, in which ten to fifty more are enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import HeadToHeadError
from headtohead.core.parallel import ordered_map
from headtohead.training.logistic.curvature import FACTORED, Curvature, DenseCurvature
from headtohead.training.logistic.loss import Loss, Solution, binary_loss, softmax_loss
from headtohead.training.logistic.newton import newton, newton_pays

__all__ = ["solve"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GRADIENT = (
    1e-7  # largest entry at which the fit ends; probabilities are then within about 1e-7 of the optimum
)
# What rounding may leave where a line search can do no more, and Newton's method does not go on: more than two classes.
ACCEPTED = 1e-4
LESS = 0.5  # of the error is left where going on helped
EVALUATIONS = 8000  # of the loss
MEMORY = 20  # pairs of steps that L-BFGS keeps
# Evaluations after which a Hessian is made, first and again; it takes the time of 10 (200 features) to 30 (1,280).
PATIENCE, PATIENCE_REFINED = 30, 90
NEAR = 14  # evaluations up to which the next C of a grid is better begun without one
BLOCK = 4096  # rows whose products one thread makes


def solve(
    rows: Floats,
    labels: Ints,
    c: float,
    curvature: Curvature,
    weights: Floats,
    near: Solution | None = None,
    *,
    workers: int = 1,
) -> Solution:
    """Return what minimises `sum(w * loss) + |coefficients|^2 / (2 C)`.

    The minimum of scikit-learn's `LogisticRegression(C)`: m = 1 for two classes, else one row a class (softmax),
    whose intercepts have mean 0.

    Args:
        rows: (n, r), columns with mean 0.
        labels: (n,) class indices, all classes from 0 to the largest present.
        c: inverse strength of the L2 penalty; intercepts are not penalised.
        curvature: of the rows at coefficients 0.
        weights: (n,) of the samples, all above 0.
        near: the solution at a C close by, where the search starts; at 0 if None. It decides the way, not its end.
        workers: threads for the products of many rows; no digit depends on their number.

    Raises:
        HeadToHeadError: the fit did not converge, or a class is missing.
    """
    counts = np.bincount(labels)
    if len(counts) < 2 or not counts.all():
        raise HeadToHeadError(
            f"A probe needs every class among its training rows, and two at least; got counts {counts.tolist()}."
        )
    m, r = 1 if len(counts) == 2 else len(counts), rows.shape[1]
    if m == 1 and newton_pays(len(rows), r):
        quick = newton(rows, labels, c, weights, near)
        if quick is not None:
            return quick
    return _Problem(rows, labels, c, weights, m, workers).minimum(curvature, near)


@dataclass(frozen=True)
class _Ended:
    """Where a search ended.

    Attributes:
        point: (r + 1, m) coefficients and, last, intercepts.
        error: largest entry of the gradient in round coordinates.
        evaluations: of the loss.
        stuck: its evaluations were not up; rounding left nothing to gain where it has not converged.
    """

    point: Floats
    error: float
    evaluations: int
    stuck: bool


class _Problem:
    """The penalised loss of rows as a function of (r + 1, m) coefficients and, last, intercepts."""

    def __init__(
        self, rows: Floats, labels: Ints, c: float, weights: Floats, m: int, workers: int = 1
    ) -> None:
        self._rows, self._c, self._weights, self._workers = rows, c, weights, workers
        self._labels, self._m = labels, m
        # of a fixed size, so that sums are the same with any number of threads
        self._blocks = [
            (rows[i : i + BLOCK], self._loss(slice(i, i + BLOCK))) for i in range(0, len(rows), BLOCK)
        ]

    def _loss(self, part: slice) -> Loss:
        labels, weights = self._labels[part], self._weights[part]
        return binary_loss(labels, weights) if self._m == 1 else softmax_loss(labels, weights, self._m)

    def __call__(self, point: Floats) -> tuple[list[Floats], Floats]:
        """Return the losses of each block, without the penalty, and the gradient with it."""
        coefficients = point[:-1]

        def of_block(block: tuple[Floats, Loss]) -> tuple[Floats, Floats]:
            rows, loss = block
            losses, residual = loss(rows @ coefficients + point[-1])
            return losses, np.vstack([rows.T @ residual, residual.sum(axis=0)])

        few = self._workers == 1 or len(self._blocks) == 1
        parts = (
            map(of_block, self._blocks) if few else ordered_map(of_block, self._blocks, workers=self._workers)
        )
        every, gradient = [], np.zeros_like(point)
        gradient[:-1] = coefficients / self._c
        for losses, slope in parts:
            every.append(losses)
            gradient += slope
        return every, gradient

    def curvature(self, point: Floats) -> tuple[Curvature, float]:
        """Return the curvature of a loss of two classes at a point, and the factor that goes with it."""
        _, residual = self._loss(slice(None))(self._rows @ point[:-1] + point[-1])
        wrong = np.abs(residual[:, 0]) / self._weights  # the probability of the other class
        spread = self._weights * wrong * (1.0 - wrong)
        scale = np.sqrt(spread / spread.mean())[:, None]

        def of_block(start: int) -> Floats:
            # in single precision half the time, and near enough for what decides the way alone
            scaled = (self._rows[start : start + BLOCK] * scale[start : start + BLOCK]).astype(np.float32)
            part: Floats = (scaled.T @ scaled).astype(np.float64)
            return part

        # of all rows: under a weak penalty few of them bend the loss, and a part would miss most of those
        gram = sum(
            ordered_map(of_block, range(0, len(spread), BLOCK), workers=self._workers, ahead=self._workers)
        )
        return DenseCurvature(np.asarray(gram)), float(spread.mean())

    def minimum(self, curvature: Curvature, near: Solution | None) -> Solution:
        """Search in the coordinates of the curvature at 0, then of those where the search stands.

        Raises:
            HeadToHeadError: the fit did not converge.
        """
        r, refines = self._rows.shape[1], self._m == 1 and self._rows.shape[1] <= FACTORED
        point = np.zeros((r + 1, self._m)) if near is None else np.vstack([near.coefficients.T, near.bias])
        factor, most = self._factor_at_zero(), PATIENCE if refines else EVALUATIONS
        refined, evaluations, error = False, 0, np.inf
        while evaluations < EVALUATIONS:
            if refines and (evaluations or (near is not None and near.far)):
                curvature, factor = self.curvature(point)
                refined, most = True, PATIENCE_REFINED
            ended = self.search(point, curvature, factor, most)
            point, evaluations = ended.point, evaluations + ended.evaluations
            far = refined or evaluations > NEAR
            if (
                refines and ended.stuck and ended.error > GRADIENT
            ):  # a last step or two, judged by the gradient alone
                start = Solution(point[:r].T, point[r], far)
                last = newton(self._rows, self._labels, self._c, self._weights, start)
                if last is not None:
                    return Solution(last.coefficients, last.bias, far)
            # Where rounding stopped it a search can go on, since it counts from its start, as long as that helps.
            over = ended.stuck and ended.error >= LESS * error
            if ended.error <= (ACCEPTED if over else GRADIENT):
                # The softmax is the same whatever is added to all intercepts.
                bias = point[r] if self._m == 1 else point[r] - point[r].mean()
                return Solution(np.ascontiguousarray(point[:r].T), bias, far)
            if over or not np.isfinite(ended.error):
                break
            error = ended.error
        raise HeadToHeadError(
            f"The probe did not converge at C = {self._c} on {len(self._rows)} rows of {r} features. "
            "Look for features that are not finite or wildly scaled."
        )

    def _factor_at_zero(self) -> float:
        """Return the mean over rows and classes of w p (1 - p) where only the intercepts have been fitted."""
        shares = np.bincount(self._labels, self._weights) / self._weights.sum()
        return float(self._weights.mean() * (shares * (1 - shares)).mean())

    def search(self, start: Floats, curvature: Curvature, factor: float, most: int) -> _Ended:
        """Search from a start in the coordinates of a curvature.

        Args:
            start: (r + 1, m). curvature, factor: there or nearby. most: evaluations of the loss.
        """
        from scipy.optimize import minimize

        back, forth = curvature.scaling(factor, 1.0 / self._c)
        unit = 1.0 / np.sqrt(factor * len(self._rows))

        def at(step: Floats) -> Floats:
            turned = step.reshape(start.shape)
            whole: Floats = np.vstack([back(turned[:-1]), turned[-1:] * unit])
            return start + whole

        first: list[Floats] = []

        def objective(step: Floats) -> tuple[float, Floats]:
            point = at(step)
            losses, gradient = self(point)
            first.extend([] if first else losses)  # the search begins at the start
            moved = 0.5 / self._c * float(np.vdot(point[:-1] - start[:-1], point[:-1] + start[:-1]))
            value = moved + sum(float((new - old).sum()) for new, old in zip(losses, first, strict=True))
            return value, np.vstack([forth(gradient[:-1]), gradient[-1:] * unit]).ravel()

        # The gradient alone decides: where the loss hardly changes the optimum may still be far.
        options = {"maxiter": most, "maxfun": most, "ftol": 0.0, "gtol": GRADIENT, "maxcor": MEMORY}
        search: Any = minimize  # its overloads do not know float and int options in one
        found = search(objective, np.zeros(start.size), jac=True, method="L-BFGS-B", options=options)
        error = float(np.abs(found.jac).max()) if np.isfinite(found.fun) else np.inf
        return _Ended(at(found.x), error, int(found.nfev), found.status != 1)
