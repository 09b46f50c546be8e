"""A probe on frozen features that also learns from a few augmented copies of each training image.

A copy belongs to its image. It is drawn from (seed, number, image) whatever the folds are, it is
fitted on only where its image is in the part that is fitted, and it is never predicted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtohead.backbones.features.feature_cache import row_key
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample
from headtohead.heads.base import FoldJob, FoldResult, SampleLabels
from headtohead.heads.linear_probe import C_GRID, ProbeHead
from headtohead.training.data_loader import Augmenter
from headtohead.training.logistic import StandardizedDesign
from headtohead.training.records import Floats, Ints, fit_metrics

__all__ = ["AugmentedCopy", "AugmentedProbeHead"]

Rows = npt.NDArray[np.float32]
COPY_STREAM = 5  # sets these draws apart from those of a training


@dataclass(frozen=True, slots=True)
class AugmentedCopy:
    """One augmented copy of every image: a `headtohead.backbones.features.options.InputChange`.

    Attributes:
        augmenter: its preset draws and applies the change.
        seed: of the draws.
        number: which copy, from 1.
    """

    augmenter: Augmenter
    seed: int
    number: int

    @property
    def name(self) -> str:
        """All that decides the change, for the cache and for the record."""
        return f"{self.augmenter.name}, seed {self.seed}, copy {self.number}"

    def __call__(self, sample: Sample, pixels: Rows) -> Rows:
        """Return pixels (S, S) or (S, S, 3) in [0, 1] after the change drawn for this image."""
        image = int.from_bytes(hashlib.sha256(row_key(sample).encode()).digest()[:8], "big")
        return self.augmenter.run(np.random.default_rng([self.seed, COPY_STREAM, self.number, image]), pixels)


class AugmentedProbeHead(ProbeHead):
    """Fit a probe that also learns from augmented copies of its training images.

    An image and its copies count as one image in all, so that C means what it means to the probe.

    Args:
        features: returns (n, D), which is learned from and predicted.
        copies: each returns (n, D), of one copy of every image, which is only learned from.
    """

    def __init__(self, features: Callable[[], Rows], copies: Sequence[Callable[[], Rows]]) -> None:
        super().__init__(features, C_GRID)
        self._make_copies = copies
        self._copied: list[Rows] | None = None

    def fit_predict(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Choose C inside the training part, fit on it and its copies, predict the test part."""
        del workdir, reporter
        from threadpoolctl import threadpool_limits

        train, labels, k = job.train, data.labels[job.train], len(data.classes)
        outs = {c: np.full((len(train), k), np.nan) for c in C_GRID}
        with threadpool_limits(limits=1):
            for fit, validation in self.inner_folds(job, data):
                queries = [train[validation]]
                for c, (rows,) in self._fitted(train[fit], data.labels, C_GRID, queries).items():
                    outs[c][validation] = rows
            inner = {c: fit_metrics(labels, rows) for c, rows in outs.items()}
            # Of equal losses the strongest penalty.
            best = min(C_GRID, key=lambda c: (np.inf if inner[c].loss is None else inner[c].loss, c))
            train_rows, test_rows = self._fitted(train, data.labels, (best,), [train, job.test])[best]
        chosen = {"C": best, "grid": list(C_GRID), "copies": len(self._make_copies)}
        return FoldResult(test_rows, outs[best], fit_metrics(labels, train_rows), inner[best], chosen)

    def _fitted(
        self, fit: Ints, labels: Ints, grid: Sequence[float], queries: Sequence[Ints]
    ) -> dict[float, list[Floats]]:
        """Return C -> (m, k) probabilities for each query by the probe fitted on the samples `fit` and their copies."""
        if self._copied is None:
            self._copied = [make() for make in self._make_copies]
        versions = [self.rows(), *self._copied]
        design = StandardizedDesign.from_features(np.concatenate([rows[fit] for rows in versions]))
        targets = np.tile(labels[fit], len(versions))
        predictions: dict[float, list[Floats]] = {}
        for c in grid:
            # C weighs a sum of losses over rows, of which each image has one in each version.
            probe = design.fit(targets, c / len(versions))
            predictions[c] = [probe.predict_proba(self.rows()[indices]) for indices in queries]
        return predictions
