"""What the tests of training share: networks this small are slower on two threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.planting.threads import single_thread

from headtohead.core.progress import QuietReporter


class Listener(QuietReporter):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.warned: list[str] = []

    def info(self, message: str) -> None:
        self.heard.append(message)

    def warning(self, message: str) -> None:
        self.warned.append(message)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with single_thread():
        yield
