"""Two classes and few features: Newton's method, whose Hessian is then made faster than L-BFGS takes its steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headtohead.training.logistic.loss import Solution, binary_loss

__all__ = ["newton", "newton_pays"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Multiplications in a Hessian up to which Newton's method is faster, by measurement: those of 320 rows of 320 features.
MULTIPLICATIONS = 1 << 25
# The squared length of a step, in coordinates that turn the Hessian into the identity, after which the next would be
# about its square: 1e-10, far below the error of 1e-7 that is asked for.
DECREMENT = 1e-10
# The same, after which whole steps need no watching, and the losses may round by more than they lower them.
CLOSE = 1e-4
ENOUGH = 1e-4  # share of the decrease that the slope promises which a step must bring (Armijo)
BLOCK = 4096  # rows that are copied at a time
STEPS = 100  # some ten are taken
HALVINGS = 40


def newton_pays(n: int, r: int) -> bool:
    """Return whether a fit of n rows of r features takes less time here than by L-BFGS."""
    return n * r * r <= MULTIPLICATIONS


def newton(rows: Floats, labels: Ints, c: float, weights: Floats, near: Solution | None) -> Solution | None:
    """Return what minimises `sum(w * loss) + |coefficients|^2 / (2 C)` of two classes; None where no step helps.

    Nocedal and Wright 2006, Numerical Optimization, algorithm 3.2 with steps that are halved.

    Args: as `solve`; both classes are present.
    """
    from scipy.linalg import lapack

    r, loss = rows.shape[1], binary_loss(labels, weights)
    point = np.zeros(r + 1) if near is None else np.append(near.coefficients[0], near.bias)

    def evaluated(at: Floats) -> tuple[Floats, Floats]:
        losses, residual = loss((rows @ at[:r] + at[r])[:, None])
        return losses, residual[:, 0]

    losses, residual = evaluated(point)
    before = np.inf
    for _ in range(STEPS):
        gradient = np.append(rows.T @ residual + point[:r] / c, residual.sum())
        root, failed = lapack.dpotrf(_hessian(rows, residual, weights, c), lower=1, clean=0, overwrite_a=1)
        if failed:
            return None
        step = lapack.dpotrs(root, gradient, lower=1)[0]
        decrement = float(gradient @ step)
        if decrement <= DECREMENT:
            end = point - step
            return Solution(end[None, :r].copy(), end[r:].copy(), far=False)
        if decrement <= CLOSE:
            if decrement >= before:
                return None
            point, before = point - step, decrement
            losses, residual = evaluated(point)
            continue
        for halvings in range(HALVINGS):
            share = 0.5**halvings
            there = point - share * step
            found, residual = evaluated(there)
            penalty = 0.5 / c * float((there[:r] - point[:r]) @ (there[:r] + point[:r]))
            if float((found - losses).sum()) + penalty <= -ENOUGH * share * decrement:
                break
        else:
            return None
        point, losses = there, found
    return None


def _hessian(rows: Floats, residual: Floats, weights: Floats, c: float) -> Floats:
    """Return the Hessian (r + 1, r + 1), last the intercept, in Fortran's order."""
    r = rows.shape[1]
    wrong = np.abs(residual) / weights  # the probability of the other class
    spread = weights * wrong * (1.0 - wrong)
    whole = np.zeros((r + 1, r + 1), order="F")
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        scaled = rows[part] * np.sqrt(spread[part])[:, None]
        whole[:r, :r] += scaled.T @ scaled
    whole[r, :r] = spread @ rows
    whole[r, r] = spread.sum()
    np.einsum("ii->i", whole)[:r] += 1.0 / c
    return whole
