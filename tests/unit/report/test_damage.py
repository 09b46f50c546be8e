"""Records of another shape become one error that names the folder; other errors go on as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.core.errors import RunFolderError
from headtohead.report.damage import damaged_run

FOLDER = Path("runs/x")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("scores"), "KeyError: 'scores'"),
        (IndexError("list index"), "IndexError: list index"),
        (TypeError("a\n  b"), "TypeError: a b"),
        (ValueError(), "ValueError: no message"),
        (AttributeError("x"), "AttributeError: x"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
)
def test_a_misfit_is_told_in_one_line(error: Exception, told: str) -> None:
    with pytest.raises(RunFolderError) as caught, damaged_run(FOLDER):
        raise error
    assert str(caught.value).startswith(
        f"The files in {FOLDER} do not fit together ({told}). The folder is damaged"
    )
    assert caught.value.__cause__ is error


def test_a_long_message_is_cut() -> None:
    with pytest.raises(RunFolderError) as caught, damaged_run(FOLDER):
        raise ValueError("x" * 200)
    assert "x" * 160 in str(caught.value) and "x" * 161 not in str(caught.value)


def test_a_template_without_its_value_is_a_misfit_and_a_missing_file_is_not() -> None:
    from jinja2 import UndefinedError

    with pytest.raises(RunFolderError, match="UndefinedError: no attribute"), damaged_run(FOLDER):
        raise UndefinedError("no attribute")
    with pytest.raises(FileNotFoundError), damaged_run(FOLDER):
        raise FileNotFoundError("gone")
    with pytest.raises(RunFolderError, match=r"^as it is$"), damaged_run(FOLDER):
        raise RunFolderError("as it is")
