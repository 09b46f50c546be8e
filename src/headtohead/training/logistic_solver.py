"""L2-regularised logistic regression by L-BFGS in coordinates in which the problem is nearly round.

The penalised loss at weights 0 has the Hessian `p (1 - p) X'X + I / C`. In coordinates that turn this into the identity
L-BFGS (Liu and Nocedal 1989, Math Program 45:503) needs some ten to thirty steps, whatever C and however correlated the
features are, and a small gradient there means a small error of the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import HeadToHeadError

__all__ = ["AxisCurvature", "Curvature", "DenseCurvature", "PlainCurvature", "class_weights", "solve"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Change = Callable[[Floats], Floats]

GRADIENT = (
    1e-7  # largest entry at which the fit ends; probabilities are then within about 1e-7 of the optimum
)
ACCEPTED = 1e-5  # what rounding may leave where the line search can do no more
STEPS = 2000
MEMORY = 20  # pairs of steps that L-BFGS keeps


class Curvature(Protocol):
    """Gives round coordinates for weights of shape (r, m)."""

    def scaling(self, factor: float, ridge: float) -> tuple[Change, Change]:
        """Return the changes `R^-1` and `R^-T` of (r, m) arrays with R'R close to `factor * X'X + ridge * I`."""


class AxisCurvature:
    """Of rows along their principal axes, where X'X is diagonal.

    Args:
        squares: (r,) the diagonal.
    """

    def __init__(self, squares: Floats) -> None:
        self._squares = squares

    def scaling(self, factor: float, ridge: float) -> tuple[Change, Change]:
        """Return the two changes, which are equal."""
        inverse = 1.0 / np.sqrt(factor * self._squares + ridge)[:, None]
        return (lambda rows: rows * inverse), (lambda rows: rows * inverse)


class DenseCurvature:
    """Of rows along any axes; parts of the same rows may share it, since it only shortens the way.

    Args:
        gram: (r, r) X'X.
        share: of the rows of which `gram` was made that are fitted.
    """

    def __init__(self, gram: Floats, share: float = 1.0) -> None:
        self._gram, self._share = gram, share

    def of_part(self, share: float) -> DenseCurvature:
        """Return the curvature of a part of the rows.

        Args:
            share: of the rows, in (0, 1].
        """
        return DenseCurvature(self._gram, share)

    def scaling(self, factor: float, ridge: float) -> tuple[Change, Change]:
        """Return the two changes by the Cholesky factor."""
        from scipy.linalg import cholesky, solve_triangular

        whole = self._gram * (factor * self._share)
        whole.flat[:: len(whole) + 1] += ridge
        root = cholesky(whole, overwrite_a=True, check_finite=False)
        return (
            lambda rows: solve_triangular(root, rows, check_finite=False),
            lambda rows: solve_triangular(root, rows, trans="T", check_finite=False),
        )


class PlainCurvature:
    """Of rows whose X'X is too large to factor: only its mean diagonal counts.

    Args:
        square: mean of the diagonal of X'X.
    """

    def __init__(self, square: float) -> None:
        self._square = square

    def scaling(self, factor: float, ridge: float) -> tuple[Change, Change]:
        """Return the two changes, which are equal."""
        inverse = 1.0 / np.sqrt(factor * self._square + ridge)
        return (lambda rows: rows * inverse), (lambda rows: rows * inverse)


def class_weights(labels: Ints, *, balanced: bool) -> Floats:
    """Return (n,) weights of samples: ones, or those that weigh the classes equally and have mean 1."""
    if not balanced:
        return np.ones(len(labels))
    counts = np.bincount(labels)
    return np.asarray(len(labels) / (np.count_nonzero(counts) * counts[labels]), dtype=np.float64)


def solve(
    rows: Floats, labels: Ints, c: float, curvature: Curvature, weights: Floats
) -> tuple[Floats, Floats]:
    """Return coefficients (m, r) and intercepts (m,) that minimise `sum(w * loss) + |coefficients|^2 / (2 C)`.

    The minimum of scikit-learn's `LogisticRegression(C)`: m = 1 for two classes, else one row a class (softmax),
    whose intercepts have mean 0.

    Args:
        rows: (n, r), columns with mean 0.
        labels: (n,) class indices, all classes from 0 to the largest present.
        c: inverse strength of the L2 penalty; intercepts are not penalised.
        curvature: of the rows.
        weights: (n,) of the samples.

    Raises:
        HeadToHeadError: the fit did not converge, or a class is missing.
    """
    from scipy.optimize import minimize

    counts = np.bincount(labels)
    if len(counts) < 2 or not counts.all():
        raise HeadToHeadError(
            f"A probe needs every class among its training rows, and two at least; got counts {counts.tolist()}."
        )
    shares = np.bincount(labels, weights) / weights.sum()
    spread = shares * (1 - shares)
    factor = float(weights.mean() * spread.mean())  # w p (1 - p) where only the intercepts have been fitted
    back, forth = curvature.scaling(factor, 1.0 / c)
    unit = 1.0 / np.sqrt(factor * len(rows))
    m, r = 1 if len(counts) == 2 else len(counts), rows.shape[1]
    loss = _binary(labels, weights) if m == 1 else _softmax(labels, weights, m)

    def objective(point: Floats) -> tuple[float, Floats]:
        round_ = point.reshape(r + 1, m)
        coefficients = back(round_[:r])
        value, residual = loss(rows @ coefficients + round_[r] * unit)
        gradient = np.empty_like(round_)
        gradient[:r] = forth(rows.T @ residual + coefficients / c)
        gradient[r] = residual.sum(axis=0) * unit
        return value + 0.5 / c * float(np.vdot(coefficients, coefficients)), gradient.ravel()

    # The gradient alone decides: where the loss hardly changes the optimum may still be far.
    options = {"maxiter": STEPS, "maxfun": 4 * STEPS, "ftol": 0.0, "gtol": GRADIENT, "maxcor": MEMORY}
    search: Any = minimize  # its overloads do not know float and int options in one
    found = search(objective, np.zeros((r + 1) * m), jac=True, method="L-BFGS-B", options=options)
    if not np.isfinite(found.fun) or float(np.abs(found.jac).max()) > ACCEPTED:
        raise HeadToHeadError(
            f"The probe did not converge at C = {c} on {len(rows)} rows of {r} features. "
            "Look for features that are not finite or wildly scaled."
        )
    best = found.x.reshape(r + 1, m)
    bias = best[r] * unit
    # The softmax is the same whatever is added to all intercepts.
    return np.ascontiguousarray(back(best[:r]).T), bias if m == 1 else bias - bias.mean()


def _binary(labels: Ints, weights: Floats) -> Callable[[Floats], tuple[float, Floats]]:
    from scipy.special import expit

    sign = np.where(labels == 1, 1.0, -1.0)

    def loss(scores: Floats) -> tuple[float, Floats]:
        margin = sign * scores[:, 0]
        value = float(weights @ np.logaddexp(0.0, -margin))
        return value, (-sign * weights * expit(-margin))[:, None]

    return loss


def _softmax(labels: Ints, weights: Floats, m: int) -> Callable[[Floats], tuple[float, Floats]]:
    from scipy.special import log_softmax

    truth = np.eye(m)[labels]

    def loss(scores: Floats) -> tuple[float, Floats]:
        logs = log_softmax(scores, axis=1)
        value = -float(weights @ logs[np.arange(len(logs)), labels])
        return value, weights[:, None] * (np.exp(logs) - truth)

    return loss
