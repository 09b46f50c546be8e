"""Names of classes that read alike, and those that only look so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from headtohead.audit.checks.class_names import similar_class_names
from headtohead.audit.context import AuditContext
from headtohead.data.load import load


def outcome_of(folder: Path, *names: str) -> str:
    """Return what the check says of a folder with these classes."""
    for number, name in enumerate(names):
        (folder / name).mkdir()
        PIL.Image.fromarray(np.full((8, 8), number, np.uint8)).save(folder / name / "a.png")
    return similar_class_names(AuditContext(load(str(folder)))).outcome


@pytest.mark.parametrize("names", [("HER2+", "HER2-"), ("-1", "1"), ("0.5", "05"), ("a", "b")])
def test_names_that_differ(names: tuple[str, str], tmp_path: Path) -> None:
    assert outcome_of(tmp_path, *names) == "passed"


@pytest.mark.parametrize("names", [("No Tumor", "no_tumor"), ("grade-1", "grade 1"), ("1,5", "1.50")])
def test_names_that_are_one_class(names: tuple[str, str], tmp_path: Path) -> None:
    assert outcome_of(tmp_path, *names) == "issue"
