"""Optional dependencies: one clear sentence where one is missing, and no other error hidden by it."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from headtohead.core.errors import MissingExtraError
from headtohead.core.optional import require


def test_a_module_that_is_there_is_returned() -> None:
    assert require("math", "x", "compute") is math
    assert require("os.path", "x", "join") is sys.modules["os.path"]


def test_a_missing_module_names_its_extra_and_purpose() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require("no_such_module_here.part", "medical", "read scans")
    assert str(caught.value) == (
        "no_such_module_here.part is not installed; it is needed to read scans. "
        "Install it with: pip install 'headtohead[medical]'"
    )


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that is installed and needs one that is not."""
    (tmp_path / "h2h_broken_extra.py").write_text("import h2h_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "h2h_broken_extra"


def test_what_an_installed_module_lacks_itself_is_not_called_a_missing_extra(broken: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="h2h_not_there"):
        require(broken, "medical", "read scans")


def test_an_error_inside_a_module_stays_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "h2h_old_extra.py").write_text("raise ImportError('needs libfoo 3')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="needs libfoo 3") as caught:
        require("h2h_old_extra", "medical", "read scans")
    assert not isinstance(caught.value, MissingExtraError)
