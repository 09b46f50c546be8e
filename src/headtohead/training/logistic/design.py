"""Standardised training rows, in the space that they span, and the probes that are fitted on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import HeadToHeadError
from headtohead.training.logistic.curvature import FACTORED, Curvature, DenseCurvature, PlainCurvature
from headtohead.training.logistic.loss import Solution, class_weights
from headtohead.training.logistic.solver import solve

__all__ = ["FittedProbe", "StandardizedDesign", "fit_probe"]

Floats = npt.NDArray[np.float64]


Ints = npt.NDArray[np.int64]


NEGLIGIBLE = 1e-12  # share of the largest row's squared length below which what is left of a row is rounding


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

        weights = self.weights / self.scale  # rather than a copy of all rows
        scores = rows @ weights.T + (self.bias - weights @ self.mean)
        if scores.shape[1] == 1:
            positive = expit(scores[:, 0])
            return np.column_stack([1.0 - positive, positive])
        return np.asarray(softmax(scores, axis=1), dtype=np.float64)


@dataclass(frozen=True)
class _Span:
    """Orthonormal axes `root^-1 chosen` in the span of rows.

    Attributes:
        chosen: (r, D) independent rows. root: (r, r), lower triangular, with root root' = chosen chosen'.
    """

    chosen: Floats
    root: Floats

    def to_features(self, coefficients: Floats) -> Floats:
        """Return the coefficients (m, D) of the features for those (m, r) of the axes."""
        from scipy.linalg import solve_triangular

        turned = solve_triangular(self.root, coefficients.T, lower=True, trans="T", check_finite=False)
        return np.asarray(turned.T @ self.chosen)


def _in_span(standard: Floats) -> tuple[Floats, _Span]:
    """Return rows (n, r) along axes in their span, and these.

    By a Cholesky factorisation of the n x n products of the rows, pivoted so that rows which depend on others come last
    (LAPACK's pstrf): with 180 rows a tenth of the time of their principal axes.
    """
    from scipy.linalg import lapack

    products = standard @ standard.T
    # positive where all rows are 0, so that none is kept
    negligible = NEGLIGIBLE * max(float(products.diagonal().max()), np.finfo(np.float64).tiny)
    factor, order, rank, _ = lapack.dpstrf(products, tol=negligible, lower=1, overwrite_a=1)
    factor, order = np.tril(factor)[:, :rank], order - 1  # LAPACK counts from 1
    rows = np.empty_like(factor, order="C")
    rows[order] = factor
    return rows, _Span(standard[order[:rank]], factor[:rank])


@dataclass(frozen=True)
class StandardizedDesign:
    """Standardised training rows in the space that they span; made once, fitted at many values of C.

    The penalty does not change under rotation, so with fewer samples than features the fit is done
    along axes in the span of the rows, at most n, and rotated back: the same solution, several times faster.

    Attributes:
        mean, scale: (D,); rows: (n, r), r < n or r = D; span: their axes, or None where these are the features.
        curvature: how strongly the rows bend the loss, for the solver.
    """

    mean: Floats
    scale: Floats
    rows: Floats
    span: _Span | None
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
        if whole is not None and whole.span is None and isinstance(whole.curvature, DenseCurvature):
            # It decides how many steps are taken, not where they end.
            return cls(mean, scale, standard, None, whole.curvature.of_part(n / len(whole.rows)))
        if n < d:
            inside, span = _in_span(standard)
            return cls(mean, scale, inside, span, DenseCurvature(inside.T @ inside))
        if d > FACTORED:
            return cls(mean, scale, standard, None, PlainCurvature(float(n)))
        return cls(mean, scale, standard, None, DenseCurvature(standard.T @ standard))

    def fit(self, labels: Ints, c: float, *, balanced: bool = False, workers: int = 1) -> FittedProbe:
        """Return the probe at one C.

        Args: as `fits`.
        """
        return next(self.fits(labels, [c], balanced=balanced, workers=workers))

    def fits(
        self, labels: Ints, grid: Iterable[float], *, balanced: bool = False, workers: int = 1
    ) -> Iterator[FittedProbe]:
        """Yield the probe at each C of a grid; every search but the first starts at the solution before.

        Args:
            labels: (n,) class indices, all classes present.
            grid: inverse strengths of the L2 penalty, as in scikit-learn; in ascending order the fits take least time.
            balanced: weigh the classes equally while fitting; probabilities stay at the frequencies of the labels.
            workers: threads for the products of many rows; no digit depends on their number.

        Raises:
            HeadToHeadError: a class is missing, or a fit did not converge.
        """
        sample_weights = class_weights(labels, balanced=balanced)
        near: Solution | None = None
        for c in grid:
            near = solve(self.rows, labels, c, self.curvature, sample_weights, near, workers=workers)
            weights = near.coefficients if self.span is None else self.span.to_features(near.coefficients)
            probe = FittedProbe(self.mean, self.scale, weights, near.bias)
            yield probe.at_frequencies(labels) if balanced else probe


def fit_probe(rows: npt.NDArray[Any], labels: Ints, c: float, *, balanced: bool = False) -> FittedProbe:
    """Fit one probe at a given C.

    Args:
        rows: (n, D) features; labels: (n,) class indices, all classes present.
        c: inverse strength of the L2 penalty, as in scikit-learn.
        balanced: weigh the classes equally while fitting; probabilities stay at the frequencies of the labels.
    """
    return StandardizedDesign.from_features(rows).fit(labels, c, balanced=balanced)
