"""Fits of heads in several folds: in processes side by side where that saves seconds, else one by one.

A small fit is many short calls, between which threads wait for one another, so that on two cores two threads are no
faster than one. Processes are; and since each computes with one thread, as a fit here does, no digit depends on where
it was computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from headtohead.core.errors import ProcessLostError
from headtohead.core.parallel import cores, process_map
from headtohead.core.progress import QUIET, Reporter
from headtohead.heads.base import FoldJob, FoldResult, Head, SampleLabels
from headtohead.heads.peak_memory import peak_mib, reset_peak

__all__ = ["FittedFold", "PortableHead", "fit_folds"]

START_SECONDS = 2.5
"""That must be saved: processes take about half of it to start, and their number is small."""

MOST = 16
"""Processes at once: each takes some 150 MB."""

TRIED = 2
"""Fits that are made here before, the first of which may also compute features."""

TASK_SECONDS = 1.0
"""Of a task: a process that is lost, or a study that is stopped, loses no more; handing it over takes milliseconds."""


@runtime_checkable
class PortableHead(Protocol):
    """A head whose fits need neither a network nor a work folder."""

    def portable(self) -> Head | None:
        """Return a head that gives the same results in another process, or None where it is too large for that."""


@dataclass(frozen=True, slots=True)
class FittedFold:
    """The result of one fold, what it took in seconds, and the largest memory meanwhile, None where not known."""

    result: FoldResult
    seconds: float
    peak: float | None


Fit = tuple[Head, FoldJob]


@dataclass(frozen=True, slots=True)
class _Task:
    fits: tuple[Fit, ...]
    data: SampleLabels


def fit_folds(
    fits: Sequence[Fit],
    data: SampleLabels,
    workdir: Callable[[FoldJob], Path],
    reporter: Reporter = QUIET,
) -> Generator[FittedFold, None, None]:
    """Yield the result of each fit, in their order.

    Args:
        fits: head and job of each. data: labels and groups of all samples.
        workdir: makes the folder for what a head leaves while it works.
        reporter: hears of the fits that are made here, and of lost processes.
    """
    done, seconds = 0, 0.0
    for head, job in fits[:TRIED]:
        fitted = _fitted(head, job, data, workdir(job), reporter)
        seconds = fitted.seconds
        yield fitted
        done += 1
    rest = fits[done:]
    if (
        len(rest) * seconds * (1 - 1 / min(cores(), MOST)) > START_SECONDS
        and (moved := _portable(rest)) is not None
    ):
        size = max(1, int(TASK_SECONDS / seconds))
        tasks = [_Task(tuple(moved[i : i + size]), data) for i in range(0, len(moved), size)]
        try:
            for several in process_map(_fitted_there, tasks, workers=min(cores(), MOST, len(tasks))):
                yield from several
                done += len(several)
        except ProcessLostError as error:
            reporter.info(f"{error} The other fits are made in this process.")
    for head, job in fits[done:]:
        yield _fitted(head, job, data, workdir(job), reporter)


def _portable(fits: Sequence[Fit]) -> list[Fit] | None:
    """Return the fits with heads for another process, or None where one of them has no such."""
    known: dict[int, Head] = {}
    for head, _ in fits:
        if id(head) not in known:
            moved = head.portable() if isinstance(head, PortableHead) else None
            if moved is None:
                return None
            known[id(head)] = moved
    return [(known[id(head)], job) for head, job in fits]


def _fitted(head: Head, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> FittedFold:
    measured, started = reset_peak(), time.perf_counter()
    result = head.fit_predict(job, data, workdir, reporter)
    return FittedFold(result, time.perf_counter() - started, peak_mib() if measured else None)


def _fitted_there(task: _Task) -> list[FittedFold]:
    return [_fitted(head, job, task.data, Path(), QUIET) for head, job in task.fits]
