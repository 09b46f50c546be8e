"""L2-regularised logistic regression on standardised rows, solved in the span of the samples."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import HeadToHeadError

__all__ = ["FittedProbe", "StandardizedDesign", "fit_probe"]

Floats = npt.NDArray[np.float64]


Ints = npt.NDArray[np.int64]


NEWTON_LIMIT = 2500  # unknowns up to which a full Hessian is the faster and surer way


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
    in at most n dimensions and rotated back: the same solution, several times faster.

    Attributes:
        mean, scale: (D,); rows: (n, min(n, D)); basis: (min(n, D), D), or None where D <= n.
    """

    mean: Floats
    scale: Floats
    rows: Floats
    basis: Floats | None

    @classmethod
    def from_features(cls, rows: npt.NDArray[Any]) -> StandardizedDesign:
        """Standardise feature rows (n, D) and rotate them into their span."""
        rows = np.asarray(rows, dtype=np.float64)
        mean, spread = rows.mean(axis=0), rows.std(axis=0)
        scale = np.where(spread > 1e-12, spread, 1.0)
        standard = (rows - mean) / scale
        if standard.shape[0] >= standard.shape[1]:
            return cls(mean, scale, standard, None)
        left, strengths, basis = np.linalg.svd(standard, full_matrices=False)
        return cls(mean, scale, left * strengths, basis)

    def fit(self, labels: Ints, c: float, *, balanced: bool = False) -> FittedProbe:
        """Return the probe at one C.

        Args:
            balanced: weigh the classes equally while fitting; probabilities stay at the frequencies of the labels.
        """
        weights, bias = _logistic(self.rows, labels, c, "balanced" if balanced else None)
        weights = weights if self.basis is None else weights @ self.basis
        probe = FittedProbe(self.mean, self.scale, weights, bias)
        return probe.at_frequencies(labels) if balanced else probe


def fit_probe(rows: npt.NDArray[Any], labels: Ints, c: float, *, balanced: bool = False) -> FittedProbe:
    """Fit one probe at a given C.

    Args:
        rows: (n, D) features; labels: (n,) class indices, all classes present.
        c: inverse strength of the L2 penalty, as in scikit-learn.
        balanced: weigh the classes equally while fitting; probabilities stay at the frequencies of the labels.
    """
    return StandardizedDesign.from_features(rows).fit(labels, c, balanced=balanced)


def _logistic(rows: Floats, labels: Ints, c: float, class_weight: str | None) -> tuple[Floats, Floats]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    unknowns = rows.shape[1] * (1 if labels.max() < 2 else int(labels.max()) + 1)
    solver = "newton-cholesky" if unknowns <= NEWTON_LIMIT else "lbfgs"
    model = LogisticRegression(C=c, class_weight=class_weight, solver=solver, max_iter=2000, tol=1e-6)
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
