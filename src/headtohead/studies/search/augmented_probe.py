"""Augmented training of a probe on frozen features: each training image also as a few changed copies.

A copy belongs to its image. It is drawn from (seed, number, image) whatever the folds are, it is
fitted on only where its image is in the part that is fitted, and nothing is ever asked about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtohead.backbones.features.extract import row_key
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample
from headtohead.heads.base import FoldJob, FoldResult, TrainingData
from headtohead.heads.linear_probe import C_GRID, ProbeHead
from headtohead.training.data_loader import Augmenter
from headtohead.training.logistic import StandardizedDesign
from headtohead.training.records import fit_metrics

__all__ = ["AugmentedCopy", "AugmentedProbeHead"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
COPY = 5  # sets these draws apart from those of a training


@dataclass(frozen=True, slots=True)
class AugmentedCopy:
    """How all images are changed once: a `headtohead.backbones.features.extract.InputChange`.

    Attributes:
        augmenter: its preset draws and applies; seed: of the draws; number: which copy, from 1.
    """

    augmenter: Augmenter
    seed: int
    number: int

    @property
    def name(self) -> str:
        """All that decides the change, for the cache and for the record."""
        return f"{self.augmenter.name}, seed {self.seed}, copy {self.number}"

    def __call__(self, sample: Sample, pixels: Rows) -> Rows:
        """Return pixels (S, S) or (S, S, 3) in [0, 1] after what was drawn for this image."""
        image = int.from_bytes(hashlib.sha256(row_key(sample).encode()).digest()[:8], "big")
        return self.augmenter.run(np.random.default_rng([self.seed, COPY, self.number, image]), pixels)


class AugmentedProbeHead(ProbeHead):
    """A probe that also learns from copies of its training images.

    An image and its copies count as one image in all, so that C means what it means to the probe.

    Args:
        features: returns (n, D), what is asked about and learned from.
        copies: each returns (n, D), of one copy of every image, learned from alone.
    """

    def __init__(self, features: Callable[[], Rows], copies: Sequence[Callable[[], Rows]]) -> None:
        super().__init__(features, C_GRID)
        self._makers = copies
        self._copied: list[Rows] | None = None

    def fit_predict(
        self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Choose C inside the training part, fit on it and its copies, predict the test part."""
        del workdir, reporter
        from threadpoolctl import threadpool_limits

        train, labels, k = cell.train, data.labels[cell.train], len(data.classes)
        tried = {c: np.full((len(train), k), np.nan) for c in C_GRID}
        with threadpool_limits(limits=1):
            for fit, held in self.inner_parts(cell, data):
                asked = [train[held]]
                for c, (rows,) in self._fitted(train[fit], data.labels, C_GRID, asked).items():
                    tried[c][held] = rows
            inner = {c: fit_metrics(labels, rows) for c, rows in tried.items()}
            best = min(C_GRID, key=lambda c: (np.inf if inner[c].loss is None else inner[c].loss, c))
            learned, test = self._fitted(train, data.labels, (best,), [train, cell.test])[best]
        told = {"C": best, "grid": list(C_GRID), "copies": len(self._makers)}
        return FoldResult(test, tried[best], fit_metrics(labels, learned), inner[best], told)

    def _fitted(
        self, fit: Ints, labels: Ints, grid: Sequence[float], asked: Sequence[Ints]
    ) -> dict[float, list[Floats]]:
        """Return C -> what the probe fitted on samples `fit` and their copies says of what is asked."""
        if self._copied is None:
            self._copied = [make() for make in self._makers]
        parts = [self.rows(), *self._copied]
        span, told = (
            StandardizedDesign.from_features(np.concatenate([part[fit] for part in parts])),
            np.tile(labels[fit], len(parts)),
        )
        found: dict[float, list[Floats]] = {}
        for c in grid:
            probe = span.fit(told, c / len(parts))
            found[c] = [probe.predict_proba(self.rows()[indices]) for indices in asked]
        return found
