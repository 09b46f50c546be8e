"""The contract of a head: fit one contender on the training part of one fold, predict its test part.

A head sees the indices of the training part and those of the test part. Whatever it chooses
(epochs, learning rate, C, temperature, threshold) it chooses on inner grouped folds of the
training part; the test part it may only predict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from headtohead.core.progress import Reporter
from headtohead.training.records import EpochRecord, FitMetrics, Floats, Ints

__all__ = ["CellLookup", "FoldJob", "FoldResult", "Head", "RefitJob", "SampleLabels"]


@dataclass(frozen=True, slots=True)
class FoldJob:
    """One fold of one repeat, as a head sees it.

    Attributes:
        repeat, fold: from 0.
        train, test: sorted sample indices, disjoint in samples and in groups.
        seed: derived from the study's seed, the repeat and the fold alone, so every contender gets
            the same inner folds.
    """

    repeat: int
    fold: int
    train: Ints
    test: Ints
    seed: int


@dataclass(frozen=True, slots=True)
class RefitJob:
    """One more fit of a contender, with choices that were made before.

    Attributes:
        fit: (n,) indices of the samples to learn from.
        chosen: what the contender chose in the same cell (`FoldResult.chosen`).
        seed: of its draws.
        name: of its checkpoint in the cell's work folder.
    """

    fit: Ints
    chosen: Mapping[str, Any]
    seed: int
    name: str


@dataclass(frozen=True, slots=True)
class SampleLabels:
    """The labels and groups of all samples of a study.

    Attributes:
        labels: (n,) class indices.
        groups: (n,) names of groups.
        classes: class names, in the order of the indices.
    """

    labels: Ints
    groups: npt.NDArray[Any]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoldResult:
    """The predictions of one contender on one fold, and how it was fitted.

    Attributes:
        probabilities: (n_test, k), rows sum to 1, in the order of `FoldJob.test`.
        inner_probabilities: (n_train, k) in the order of `FoldJob.train`: for each training sample the
            probabilities of a model that did not see its group; NaN rows where there is none. From
            these come thresholds, temperatures and ensemble weights.
        train, inner: quality on the training part and on the inner validation folds.
        chosen: what was chosen inside and the grid it was chosen from, JSON-able.
        epochs: the learning curve, empty for heads that have none.
    """

    probabilities: Floats
    inner_probabilities: Floats
    train: FitMetrics
    inner: FitMetrics
    chosen: Mapping[str, Any] = field(default_factory=dict)
    epochs: tuple[EpochRecord, ...] = ()


CellLookup = Callable[[str, FoldJob], FoldResult]
"""(contender's name, fold) -> that contender's finished result of the fold."""


class Head(Protocol):
    """A classifier that can be fitted on one fold at a time."""

    def fit_predict(self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> FoldResult:
        """Fit on `job.train`, predict `job.test`.

        Args:
            job: the fold.
            data: labels and groups of all samples.
            workdir: a folder of this cell's own, for checkpoints of unfinished work; what lies
                there from an interrupted call may be continued, and the result must be the same
                to the last digit.
            reporter: hears how far the training is.
        """
