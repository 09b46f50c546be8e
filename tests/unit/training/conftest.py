"""What the tests of training share: networks this small are slower on two threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.planting.listener import Listener
from tests.planting.threads import single_thread


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with single_thread():
        yield
