"""The heads of the search: one per candidate, one per step of the ablation, and the search itself."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from headtohead.core.progress import QUIET, Reporter
from headtohead.core.run_folder import RunFolder
from headtohead.data.splits.folds import Fold
from headtohead.heads.base import CellLookup, FoldJob, FoldResult, Head, SampleLabels
from headtohead.heads.cross_validation import fit_cells
from headtohead.heads.ensemble import EnsembleHead
from headtohead.heads.linear_probe import ProbeHead
from headtohead.studies.search.augmented_probe import AugmentedProbeHead
from headtohead.studies.search.deadline import DeadlineReporter
from headtohead.studies.search.search_space import AblationStep, CandidateSpec, FeatureProvider
from headtohead.studies.search.summary import SEARCHED

__all__ = ["fit_until", "search_heads", "without_inner"]


def search_heads(
    candidates: Sequence[CandidateSpec],
    steps: Sequence[AblationStep],
    provider: FeatureProvider,
    lookup: CellLookup,
) -> dict[str, Head]:
    """Return name -> head: every candidate, then the steps of the ablation, then the search.

    Args:
        candidates: what is searched over.
        steps: of the ablation.
        provider: makes the candidates' features.
        lookup: loads finished cells.
    """
    # A candidate that is also a step is fitted once.
    needed = dict.fromkeys([*candidates, *(member for step in steps for member in step.members)])
    heads: dict[str, Head] = {}
    for candidate in needed:
        features = partial(provider.features, candidate)
        heads[candidate.name] = (
            AugmentedProbeHead(features, provider.copies(candidate))
            if candidate.copies
            else ProbeHead(features)
        )
    for step in steps:
        names = [member.name for member in step.members]
        heads[step.name] = (
            EnsembleHead(names, lookup, "mean") if len(names) > 1 else _AliasHead(names[0], lookup)
        )
    heads[SEARCHED] = EnsembleHead([candidate.name for candidate in candidates], lookup, "greedy")
    return heads


def fit_until(
    heads: Mapping[str, Head],
    folds: Sequence[Fold],
    labels: SampleLabels,
    run: RunFolder,
    deadline: DeadlineReporter,
    *,
    seed: int,
) -> list[Fold]:
    """Fit the heads repeat by repeat until the time is over; at least one repeat is done.

    Args:
        heads: name -> head, ensembles after their members.
        folds: the outer folds.
        labels: of all samples.
        run: where finished cells lie.
        deadline: the end of the time.
        seed: of the study.

    Returns:
        The folds of the finished repeats.
    """
    finished: list[Fold] = []
    repeats = sorted({fold.repeat for fold in folds})
    for repeat in repeats:
        if finished and time.monotonic() > deadline.deadline:
            deadline.warning(
                f"The time is over after {repeat} of {len(repeats)} repeats; those are reported."
            )
            break
        current = [fold for fold in folds if fold.repeat == repeat]
        # whole repeats are finished, whatever the time: the reporter without the deadline
        fit_cells(heads, current, labels, run, seed=seed, reporter=deadline.without_deadline)
        finished += current
    return finished


def without_inner(lookup: CellLookup) -> CellLookup:
    """Return results without inner probabilities, which a mean does not need and not every member has."""

    def load(name: str, job: FoldJob) -> FoldResult:
        result = lookup(name, job)
        return replace(result, inner_probabilities=np.full_like(result.inner_probabilities, np.nan))

    return load


class _AliasHead:
    """A step of the ablation that is one candidate: its result under the step's name."""

    def __init__(self, name: str, lookup: CellLookup) -> None:
        self._name, self._lookup = name, lookup

    def fit_predict(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Return the candidate's result."""
        del data, workdir, reporter
        return self._lookup(self._name, job)
