"""A linear probe: standardise, then L2-regularised logistic regression on frozen features.

The one hyper-parameter, C, is chosen by log loss on inner *grouped* folds of the training part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import Reporter
from headtohead.heads.base import FoldJob, FoldResult, TrainingData
from headtohead.training.logistic import Floats, Ints, StandardizedDesign, fit_probe
from headtohead.training.records import fit_metrics

__all__ = ["C_GRID", "ProbeHead"]


C_GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
INNER_FOLDS = 5


def inner_probabilities(
    rows: npt.NDArray[Any], labels: Ints, folds: list[tuple[Ints, Ints]], grid: tuple[float, ...], k: int
) -> dict[float, Floats]:
    """Return C -> (n, k) out-of-fold probabilities over inner folds; NaN where no fold covers a row."""
    out = {c: np.full((len(labels), k), np.nan) for c in grid}
    for fit, held in folds:
        span = StandardizedDesign.from_features(rows[fit])
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

    def fit_predict(self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter) -> FoldResult:
        """Choose C inside the training part, fit on all of it, predict the test part."""
        del workdir, reporter
        from threadpoolctl import threadpool_limits

        rows, labels = self.rows()[cell.train], data.labels[cell.train]
        folds = self.inner_parts(cell, data)
        k = len(data.classes)
        with threadpool_limits(limits=1):
            tried = inner_probabilities(rows, labels, folds, self._grid, k)
            losses = {c: fit_metrics(labels, out).loss for c, out in tried.items()}
            best = min(self._grid, key=lambda c: (losses[c] if losses[c] is not None else np.inf, c))
            probe = fit_probe(rows, labels, best)
            train = probe.predict_proba(rows)
            test = probe.predict_proba(self.rows()[cell.test])
        chosen = {"C": best, "grid": list(self._grid), "inner_loss": [losses[c] for c in self._grid]}
        return FoldResult(
            test, tried[best], fit_metrics(labels, train), fit_metrics(labels, tried[best]), chosen
        )

    def inner_parts(self, cell: FoldJob, data: TrainingData) -> list[tuple[Ints, Ints]]:
        """Return the (fit, held) places in the training part from which inner probabilities come."""
        from headtohead.data.splits.folds import inner_folds

        return inner_folds(data.labels[cell.train], data.groups[cell.train], INNER_FOLDS, cell.seed)

    def refit(
        self, fit: Ints, asked: Sequence[Ints], data: TrainingData, chosen: Mapping[str, Any], **_: Any
    ) -> list[Floats]:
        """Fit on samples `fit` at the chosen C; return what it says of what is asked."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            probe = fit_probe(self.rows()[fit], data.labels[fit], chosen["C"])
            return [probe.predict_proba(self.rows()[indices]) for indices in asked]
