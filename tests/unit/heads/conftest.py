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
