"""How strongly rows bend the logistic loss: coordinates in which a search for its minimum is short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["FACTORED", "Curvature", "DenseCurvature", "PlainCurvature"]

Floats = npt.NDArray[np.float64]
Change = Callable[[Floats], Floats]

FACTORED = (
    4096  # features up to which X'X is factored: 134 MB and some seconds; beyond, the fit takes more steps
)


class Curvature(Protocol):
    """Gives round coordinates for weights of shape (r, m)."""

    def scaling(self, factor: float, ridge: float) -> tuple[Change, Change]:
        """Return the changes `R^-1` and `R^-T` of (r, m) arrays with R'R close to `factor * X'X + ridge * I`."""


class DenseCurvature:
    """Of rows along any axes; parts of the same rows may share it, since it only shortens the way.

    Args:
        gram: (r, r) X'X.
        share: the rows that are fitted, over those of which `gram` was made.
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
        from scipy.linalg import LinAlgError, cholesky, solve_triangular

        whole = self._gram * (factor * self._share)
        whole.flat[:: len(whole) + 1] += ridge
        try:
            root = cholesky(whole, overwrite_a=True, check_finite=False)
        except LinAlgError:  # next to no penalty on features that depend on one another: more steps, then
            return PlainCurvature(float(self._gram.trace()) / len(self._gram) * self._share).scaling(
                factor, ridge
            )
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
