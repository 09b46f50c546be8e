"""Baselines that every contender has to beat: the majority class, and a classifier that sees no image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import Reporter
from headtohead.heads.base import FoldJob, FoldResult, SampleLabels
from headtohead.training.records import Floats, fit_metrics

__all__ = ["BASELINES", "FILE_FACTS", "MAJORITY", "FileFactsHead", "MajorityHead"]

MAJORITY = "majority"
FILE_FACTS = "file-facts"
BASELINES = (MAJORITY, FILE_FACTS)
INNER_FOLDS = 2  # the fewest that give every training sample an inner prediction; nothing is chosen on them


class MajorityHead:
    """Predict the class frequencies of the training part for every sample."""

    def fit_predict(self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> FoldResult:
        """Count the training labels; no image is read."""
        del workdir, reporter
        k = len(data.classes)
        labels = data.labels[job.train]
        frequencies = np.bincount(labels, minlength=k) / len(labels)
        train = np.tile(frequencies, (len(labels), 1))
        test = np.tile(frequencies, (len(job.test), 1))
        return FoldResult(test, train, fit_metrics(labels, train), fit_metrics(labels, train))


class FileFactsHead:
    """Classify by width, height, bytes, mode and suffix of the file, never by the image.

    Args:
        facts: (n, d) numbers about the files.
        classifier: makes a scikit-learn classifier from a seed.
    """

    def __init__(self, facts: npt.NDArray[np.float64], classifier: Callable[[int], Any]) -> None:
        self._facts = facts
        self._classifier = classifier

    def portable(self) -> FileFactsHead:
        """Return this head, which other processes can use."""
        return self

    def fit_predict(self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> FoldResult:
        """Fit the classifier on the training part's facts; inner folds give its inner predictions."""
        del workdir, reporter
        from threadpoolctl import threadpool_limits

        from headtohead.data.splits.folds import inner_folds

        labels, facts = data.labels[job.train], self._facts[job.train]
        inner = np.full((len(labels), len(data.classes)), np.nan)
        with threadpool_limits(limits=1):  # no digit depends on the number of cores
            for fit, validation in inner_folds(labels, data.groups[job.train], INNER_FOLDS, job.seed):
                model = self._classifier(job.seed).fit(facts[fit], labels[fit])
                inner[validation] = _probabilities(model, facts[validation])
            model = self._classifier(job.seed).fit(facts, labels)
            train, test = _probabilities(model, facts), _probabilities(model, self._facts[job.test])
        return FoldResult(test, inner, fit_metrics(labels, train), fit_metrics(labels, inner))


def _probabilities(model: Any, rows: npt.NDArray[np.float64]) -> Floats:
    return np.asarray(model.predict_proba(rows), dtype=np.float64)
