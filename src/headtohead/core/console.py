"""The command's voice: progress bars and sentences on stderr, quiet when nobody watches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from headtohead.core.progress import Reporter

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = ["ConsoleReporter", "console_reporter"]

T = TypeVar("T")


class ConsoleReporter:
    """A `Reporter` that speaks on stderr: bars and decisions to a terminal, warnings always.

    Work inside work shows one bar under the other; sentences stand above the bars.
    """

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console, self._verbose = console, verbose
        self._bars: Progress | None = None

    def info(self, message: str) -> None:
        """Print a decision, if somebody watches or asked for it."""
        if self._console.is_terminal or self._verbose:
            wrap = not self._console.is_terminal
            self._console.print(f"· {message}", markup=False, highlight=False, soft_wrap=wrap)

    def warning(self, message: str) -> None:
        """Print a warning, always."""
        self._console.print(f"warning: {message}", markup=False, highlight=False, soft_wrap=True)

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items; a terminal sees a bar with the time left."""
        if not self._console.is_terminal:
            yield from items
            return
        size = total if total is not None else (len(items) if isinstance(items, Sized) else None)
        with self._shown() as bars:
            task = bars.add_task(label, total=size)
            try:
                for item in items:
                    yield item
                    bars.advance(task)
            finally:
                bars.remove_task(task)

    @contextmanager
    def _shown(self) -> Iterator[Progress]:
        """Show the bars for as long as the outermost work runs."""
        if self._bars is not None:
            yield self._bars
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        try:
            with Progress(*columns, console=self._console, transient=True) as self._bars:
                yield self._bars
        finally:
            self._bars = None


def console_reporter(*, verbose: bool = False) -> Reporter:
    """Return the voice that fits where stderr goes."""
    from rich.console import Console

    return ConsoleReporter(Console(stderr=True), verbose=verbose)
