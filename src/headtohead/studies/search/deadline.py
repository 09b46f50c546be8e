"""Time that is respected: work that asks a `DeadlineReporter` for its items ends at the first item after the hour."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from headtohead.core.errors import HeadToHeadError
from headtohead.core.progress import Reporter

__all__ = ["DeadlineReporter", "TimeOverError"]

T = TypeVar("T")


class TimeOverError(HeadToHeadError):
    """The time that was given is over; finished epochs lie in their checkpoints."""


class DeadlineReporter:
    """A reporter that passes everything on and ends the work when its time is over.

    Args:
        deadline: in seconds of `time.monotonic`.
    """

    def __init__(self, reporter: Reporter, deadline: float) -> None:
        self._reporter, self.deadline = reporter, deadline

    def info(self, message: str) -> None:
        """Pass the sentence on."""
        self._reporter.info(message)

    def warning(self, message: str) -> None:
        """Pass the sentence on."""
        self._reporter.warning(message)

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items while there is time.

        Raises:
            TimeOverError: there is none left.
        """
        for item in self._reporter.progress(items, label, total):
            if time.monotonic() > self.deadline:
                raise TimeOverError("The time that was given is over.")
            yield item
