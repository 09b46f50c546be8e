"""The linear probe: standardisation, then L2-regularised logistic regression on frozen features.

The one hyper-parameter, C, is chosen by log loss on inner *grouped* folds of the training part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.parallel import cores, one_blas_thread, ordered_map
from headtohead.core.progress import Reporter
from headtohead.heads.base import FoldJob, FoldResult, RefitJob, SampleLabels
from headtohead.training.logistic import FittedProbe, StandardizedDesign, fit_probe
from headtohead.training.records import fit_metrics

__all__ = ["C_GRID", "INNER_FOLDS", "ProbeHead", "inner_probabilities"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Half-decades where the optimum of a few hundred images with about a thousand features lies; 1.0 is
# scikit-learn's default and the upper end.
C_GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
INNER_FOLDS = 5
AT_ONCE_BYTES = (
    2 << 30
)  # that inner folds which are fitted side by side may take, at three copies of the rows each


PORTABLE_BYTES = (
    16 << 20
)  # of rows that are sent with each task; larger ones are fitted by large products, which threads share well


def inner_probabilities(
    rows: npt.NDArray[Any],
    labels: Ints,
    folds: list[tuple[Ints, Ints]],
    grid: tuple[float, ...],
    k: int,
    *,
    balanced: bool = False,
) -> dict[float, Floats]:
    """Return C -> (n, k) out-of-fold probabilities over inner folds; NaN where no fold covers a row.

    Folds are fitted side by side, each on one thread, so that no digit depends on the number of cores.

    Args:
        rows: (n, D) features.
        labels: (n,) class indices.
        folds: (fit, validation) places in `rows`.
        grid: values of C.
        k: number of classes.
        balanced: as for `fit_probe`.
    """
    return _inner(StandardizedDesign.from_features(rows), rows, labels, folds, grid, k, balanced=balanced)


def _inner(
    whole: StandardizedDesign,
    rows: npt.NDArray[Any],
    labels: Ints,
    folds: list[tuple[Ints, Ints]],
    grid: tuple[float, ...],
    k: int,
    *,
    balanced: bool,
) -> dict[float, Floats]:
    workers = max(1, min(cores(), AT_ONCE_BYTES // (3 * 8 * rows.size)))

    def fitted(fold: tuple[Ints, Ints]) -> list[Floats]:
        fit, validation = fold
        design = StandardizedDesign.from_features(rows[fit], whole)
        probes = design.fits(labels[fit], grid, balanced=balanced, workers=max(1, cores() // workers))
        return [probe.predict_proba(rows[validation]) for probe in probes]

    out = {c: np.full((len(labels), k), np.nan) for c in grid}
    with one_blas_thread():
        results = ordered_map(fitted, folds, workers=workers)
        for (_, validation), found in zip(folds, results, strict=True):
            for c, probabilities in zip(grid, found, strict=True):
                out[c][validation] = probabilities
    return out


class ProbeHead:
    """Fit a linear probe in each cell.

    Args:
        features: returns the (n, D) matrix of all samples; called once, when first needed.
        grid: the values of C to choose from.
        balanced: weigh the classes equally while fitting; probabilities stay at the frequencies of the training part.
    """

    def __init__(
        self,
        features: Callable[[], npt.NDArray[Any]],
        grid: tuple[float, ...] = C_GRID,
        *,
        balanced: bool = False,
    ) -> None:
        self._features = features
        self._grid = grid
        self._balanced = balanced
        self._rows: npt.NDArray[Any] | None = None
        self._digest = ""

    def rows(self) -> npt.NDArray[Any]:
        """Return the feature matrix (n, D) of all samples."""
        if self._rows is None:
            self._rows = self._features()
        return self._rows

    def portable(self) -> ProbeHead | None:
        """Return the same head with its rows, which may be sent to another process, or None where they are large."""
        rows = self.rows()
        if rows.nbytes > PORTABLE_BYTES:
            return None
        return ProbeHead(lambda: rows, self._grid, balanced=self._balanced)

    def digest(self) -> str:
        """Return what identifies features and settings."""
        if not self._digest:
            rows = np.ascontiguousarray(self.rows())
            found = hashlib.sha256(f"{rows.dtype.str}{rows.shape}{self._grid}{self._balanced}|".encode())
            found.update(rows.data)
            self._digest = found.hexdigest()
        return self._digest

    def fit_predict(self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> FoldResult:
        """Choose C inside the training part, fit on all of it, predict the test part."""
        del workdir, reporter
        rows, labels = self.rows()[job.train], data.labels[job.train]
        folds = self.inner_folds(job, data)
        k = len(data.classes)
        with one_blas_thread():
            whole = StandardizedDesign.from_features(rows)
            inner = _inner(whole, rows, labels, folds, self._grid, k, balanced=self._balanced)
            losses = {c: fit_metrics(labels, out).loss for c, out in inner.items()}
            # Of equal losses the strongest penalty.
            best = min(self._grid, key=lambda c: (losses[c] if losses[c] is not None else np.inf, c))
            probe = whole.fit(labels, best, balanced=self._balanced, workers=cores())
            train = probe.predict_proba(rows)
            test = probe.predict_proba(self.rows()[job.test])
        chosen = {"C": best, "grid": list(self._grid), "inner_loss": [losses[c] for c in self._grid]}
        return FoldResult(
            test, inner[best], fit_metrics(labels, train), fit_metrics(labels, inner[best]), chosen
        )

    def inner_folds(self, job: FoldJob, data: SampleLabels) -> list[tuple[Ints, Ints]]:
        """Return the (fit, validation) places in the training part from which inner probabilities come."""
        from headtohead.data.splits.folds import inner_folds

        return inner_folds(data.labels[job.train], data.groups[job.train], INNER_FOLDS, job.seed)

    def refit(self, job: RefitJob, queries: Sequence[Ints], data: SampleLabels, **_: Any) -> list[Floats]:
        """Fit on the samples `job.fit` at the chosen C; return (n, k) probabilities for each array of samples."""
        with one_blas_thread():
            probe = self.fitted(job.fit, data, job.chosen)
            return [probe.predict_proba(self.rows()[indices]) for indices in queries]

    def fitted(self, fit: Ints, data: SampleLabels, chosen: Mapping[str, Any]) -> FittedProbe:
        """Return the probe that is fitted on the samples `fit` at the chosen C."""
        return fit_probe(self.rows()[fit], data.labels[fit], chosen["C"], balanced=self._balanced)
