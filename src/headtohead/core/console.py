"""Progress and messages on stderr: bars for a terminal, one timestamped line per stage for a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from headtohead.core.progress import Reporter
from headtohead.core.safety.plain_text import raw_stream, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, Task

__all__ = ["ConsoleReporter", "console_reporter", "time_left"]

T = TypeVar("T")


class ConsoleReporter:
    """A `Reporter` that writes to stderr.

    A terminal sees bars with the time left, work inside work one under the other, and sentences above them. A file
    (a pipe, a batch system) gets one line with the time of day for each stage and decision; what happens inside a
    stage only with `verbose`.
    """

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console, self._verbose = console, verbose
        self._bars: Progress | None = None
        self._depth = 0
        self._named: set[str] = set()

    def info(self, message: str) -> None:
        """Print a decision; in a file, decisions inside a stage only with `verbose`."""
        message = visible(message)
        if self._console.is_terminal:
            # Brackets in a message are no markup of rich.
            self._console.print(f"· {message}", markup=False, highlight=False)
        elif self._verbose or not self._depth:
            self._line(message)

    def warning(self, message: str) -> None:
        """Print a warning, always."""
        message = visible(message)
        if self._console.is_terminal:
            self._console.print(f"warning: {message}", markup=False, highlight=False, soft_wrap=True)
        else:
            self._line(f"warning: {message}")

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield the items; a terminal sees a bar with the time left, a file one line when the stage begins."""
        label = visible(label)
        size = total if total is not None else (len(items) if isinstance(items, Sized) else None)
        if not self._console.is_terminal:
            yield from self._named_once(items, label, size)
            return
        with self._shown() as bars:
            task = bars.add_task(label, total=size)
            try:
                for item in items:
                    yield item
                    bars.advance(task)
            finally:
                bars.remove_task(task)

    def _named_once(self, items: Iterable[T], label: str, size: int | None) -> Iterator[T]:
        """Yield the items after a line that names the stage; a stage that comes again is not named again."""
        stage = f"{label}{'' if size is None else f' ({size})'}"
        if not self._depth and stage not in self._named:
            self._named.add(stage)
            self._line(stage)
        self._depth += 1
        try:
            yield from items
        finally:
            self._depth -= 1

    def _line(self, message: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        self._console.print(f"{now} {message}", markup=False, highlight=False, soft_wrap=True)

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
            ProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.text import Text

        class TimeLeft(ProgressColumn):
            """The time left at the mean speed so far, so that it grows while a slow item stands still."""

            def render(self, task: Task) -> Text:
                left = time_left(task.elapsed, task.completed, task.total)
                return Text("" if left is None else f"about {left} left", style="cyan")

        columns = (
            TextColumn("{task.description}", markup=False),  # a label may hold the path of a model
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeLeft(),
        )
        try:
            with Progress(*columns, console=self._console, transient=True) as self._bars:
                yield self._bars
        finally:
            self._bars = None


def time_left(elapsed: float | None, done: float, total: float | None) -> str | None:
    """Return minutes and seconds that are left at the mean speed so far, None where it is not known.

    >>> time_left(30.0, 10, 40), time_left(30.0, 0, 40)
    ('1:30', None)
    """
    if elapsed is None or not done or total is None:
        return None
    seconds = round(elapsed * (total - done) / done)
    return f"{seconds // 60}:{seconds % 60:02d}"


def console_reporter(*, verbose: bool = False) -> Reporter:
    """Return a reporter for stderr, with bars if it is a terminal."""
    from rich.console import Console

    console = Console(file=raw_stream(sys.stderr), emoji=False)  # ":x:" in a name is no picture
    return ConsoleReporter(console, verbose=verbose)
