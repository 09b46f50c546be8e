"""What every contender has to beat: the majority class, and a classifier that sees no image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import Reporter
from headtohead.heads.base import FoldJob, FoldResult, TrainingData
from headtohead.training.records import fit_metrics

__all__ = ["FILE_FACTS", "MAJORITY", "FileFactsHead", "MajorityHead"]

MAJORITY = "majority"
FILE_FACTS = "file-facts"


class MajorityHead:
    """Gives every sample the class frequencies of the training part."""

    def fit_predict(self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter) -> FoldResult:
        """Count the training labels; no image is looked at."""
        del workdir, reporter
        k = len(data.classes)
        labels = data.labels[cell.train]
        frequencies = np.bincount(labels, minlength=k) / len(labels)
        train = np.tile(frequencies, (len(labels), 1))
        test = np.tile(frequencies, (len(cell.test), 1))
        return FoldResult(test, train, fit_metrics(labels, train), fit_metrics(labels, train))


class FileFactsHead:
    """Sees width, height, bytes, mode and suffix of the file, never the image.

    Args:
        facts: (n, d) numbers about the files.
        classifier: makes a scikit-learn classifier from a seed.
    """

    def __init__(self, facts: npt.NDArray[np.float64], classifier: Callable[[int], Any]) -> None:
        self._facts = facts
        self._classifier = classifier

    def fit_predict(self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter) -> FoldResult:
        """Fit the classifier on the training part's facts; inner folds give its honest inner quality."""
        del workdir, reporter
        from threadpoolctl import threadpool_limits

        from headtohead.data.splits.folds import inner_folds

        labels, facts = data.labels[cell.train], self._facts[cell.train]
        inner = np.full((len(labels), len(data.classes)), np.nan)
        with threadpool_limits(limits=1):
            for fit, held in inner_folds(labels, data.groups[cell.train], 2, cell.seed):
                inner[held] = _asked(self._classifier(cell.seed).fit(facts[fit], labels[fit]), facts[held])
            model = self._classifier(cell.seed).fit(facts, labels)
            train, test = _asked(model, facts), _asked(model, self._facts[cell.test])
        return FoldResult(test, inner, fit_metrics(labels, train), fit_metrics(labels, inner))


def _asked(model: Any, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(model.predict_proba(rows), dtype=np.float64)
