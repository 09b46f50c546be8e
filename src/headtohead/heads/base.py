"""The contract of a cell: one contender, fitted on one fold's training part, asked about its test part.

A head sees the indices of the training part and those of the test part. Whatever it chooses
(epochs, learning rate, C, temperature, threshold) it chooses on inner grouped folds of the
training part; the test part it may only predict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from headtohead.core.reporter import Reporter

__all__ = ["Cell", "CellData", "CellResult", "EpochLine", "FitQuality", "Head", "Part", "quality"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cell:
    """One fold of one repeat, as a head sees it.

    Attributes:
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
class CellData:
    """What every head knows of all samples: labels (n,) as class indices, groups (n,), class names."""

    labels: Ints
    groups: npt.NDArray[Any]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Some samples: their indices (n,) and labels (n,)."""

    indices: Ints
    labels: Ints


@dataclass(frozen=True, slots=True)
class FitQuality:
    """Accuracy and mean log loss (nats) on a named part of the data; None where there is none."""

    accuracy: float | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class EpochLine:
    """One epoch of training: losses in nats, accuracies in [0, 1], both as seen in that epoch."""

    epoch: int
    train_loss: float
    train_accuracy: float
    inner_loss: float | None
    inner_accuracy: float | None
    learning_rate: float


@dataclass(frozen=True, slots=True)
class CellResult:
    """What a head hands back.

    Attributes:
        probabilities: (n_test, k), rows sum to 1, in the order of `cell.test`.
        inner_probabilities: (n_train, k) in the order of `cell.train`: for each training sample the
            probabilities of a model that did not see its group; NaN rows where there is none. From
            these come thresholds, temperatures and ensemble weights.
        train, inner: quality on the training part and on the inner validation folds.
        chosen: what was chosen inside and the grid it was chosen from, JSON-able.
        epochs: the learning curve, empty for heads that have none.
    """

    probabilities: Floats
    inner_probabilities: Floats
    train: FitQuality
    inner: FitQuality
    chosen: Mapping[str, Any] = field(default_factory=dict)
    epochs: tuple[EpochLine, ...] = ()


class Head(Protocol):
    """Something that can be fitted and asked."""

    def fit_predict(self, cell: Cell, data: CellData, workdir: Path, reporter: Reporter) -> CellResult:
        """Fit on `cell.train`, predict `cell.test`.

        Args:
            workdir: a folder of this cell's own, for checkpoints of unfinished work; what lies
                there from an interrupted call may be continued, and the result must be the same
                to the last digit.
        """


def quality(labels: Ints, probabilities: Floats) -> FitQuality:
    """Return accuracy and mean log loss of `probabilities` (n, k) against class indices (n,).

    Rows of NaN are left out; with no row left both are None. Probabilities are clipped at the
    smallest positive normal float64 step (1e-15) before the logarithm, as scikit-learn does.
    """
    known = ~np.isnan(probabilities).any(axis=1)
    if not known.any():
        return FitQuality(None, None)
    truth, rows = labels[known], probabilities[known]
    picked = np.clip(rows[np.arange(len(truth)), truth], 1e-15, 1.0)
    return FitQuality(float((rows.argmax(axis=1) == truth).mean()), float(-np.log(picked).mean()))
