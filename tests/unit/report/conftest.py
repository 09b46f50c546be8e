"""A finished run folder, written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.planting.reported import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run folder written by hand."""
    return write_run(tmp_path / "by-hand")
