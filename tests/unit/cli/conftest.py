"""What the tests of commands share: the command run in this process, and functions of the API that are asked."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from headtohead.cli.app import main


class Said(NamedTuple):
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return what runs `headtohead` with words."""

    def run(*words: Any) -> Said:
        status = main([str(word) for word in words])
        return Said(status, *capsys.readouterr())

    return run


class Asked:
    """Stands in for a function of the API; remembers its calls and answers with `answer`."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.calls.append((given, named))
        return self.answer

    @property
    def named(self) -> dict[str, Any]:
        """The named arguments of the only call."""
        ((_, named),) = self.calls
        return named


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Asked]:
    """Return what puts an `Asked` in the place of a function: ask("headtohead.api.studies", "best", answer)."""

    def put(module: str, name: str, answer: Any = None) -> Asked:
        asked = Asked(answer)
        monkeypatch.setattr(importlib.import_module(module), name, asked)
        return asked

    return put
