"""The command's voice: progress bars and sentences on stderr, quiet when nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from headtohead.core.reporter import Reporter

__all__ = ["Voice", "voice"]

T = TypeVar("T")


class Voice:
    """A `Reporter` that speaks on stderr: bars and decisions to a terminal, warnings always."""

    def __init__(self, terminal: bool) -> None:
        self.terminal = terminal

    def say(self, message: str) -> None:
        """Print a decision, if somebody watches."""
        if self.terminal:
            print(f"· {message}", file=sys.stderr)

    def warn(self, message: str) -> None:
        """Print a warning, always."""
        print(f"warning: {message}", file=sys.stderr)

    def track(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items; a terminal sees a bar with the time left."""
        if not self.terminal:
            yield from items
            return
        from rich.console import Console
        from rich.progress import track

        size = total if total is not None else (len(items) if isinstance(items, Sized) else None)
        yield from track(items, label, total=size, console=Console(stderr=True), transient=True)


def voice() -> Reporter:
    """Return the voice that fits where stderr goes."""
    return Voice(sys.stderr.isatty())
