"""What the tests of heads share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.planting.threads import single_thread


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Nets this small are slower on two threads."""
    with single_thread():
        yield


@pytest.fixture(autouse=True)
def a_checkpoint_after_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """By time, epochs this short would have none; `test_checkpoints_are_written_by_time` undoes it."""
    monkeypatch.setattr("headtohead.training.trainer.CHECKPOINT_SECONDS", 0.0)
