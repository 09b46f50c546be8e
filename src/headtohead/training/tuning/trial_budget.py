"""What one cell may still spend on trials, kept in its work folder so that a killed cell gets the same again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic
from headtohead.core.config import Budget

__all__ = ["TrialBudget", "subsample_grid"]

FINAL = 1.25  # a training on the whole part against a trial, which leaves a fifth out


class TrialBudget:
    """The trials of one cell under a budget.

    Trials are counted exactly. Minutes are an equal share for each cell: a further trial begins only
    if it and the final training are expected to end in time; the first always does. How many there were
    is written down, so that a cell which was interrupted replays that number instead of timing again.

    Args:
        budget: of the whole contender.
        cells: how many cells share it.
        workdir: the cell's own folder.

    Example:
        >>> import tempfile
        >>> purse = TrialBudget(Budget(trials=2), 5, Path(tempfile.mkdtemp()))
        >>> [purse.can_start(done) for done in (0, 1, 2)]
        [True, True, False]
    """

    def __init__(self, budget: Budget, cells: int, workdir: Path) -> None:
        self._trials = budget.trials
        self._share = None if budget.minutes is None else 60.0 * budget.minutes / max(1, cells)
        self._path = workdir / "purse.json"
        known: dict[str, Any] = json.loads(self._path.read_text()) if self._path.is_file() else {}
        self._seconds: list[float] = known.get("seconds", [])
        self._closed: bool = known.get("closed", False)

    def can_start(self, done: int) -> bool:
        """Return whether another trial may begin after `done` of them."""
        if self._trials is not None:
            return done < self._trials
        if done < len(self._seconds) or done == 0:
            return True
        if not self._closed and not self._affords_one_more():
            self._closed = True
            self._write()
        return not self._closed

    def record_spent(self, number: int, started: float, earlier: float = 0.0) -> None:
        """Note what trial `number` took: since `started` (`time.perf_counter()`), and before a kill."""
        if self._trials is None and number == len(self._seconds):
            self._seconds.append(time.perf_counter() - started + earlier)
            self._write()

    def _affords_one_more(self) -> bool:
        mean = sum(self._seconds) / len(self._seconds)
        return self._share is not None and sum(self._seconds) + mean + FINAL * mean <= self._share

    def _write(self) -> None:
        write_atomic(self._path, json.dumps({"seconds": self._seconds, "closed": self._closed}))


def subsample_grid(grid: tuple[float, ...], trials: int | None) -> tuple[float, ...]:
    """Return as many values as there are trials, evenly over the grid's range; None for the grid as it is.

    >>> subsample_grid((0.001, 0.01, 0.1, 1.0), 2), subsample_grid((0.01, 0.1, 1.0), 1)
    ((0.001, 1.0), (0.1,))
    >>> [round(value, 4) for value in subsample_grid((0.01, 1.0), 5)]
    [0.01, 0.0316, 0.1, 0.3162, 1.0]
    """
    if trials is None or trials == len(grid):
        return grid
    if trials == 1:
        return (grid[len(grid) // 2],)
    if trials < len(grid):
        return tuple(grid[round(i * (len(grid) - 1) / (trials - 1))] for i in range(trials))
    low, high = min(grid), max(grid)
    return tuple(float(low * (high / low) ** (i / (trials - 1))) for i in range(trials))
