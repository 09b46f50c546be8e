"""Replicate ensembles: the same contender fitted several times, from other seeds or without one inner fold each.

What was chosen (settings, epochs, C) is the single contender's own choice in the same cell, made on
its inner folds; a replicate makes no new choice. So the gain over the single one is that of averaging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from headtohead.core.progress import QUIET, Reporter
from headtohead.heads.base import CellLookup, FoldJob, FoldResult, RefitJob, SampleLabels
from headtohead.training.records import FitMetrics, Floats, Ints, fit_metrics

__all__ = ["FOLD_NUMBER", "FoldEnsembleHead", "Refittable", "SeedEnsembleHead", "replicate_seed"]

NO_TRAIN_METRICS = FitMetrics(None, None)  # models of a mean do not store their training predictions
# What sets the seeds of these models apart from every other use of a cell's seed.
SEED_STREAM = 7
FOLD_NUMBER = 1000  # first number of the models of `folds(...)`, apart from those of `seeds(...)`


class Refittable(Protocol):
    """A head that can be fitted again with choices made before."""

    def refit(
        self,
        job: RefitJob,
        queries: Sequence[Ints],
        data: SampleLabels,
        *,
        workdir: Path,
        reporter: Reporter,
    ) -> list[Floats]:
        """Fit on the samples `job.fit`; return (n, k) probabilities for each array of samples."""

    def inner_folds(self, job: FoldJob, data: SampleLabels) -> list[tuple[Ints, Ints]]:
        """Return the (fit, validation) places in the training part from which its inner probabilities come."""


class SeedEnsembleHead:
    """Average a contender and the same contender fitted from other seeds.

    Args:
        single: the contender's name; its finished cell is the first model of the mean.
        head: the contender's own head.
        lookup: loads finished cells.
        count: models in all.
    """

    def __init__(self, single: str, head: Refittable, lookup: CellLookup, count: int) -> None:
        self._single, self._head, self._lookup, self._count = single, head, lookup, count

    def fit_predict(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Fit the other models and average the probabilities, the inner ones too."""
        first = self._lookup(self._single, job)
        tests, inners = [first.probabilities], [first.inner_probabilities]
        for number in range(1, self._count):
            refitter = _Refitter(self._head, job, data, first.chosen, workdir, reporter)
            (test,) = refitter.fit(job.train, [job.test], 0, f"seed{number}", number)
            inner = np.full(first.inner_probabilities.shape, np.nan)
            for part, (fit, validation) in enumerate(self._head.inner_folds(job, data)):
                queries = [job.train[validation]]
                (inner[validation],) = refitter.fit(
                    job.train[fit], queries, 1 + part, f"seed{number}.inner{part}", number
                )
            tests.append(test)
            inners.append(inner)
        joined = np.mean(inners, axis=0)  # NaN where the head has no inner predictions
        chosen = {"how": "seeds", "models": self._count, "single": self._single}
        labels = data.labels[job.train]
        return FoldResult(
            np.mean(tests, axis=0), joined, NO_TRAIN_METRICS, fit_metrics(labels, joined), chosen
        )


class FoldEnsembleHead:
    """Average models each fitted without one inner fold of the training part.

    Its inner probabilities cost nothing: each sample's come from the model that did not see its group.

    Args:
        single, head, lookup: as for `SeedEnsembleHead`; only what the single one chose is used.
        count: inner folds.
    """

    def __init__(self, single: str, head: Refittable, lookup: CellLookup, count: int) -> None:
        self._single, self._head, self._lookup, self._count = single, head, lookup, count

    def fit_predict(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Fit a model without each inner fold and average their predictions for the test part."""
        from headtohead.data.splits.folds import inner_folds

        labels = data.labels[job.train]
        chosen = self._lookup(self._single, job).chosen
        refitter = _Refitter(self._head, job, data, chosen, workdir, reporter)
        inner = np.full((len(labels), len(data.classes)), np.nan)
        tests = []
        folds = inner_folds(labels, data.groups[job.train], self._count, job.seed)
        for number, (fit, validation) in enumerate(folds):
            queries = [job.test, job.train[validation]]
            test, inner[validation] = refitter.fit(
                job.train[fit], queries, 0, f"fold{number}", FOLD_NUMBER + number
            )
            tests.append(test)
        made = {"how": "folds", "models": len(folds), "single": self._single}
        return FoldResult(np.mean(tests, axis=0), inner, NO_TRAIN_METRICS, fit_metrics(labels, inner), made)


class _Refitter:
    """Fits the further models of one cell, each from a seed of its own."""

    def __init__(
        self,
        head: Refittable,
        job: FoldJob,
        data: SampleLabels,
        chosen: Mapping[str, Any],
        workdir: Path,
        reporter: Reporter,
    ) -> None:
        self._head, self._job, self._data, self._chosen = head, job, data, chosen
        self._workdir, self._reporter = workdir, reporter

    def fit(self, fit: Ints, queries: Sequence[Ints], part: int, name: str, number: int) -> list[Floats]:
        """Return the probabilities of model `number` for each array of samples."""
        job = RefitJob(fit, self._chosen, replicate_seed(self._job.seed, number, part), name)
        return self._head.refit(job, queries, self._data, workdir=self._workdir, reporter=self._reporter)


def replicate_seed(seed: int, number: int, part: int = 0) -> int:
    """Return the seed of model `number` of a replicate ensemble, apart from all others of a cell."""
    return int(np.random.SeedSequence([seed, SEED_STREAM, number, part]).generate_state(1, np.uint32)[0])
