"""One shard of a study: its share of the features and cells, computed beside other shards in one run folder.

Shards are for plain arrays of batch jobs that know nothing of each other (Slurm and the like). They meet in
the run folder alone, by locks that the operating system frees when a process dies:

- each shard holds a lock of its own, so that nothing is computed twice at a time, and a call without `--shard`
  does not begin while a shard is at work;
- what all need (audit, folds) is made by the first and read by the others;
- features are taken in small parts by whoever is free; cells are dealt out by number.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from headtohead.core.errors import RunFolderError, UsageError
from headtohead.core.progress import Reporter
from headtohead.core.run_folder import LOCKS, RunFolder, slug
from headtohead.engines.tasks import CellTask, FeatureTask, Work, WorkPlan

__all__ = ["Shard", "preparing", "refuse_running_shards", "remove_shard_locks", "run_shard"]

# Who looks whether a lock is free holds it for a moment; longer than this, it is held by someone at work.
_LOOKING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard number `index` (from 1) of `count`."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "2/8".

        Raises:
            UsageError: anything else, or a number that is not there.

        >>> Shard.parse("2/8")
        Shard(index=2, count=8)
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(f"Got --shard {text!r}; expected I/N with I from 1 to N, for example 2/8.")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def cells_of(self, plan: WorkPlan) -> tuple[CellTask, ...]:
        """Return the shard's cells.

        Cells that rest on nothing but features are dealt out by number. A cell that rests on others follows them;
        where they are in several shards, it is left for the call that gathers the shards.
        """
        first, *later = plan.waves or ((),)
        own = list(first[self.index - 1 :: self.count])
        for wave in later:
            done = {(task.contender, task.place) for task in own}
            own += [task for task in wave if all((name, task.place) in done for name in task.rests_on)]
        return tuple(own)

    @contextmanager
    def lock(self, run: RunFolder) -> Iterator[None]:
        """Hold the shard's own lock in a run folder.

        Raises:
            RunFolderError: the same shard is at work already, or shards of another count, or a whole run.
        """
        from filelock import FileLock, Timeout

        folder = run / LOCKS
        folder.mkdir(parents=True, exist_ok=True)
        own = FileLock(folder / f"shard-{self.index}-of-{self.count}")
        try:
            own.acquire(timeout=_LOOKING_SECONDS)
        except Timeout as error:
            raise RunFolderError(
                f"Shard {self} of {run.path} is at work in another process. Wait for it, or start another shard."
            ) from error
        try:
            # Its own lock is among those that run, and of this count.
            if others := [name for name in _running(run) if not name.endswith(f"-of-{self.count}")]:
                raise RunFolderError(
                    f"{run.path} is being computed in another number of shards ({', '.join(others)}). "
                    f"Wait for them, or use the same N instead of {self.count}."
                )
            _refuse_whole_run(run)
            yield
        finally:
            own.release()


@contextmanager
def preparing(run: RunFolder) -> Iterator[None]:
    """Wait until no other shard prepares the run folder, and hold that place."""
    from filelock import FileLock

    with FileLock(run / LOCKS / "prepare"):
        yield


def run_shard(shard: Shard, plan: WorkPlan, work: Work, run: RunFolder, reporter: Reporter) -> int:
    """Compute a shard's share of the features and its cells, and return the number of its cells.

    Parts of the features that nobody is at are taken from the shard's own place on; those that another process
    is at are waited for at the end, or taken over where it died. So shards that start late, or never, cost time and
    nothing else.
    """
    _share_features(shard, plan.features, work, run, reporter)
    cells = shard.cells_of(plan)
    work.cells(cells, reporter)
    return len(cells)


def refuse_running_shards(run: RunFolder) -> None:
    """Refuse to compute the whole run while shards of it are at work.

    Raises:
        RunFolderError: names the shards.
    """
    if found := _running(run):
        raise RunFolderError(
            f"{run.path} is being computed by shards that are still at work ({', '.join(found)}). "
            "Run the command without --shard when they have ended."
        )


def remove_shard_locks(run: RunFolder) -> None:
    """Remove the shards' lock files of a finished run."""
    shutil.rmtree(run / LOCKS, ignore_errors=True)


def _share_features(
    shard: Shard, tasks: Sequence[FeatureTask], work: Work, run: RunFolder, reporter: Reporter
) -> None:
    from filelock import FileLock, Timeout

    start = len(tasks) * (shard.index - 1) // shard.count
    busy = []
    for task in reporter.progress([*tasks[start:], *tasks[:start]], "Features", total=len(tasks)):
        lock = FileLock(run / LOCKS / slug(str(task)))
        try:
            with lock.acquire(timeout=0):
                work.features(task, reporter)
        except Timeout:
            busy.append((lock, task))
    for lock, task in busy:
        with lock:
            work.features(task, reporter)  # what the other has left: rows in the cache are not computed again


def _running(run: RunFolder) -> list[str]:
    """Return the names of the shards whose lock another process holds."""
    from filelock import FileLock, Timeout

    found = []
    for path in sorted((run / LOCKS).glob("shard-*")):
        try:
            with FileLock(path).acquire(timeout=0):
                pass
        except Timeout:
            found.append(path.name)
    return found


def _refuse_whole_run(run: RunFolder) -> None:
    from filelock import FileLock, Timeout

    try:
        with FileLock(run / ".lock").acquire(timeout=_LOOKING_SECONDS):
            pass
    except Timeout as error:
        raise RunFolderError(
            f"{run.path} is in use by another headtohead process. Wait for it, or choose another --out."
        ) from error
