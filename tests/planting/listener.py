"""A reporter that remembers what it was told."""

from __future__ import annotations

from headtohead.core.progress import QuietReporter

__all__ = ["Listener"]


class Listener(QuietReporter):
    """Keeps the sentences in the order in which they came."""

    def __init__(self) -> None:
        self.infos: list[str] = []
        self.warnings: list[str] = []

    def info(self, message: str) -> None:
        """Keep a sentence."""
        self.infos.append(message)

    def warning(self, message: str) -> None:
        """Keep a warning."""
        self.warnings.append(message)
