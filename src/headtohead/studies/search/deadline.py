"""A reporter with a deadline: work that takes its items from it ends at the first item after the deadline."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from headtohead.core.errors import HeadToHeadError
from headtohead.core.progress import Reporter

__all__ = ["DeadlineReporter", "TimeOverError"]

T = TypeVar("T")


class TimeOverError(HeadToHeadError):
    """The deadline has passed; finished epochs lie in their checkpoints."""


class DeadlineReporter:
    """Pass everything on to another reporter, and end the work at the deadline.

    Args:
        reporter: hears everything.
        deadline: in seconds of `time.monotonic`.
    """

    def __init__(self, reporter: Reporter, deadline: float) -> None:
        self.without_deadline, self.deadline = reporter, deadline

    def info(self, message: str) -> None:
        """Pass the sentence on."""
        self.without_deadline.info(message)

    def warning(self, message: str) -> None:
        """Pass the sentence on."""
        self.without_deadline.warning(message)

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items while there is time.

        Raises:
            TimeOverError: the deadline has passed.
        """
        for item in self.without_deadline.progress(items, label, total):
            if time.monotonic() > self.deadline:
                raise TimeOverError("The time that was given is over.")
            yield item
