"""How long work tells what it does, without printing: the command line supplies the voice.

Every function that may take over two seconds accepts a `Reporter`; the default says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["QUIET", "QuietReporter", "Reporter"]

T = TypeVar("T")


class Reporter(Protocol):
    """Someone who listens to progress."""

    def info(self, message: str) -> None:
        """Pass on one sentence about a decision that was taken."""

    def warning(self, message: str) -> None:
        """Pass on one sentence that the user must not miss."""

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Yield `items` unchanged while showing how far along they are."""


class QuietReporter:
    """A reporter that keeps silent."""

    def info(self, message: str) -> None:
        """Ignore the sentence."""

    def warning(self, message: str) -> None:
        """Ignore the sentence."""

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:  # noqa: ARG002
        """Yield the items unchanged."""
        yield from items


QUIET: Reporter = QuietReporter()
