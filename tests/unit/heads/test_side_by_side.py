"""Fits in processes: the same digits in the same order, only where seconds are saved, and none lost with a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.planting.listener import Listener

from headtohead.core.errors import HeadToHeadError, ProcessLostError
from headtohead.core.progress import QUIET, Reporter
from headtohead.heads import side_by_side as module
from headtohead.heads.base import FoldJob, FoldResult, Head, SampleLabels
from headtohead.heads.baselines import FileFactsHead, MajorityHead
from headtohead.heads.linear_probe import PORTABLE_BYTES, ProbeHead
from headtohead.heads.side_by_side import FittedFold, fit_folds
from headtohead.training.records import FitMetrics

N = 60
LABELS = np.arange(N) % 2
DATA = SampleLabels(LABELS, np.array([f"g{i:02d}" for i in range(N)]), ("no", "yes"))
ROWS = (np.random.default_rng(0).normal(size=(N, 90)) + 0.3 * LABELS[:, None]).astype(np.float32)


def jobs(n: int = 6) -> list[FoldJob]:
    found = []
    for fold in range(n):
        test = np.flatnonzero(np.arange(N) // 2 % n == fold)
        found.append(FoldJob(0, fold, np.setdiff1d(np.arange(N), test), test, 7 + fold))
    return found


class ProcessHead:
    """A head that tells in which process it was asked, and is killed or refuses where it is told to."""

    def __init__(self, dies: int = -1, refuses: int = -1) -> None:
        self.home, self.dies, self.refuses = os.getpid(), dies, refuses

    def portable(self) -> ProcessHead:
        return self

    def fit_predict(self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> FoldResult:
        del data, workdir, reporter
        if job.fold == self.dies and os.getpid() != self.home:
            os._exit(1)
        if job.fold == self.refuses:
            raise HeadToHeadError("refused")
        nothing = FitMetrics(None, None)
        away = float(os.getpid() != self.home)
        return FoldResult(np.array([[job.fold, away]]), np.zeros((0, 2)), nothing, nothing)


def fitted(head: Head, n: int = 6, reporter: Reporter = QUIET) -> list[FittedFold]:
    return list(fit_folds([(head, job) for job in jobs(n)], DATA, lambda _: Path(), reporter))


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take processes however little they save, and a task for each fit."""
    monkeypatch.setattr(module, "TASK_SECONDS", 0.0)
    monkeypatch.setattr(module, "START_SECONDS", 0.0)
    monkeypatch.setattr(module, "cores", lambda: 2)


def forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(5, random_state=seed)


def facts() -> Head:
    return FileFactsHead(ROWS[:, :3].astype(np.float64), forest)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "make", [lambda: ProbeHead(lambda: ROWS, (1e-2, 1.0)), facts], ids=["probe", "facts"]
)
def test_a_process_gives_the_digits_of_this_one(
    make: Callable[[], Head], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = fitted(make())
    monkeypatch.setattr(module, "START_SECONDS", np.inf)
    here = fitted(make())
    for one, other in zip(there, here, strict=True):
        assert one.result.probabilities.tobytes() == other.result.probabilities.tobytes()
        assert one.result.inner_probabilities.tobytes() == other.result.inner_probabilities.tobytes()
        assert (one.result.chosen, one.result.train) == (other.result.chosen, other.result.train)
        assert one.seconds > 0


@pytest.mark.usefixtures("always")
def test_results_come_in_order_the_first_two_from_here() -> None:
    found = np.concatenate([one.result.probabilities for one in fitted(ProcessHead())])
    assert found.tolist() == [[0, 0], [1, 0], [2, 1], [3, 1], [4, 1], [5, 1]]


def test_processes_are_taken_where_they_save_more_than_their_start(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def mapped(function: Callable[[Any], Any], tasks: list[Any], *, workers: int) -> Iterator[Any]:
        asked.append(workers)
        yield from map(function, tasks)

    slow = 0.0

    def timed(head: Head, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> FittedFold:
        return FittedFold(head.fit_predict(job, data, workdir, reporter), slow, None)

    monkeypatch.setattr(module, "process_map", mapped)
    monkeypatch.setattr(module, "_fitted", timed)
    for cores, slow, taken in (
        (2, 1.0, False),
        (2, 1.3, True),
        (4, 0.8, False),
        (4, 0.9, True),
        (1, 99.0, False),
    ):
        asked.clear()
        monkeypatch.setattr(module, "cores", lambda found=cores: found)
        assert len(fitted(ProcessHead())) == 6
        assert asked == ([cores] if taken else []), (cores, slow)


@pytest.mark.usefixtures("always")
def test_a_head_that_cannot_be_sent_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "process_map", None)
    assert len(fitted(MajorityHead())) == 6
    large = ProbeHead(lambda: np.zeros((1, PORTABLE_BYTES // 8 + 1)))
    assert large.portable() is None and ProbeHead(lambda: ROWS).portable() is not None


@pytest.mark.usefixtures("always")
def test_a_lost_process_costs_no_fit() -> None:
    said = Listener()
    found = np.concatenate([one.result.probabilities for one in fitted(ProcessHead(dies=2), reporter=said)])
    assert found[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert said.infos == [
        "A worker process was lost (TerminatedWorkerError). The other fits are made in this process."
    ]


@pytest.mark.usefixtures("always")
def test_an_error_of_a_fit_is_raised_when_its_turn_comes() -> None:
    found = fit_folds([(ProcessHead(refuses=4), job) for job in jobs()], DATA, lambda _: Path())
    assert [next(found).result.probabilities[0, 0] for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(HeadToHeadError, match="refused"):
        next(found)


@pytest.mark.usefixtures("always")
def test_a_system_without_processes_fits_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any, **__: Any) -> Iterator[Any]:
        raise ProcessLostError("No worker process can be started (OSError).")
        yield

    monkeypatch.setattr(module, "process_map", none)
    said = Listener()
    assert len(fitted(ProcessHead(), reporter=said)) == 6
    assert said.infos == [
        "No worker process can be started (OSError). The other fits are made in this process."
    ]
