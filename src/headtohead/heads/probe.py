"""A linear probe: standardise, then L2-regularised logistic regression on frozen features.

The one hyper-parameter, C, is chosen by log loss on inner *grouped* folds of the training part.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import HeadToHeadError
from headtohead.core.reporter import Reporter
from headtohead.heads.base import Cell, CellData, CellResult, quality

__all__ = ["C_GRID", "Probe", "ProbeHead", "Span", "fit_probe"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

C_GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
INNER_FOLDS = 5
NEWTON_LIMIT = 2500  # unknowns up to which a full Hessian is the faster and surer way


@dataclass(frozen=True)
class Probe:
    """A fitted probe, as plain arrays: enough to predict, to explain and to export.

    Attributes:
        mean, scale: (D,) of the training rows; constant columns have scale 1.
        weights: (k, D), or (1, D) for two classes; bias: (k,) or (1,).
    """

    mean: Floats
    scale: Floats
    weights: Floats
    bias: Floats

    def predict_proba(self, rows: npt.NDArray[Any]) -> Floats:
        """Return (n, k) class probabilities for feature rows (n, D)."""
        from scipy.special import expit, softmax

        scores = ((rows - self.mean) / self.scale) @ self.weights.T + self.bias
        if scores.shape[1] == 1:
            positive = expit(scores[:, 0])
            return np.column_stack([1.0 - positive, positive])
        return np.asarray(softmax(scores, axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Span:
    """Standardised training rows in the space that they span; made once, fitted at many values of C.

    The penalty does not change under rotation, so with fewer samples than features the fit is done
    in at most n dimensions and rotated back: the same solution, several times faster.

    Attributes:
        mean, scale: (D,); rows: (n, min(n, D)); basis: (min(n, D), D), or None where D <= n.
    """

    mean: Floats
    scale: Floats
    rows: Floats
    basis: Floats | None

    @classmethod
    def of(cls, rows: npt.NDArray[Any]) -> Span:
        """Standardise feature rows (n, D) and rotate them into their span."""
        rows = np.asarray(rows, dtype=np.float64)
        mean, spread = rows.mean(axis=0), rows.std(axis=0)
        scale = np.where(spread > 1e-12, spread, 1.0)
        standard = (rows - mean) / scale
        if standard.shape[0] >= standard.shape[1]:
            return cls(mean, scale, standard, None)
        left, strengths, basis = np.linalg.svd(standard, full_matrices=False)
        return cls(mean, scale, left * strengths, basis)

    def fit(self, labels: Ints, c: float) -> Probe:
        """Return the probe at one C."""
        weights, bias = _logistic(self.rows, labels, c)
        return Probe(self.mean, self.scale, weights if self.basis is None else weights @ self.basis, bias)


def fit_probe(rows: npt.NDArray[Any], labels: Ints, c: float) -> Probe:
    """Fit one probe at a given C.

    Args:
        rows: (n, D) features; labels: (n,) class indices, all classes present.
        c: inverse strength of the L2 penalty, as in scikit-learn.
    """
    return Span.of(rows).fit(labels, c)


def _logistic(rows: Floats, labels: Ints, c: float) -> tuple[Floats, Floats]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    unknowns = rows.shape[1] * (1 if labels.max() < 2 else int(labels.max()) + 1)
    solver = "newton-cholesky" if unknowns <= NEWTON_LIMIT else "lbfgs"
    model = LogisticRegression(C=c, class_weight="balanced", solver=solver, max_iter=2000, tol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(rows, labels)
        except ConvergenceWarning as error:
            raise HeadToHeadError(
                f"The probe did not converge at C = {c} on {rows.shape[0]} rows of {rows.shape[1]} features. "
                "Look for features that are not finite or wildly scaled."
            ) from error
    return np.asarray(model.coef_, dtype=np.float64), np.asarray(model.intercept_, dtype=np.float64)


def inner_probabilities(
    rows: npt.NDArray[Any], labels: Ints, folds: list[tuple[Ints, Ints]], grid: tuple[float, ...], k: int
) -> dict[float, Floats]:
    """Return C -> (n, k) out-of-fold probabilities over inner folds; NaN where no fold covers a row."""
    out = {c: np.full((len(labels), k), np.nan) for c in grid}
    for fit, held in folds:
        span = Span.of(rows[fit])
        for c in grid:
            out[c][held] = span.fit(labels[fit], c).predict_proba(rows[held])
    return out


class ProbeHead:
    """A probe as a head.

    Args:
        features: returns the (n, D) matrix of all samples; called once, when first needed.
        grid: the values of C to choose from.
    """

    def __init__(self, features: Callable[[], npt.NDArray[Any]], grid: tuple[float, ...] = C_GRID) -> None:
        self._features = features
        self._grid = grid
        self._rows: npt.NDArray[Any] | None = None

    def rows(self) -> npt.NDArray[Any]:
        """Return the feature matrix (n, D) of all samples."""
        if self._rows is None:
            self._rows = self._features()
        return self._rows

    def fit_predict(self, cell: Cell, data: CellData, workdir: Path, reporter: Reporter) -> CellResult:
        """Choose C inside the training part, fit on all of it, predict the test part."""
        del workdir, reporter
        from threadpoolctl import threadpool_limits

        rows, labels = self.rows()[cell.train], data.labels[cell.train]
        folds = self.inner_parts(cell, data)
        k = len(data.classes)
        with threadpool_limits(limits=1):
            tried = inner_probabilities(rows, labels, folds, self._grid, k)
            losses = {c: quality(labels, out).loss for c, out in tried.items()}
            best = min(self._grid, key=lambda c: (losses[c] if losses[c] is not None else np.inf, c))
            probe = fit_probe(rows, labels, best)
            train = probe.predict_proba(rows)
            test = probe.predict_proba(self.rows()[cell.test])
        chosen = {"C": best, "grid": list(self._grid), "inner_loss": [losses[c] for c in self._grid]}
        return CellResult(test, tried[best], quality(labels, train), quality(labels, tried[best]), chosen)

    def inner_parts(self, cell: Cell, data: CellData) -> list[tuple[Ints, Ints]]:
        """Return the (fit, held) places in the training part from which inner probabilities come."""
        from headtohead.data.folds import inner_folds

        return inner_folds(data.labels[cell.train], data.groups[cell.train], INNER_FOLDS, cell.seed)

    def refit(
        self, fit: Ints, asked: Sequence[Ints], data: CellData, chosen: Mapping[str, Any], **_: Any
    ) -> list[Floats]:
        """Fit on samples `fit` at the chosen C; return what it says of what is asked."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            probe = fit_probe(self.rows()[fit], data.labels[fit], chosen["C"])
            return [probe.predict_proba(self.rows()[indices]) for indices in asked]
