"""The same contender several times over, as one: from other seeds, or without one inner fold each.

What was chosen (settings, epochs, C) is the single contender's own choice in the same cell, made on
its inner folds; a repeat chooses nothing anew. So the gain over the single one is that of averaging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import QUIET, Reporter
from headtohead.heads.base import FoldJob, FoldResult, TrainingData
from headtohead.training.records import FitMetrics, fit_metrics

__all__ = ["FoldEnsembleHead", "Refittable", "SeedEnsembleHead"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Lookup = Callable[[str, FoldJob], FoldResult]
NOT_KEPT = FitMetrics(None, None)  # what single models say of their training samples is not kept


class Refittable(Protocol):
    """A head that can be fitted once more with what was chosen."""

    def refit(
        self,
        fit: Ints,
        asked: Sequence[Ints],
        data: TrainingData,
        chosen: Mapping[str, Any],
        *,
        seed: int,
        name: str,
        workdir: Path,
        reporter: Reporter,
    ) -> list[Floats]:
        """Fit on samples `fit` from `seed`; return (n, k) probabilities for each array of samples asked."""

    def inner_parts(self, cell: FoldJob, data: TrainingData) -> list[tuple[Ints, Ints]]:
        """Return the (fit, held) places in the training part from which its inner probabilities come."""


class SeedEnsembleHead:
    """The mean of a contender and of the same fitted from other seeds.

    Args:
        single: the contender's name; its finished cell is the first model of the mean.
        head: the contender's own head.
        lookup: (name, cell) -> that contender's finished result of the cell.
        count: models in all.
    """

    def __init__(self, single: str, head: Refittable, lookup: Lookup, count: int) -> None:
        self._single, self._head, self._lookup, self._count = single, head, lookup, count

    def fit_predict(
        self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Fit the other models and average the probabilities, the inner ones too."""
        first = self._lookup(self._single, cell)
        tests, inners = [first.probabilities], [first.inner_probabilities]
        for number in range(1, self._count):
            once = _Once(self._head, cell, data, first.chosen, workdir, reporter)
            (test,) = once.fit(cell.train, [cell.test], 0, f"seed{number}", number)
            inner = np.full(first.inner_probabilities.shape, np.nan)
            for part, (fit, held) in enumerate(self._head.inner_parts(cell, data)):
                asked = [cell.train[held]]
                (inner[held],) = once.fit(
                    cell.train[fit], asked, 1 + part, f"seed{number}.inner{part}", number
                )
            tests.append(test)
            inners.append(inner)
        joined = np.mean(inners, axis=0)
        told = {"how": "seeds", "models": self._count, "single": self._single}
        labels = data.labels[cell.train]
        return FoldResult(np.mean(tests, axis=0), joined, NOT_KEPT, fit_metrics(labels, joined), told)


class FoldEnsembleHead:
    """The mean of models each fitted without one inner fold of the training part.

    Its inner probabilities cost nothing: each sample's come from the model that did not see its group.

    Args:
        single, head, lookup: as for `SeedEnsembleHead`; only what the single one chose is used.
        count: inner folds.
    """

    def __init__(self, single: str, head: Refittable, lookup: Lookup, count: int) -> None:
        self._single, self._head, self._lookup, self._count = single, head, lookup, count

    def fit_predict(
        self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Fit a model for each inner fold and average what they say of the test part."""
        from headtohead.data.splits.folds import inner_folds

        labels = data.labels[cell.train]
        once = _Once(self._head, cell, data, self._lookup(self._single, cell).chosen, workdir, reporter)
        inner = np.full((len(labels), len(data.classes)), np.nan)
        tests = []
        parts = inner_folds(labels, data.groups[cell.train], self._count, cell.seed)
        for number, (fit, held) in enumerate(parts):
            asked = [cell.test, cell.train[held]]
            test, inner[held] = once.fit(cell.train[fit], asked, 0, f"fold{number}", 1000 + number)
            tests.append(test)
        told = {"how": "folds", "models": len(parts), "single": self._single}
        return FoldResult(np.mean(tests, axis=0), inner, NOT_KEPT, fit_metrics(labels, inner), told)


class _Once:
    """Fits with what stays the same over the models of a cell."""

    def __init__(
        self,
        head: Refittable,
        cell: FoldJob,
        data: TrainingData,
        chosen: Mapping[str, Any],
        workdir: Path,
        reporter: Reporter,
    ) -> None:
        self._head, self._cell, self._data, self._chosen = head, cell, data, chosen
        self._workdir, self._reporter = workdir, reporter

    def fit(self, fit: Ints, asked: Sequence[Ints], part: int, name: str, number: int) -> list[Floats]:
        """Return the probabilities of model `format_estimate` on what is asked."""
        state = np.random.SeedSequence([self._cell.seed, 7, number, part]).generate_state(1, np.uint32)
        return self._head.refit(
            fit,
            asked,
            self._data,
            self._chosen,
            seed=int(state[0]),
            name=name,
            workdir=self._workdir,
            reporter=self._reporter,
        )
