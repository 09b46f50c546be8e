"""Where a result comes from: the command as it can be written again."""

from __future__ import annotations

import sys

import pytest

from headtohead.core.provenance import collect


@pytest.mark.parametrize("program", ["/opt/env/bin/headtohead", "/opt/lib/headtohead/__main__.py"])
def test_the_command_is_the_one_to_repeat(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(sys, "argv", [program, "compare", "/data/scans", "--out", "run"])
    assert collect()["command"] == ["headtohead", "compare", "scans", "--out", "run"]
