"""L2-regularised logistic regression on standardised rows, solved in the span of the samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import HeadToHeadError
from headtohead.training.logistic_solver import (
    FACTORED,
    AxisCurvature,
    Curvature,
    DenseCurvature,
    PlainCurvature,
    Solution,
    class_weights,
    solve,
)

__all__ = ["FittedProbe", "StandardizedDesign", "fit_probe"]

Floats = npt.NDArray[np.float64]


Ints = npt.NDArray[np.int64]


NEGLIGIBLE = 1e-12  # share of the largest squared strength below which an axis holds rounding alone


@dataclass(frozen=True)
class FittedProbe:
    """A fitted probe, as plain arrays: enough to predict, to explain and to export.

    Attributes:
        mean, scale: (D,) of the training rows; constant columns have scale 1.
        weights: (k, D), or (1, D) for two classes; bias: (k,) or (1,).
    """

    mean: Floats
    scale: Floats
    weights: Floats
    bias: Floats

    def at_frequencies(self, labels: Ints) -> FittedProbe:
        """Return the probe, fitted with classes of equal weight, at the class frequencies of its training part.

        The odds are shifted by those of the classes (Saerens, Latinne and Decaestecker 2002, Neural Comput 14:21).

        Args:
            labels: (n,) of the training part.
        """
        # Two classes share one intercept.
        odds = np.log(np.bincount(labels, minlength=max(2, len(self.bias))))
        shift = odds - odds.mean() if len(self.bias) > 1 else odds[1:] - odds[:1]
        return replace(self, bias=self.bias + shift)

    def predict_proba(self, rows: npt.NDArray[Any]) -> Floats:
        """Return (n, k) class probabilities for feature rows (n, D)."""
        from scipy.special import expit, softmax

        scores = ((rows - self.mean) / self.scale) @ self.weights.T + self.bias
        if scores.shape[1] == 1:
            positive = expit(scores[:, 0])
            return np.column_stack([1.0 - positive, positive])
        return np.asarray(softmax(scores, axis=1), dtype=np.float64)


@dataclass(frozen=True)
class StandardizedDesign:
    """Standardised training rows in the space that they span; made once, fitted at many values of C.

    The penalty does not change under rotation, so with fewer samples than features the fit is done
    along the principal axes of the rows, at most n, and rotated back: the same solution, several times faster.

    Attributes:
        mean, scale: (D,); rows: (n, r), r < n or r = D; basis: (r, D), or None where the axes are the features.
        curvature: how strongly the rows bend the loss, for the solver.
    """

    mean: Floats
    scale: Floats
    rows: Floats
    basis: Floats | None
    curvature: Curvature

    @classmethod
    def from_features(
        cls, rows: npt.NDArray[Any], whole: StandardizedDesign | None = None
    ) -> StandardizedDesign:
        """Standardise feature rows (n, D) and rotate them into their span.

        Args:
            rows: (n, D).
            whole: of the rows of which these are a part; its factorisation is used again where that serves.

        Raises:
            HeadToHeadError: rows that are not finite.
        """
        standard = np.array(rows, dtype=np.float64)
        n, d = standard.shape
        mean = standard.mean(axis=0)
        standard -= mean
        spread = np.sqrt(np.einsum("ij,ij->j", standard, standard) / n)  # `std` would copy the rows
        if not np.isfinite(spread).all():
            raise HeadToHeadError(
                f"{int((~np.isfinite(spread)).sum())} of {d} features are not finite in every row; "
                "a probe needs finite numbers."
            )
        scale = np.where(spread > 1e-12, spread, 1.0)
        standard /= scale
        if whole is not None and isinstance(whole.curvature, DenseCurvature):
            # It decides how many steps are taken, not where they end.
            return cls(mean, scale, standard, None, whole.curvature.of_part(n / len(whole.rows)))
        if n < d:
            return cls(mean, scale, *_along_axes(standard))
        if d > FACTORED:
            return cls(mean, scale, standard, None, PlainCurvature(float(n)))
        return cls(mean, scale, standard, None, DenseCurvature(standard.T @ standard))

    def fit(self, labels: Ints, c: float, *, balanced: bool = False) -> FittedProbe:
        """Return the probe at one C.

        Args: as `fits`.
        """
        return next(self.fits(labels, [c], balanced=balanced))

    def fits(self, labels: Ints, grid: Iterable[float], *, balanced: bool = False) -> Iterator[FittedProbe]:
        """Yield the probe at each C of a grid; every search but the first starts at the solution before.

        Args:
            labels: (n,) class indices, all classes present.
            grid: inverse strengths of the L2 penalty, as in scikit-learn; in ascending order the fits take least time.
            balanced: weigh the classes equally while fitting; probabilities stay at the frequencies of the labels.

        Raises:
            HeadToHeadError: a class is missing, or a fit did not converge.
        """
        sample_weights = class_weights(labels, balanced=balanced)
        near: Solution | None = None
        for c in grid:
            near = solve(self.rows, labels, c, self.curvature, sample_weights, near)
            weights = near.coefficients if self.basis is None else near.coefficients @ self.basis
            probe = FittedProbe(self.mean, self.scale, weights, near.bias)
            yield probe.at_frequencies(labels) if balanced else probe


def _along_axes(standard: Floats) -> tuple[Floats, Floats, Curvature]:
    """Return rows (n, r) along their principal axes, the axes (r, D) and the curvature.

    From the n x n products of the rows, which take a fifth of the time of a singular value decomposition.
    """
    from scipy.linalg import eigh

    squares, turned = eigh(standard @ standard.T, check_finite=False, overwrite_a=True, driver="evd")
    kept = squares > NEGLIGIBLE * max(float(squares[-1]), np.finfo(np.float64).tiny)
    squares, turned = squares[kept], turned[:, kept]
    strengths = np.sqrt(squares)
    return turned * strengths, (turned / strengths).T @ standard, AxisCurvature(squares)


def fit_probe(rows: npt.NDArray[Any], labels: Ints, c: float, *, balanced: bool = False) -> FittedProbe:
    """Fit one probe at a given C.

    Args:
        rows: (n, D) features; labels: (n,) class indices, all classes present.
        c: inverse strength of the L2 penalty, as in scikit-learn.
        balanced: weigh the classes equally while fitting; probabilities stay at the frequencies of the labels.
    """
    return StandardizedDesign.from_features(rows).fit(labels, c, balanced=balanced)
