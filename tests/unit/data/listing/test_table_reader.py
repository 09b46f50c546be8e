"""The one reader of tables."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtohead.core.errors import DataError, ManifestError
from headtohead.data.load import load

Image = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, image: Image) -> Path:
    for i in range(4):
        (tmp_path / "img").mkdir(exist_ok=True)
        (tmp_path / "img" / f"{i}.png").write_bytes(image(i))
    return tmp_path


def write(folder: Path, text: str, name: str = "m.csv", encoding: str = "utf-8") -> str:
    (folder / name).write_text(text, encoding=encoding)
    return str(folder / name)


def test_tables_that_are_none(folder: Path) -> None:
    for name, text in (("m.csv", ""), ("m.parquet", "no parquet"), ("m.csv", "path,path,label\na,b,c\n")):
        with pytest.raises(ManifestError):
            load(write(folder, text, name))
    (folder / "m.csv").write_bytes(b"path,label\n\xff\xfe,no\n")
    with pytest.raises(ManifestError, match="UTF-8"):
        load(str(folder / "m.csv"))
    with pytest.raises(DataError, match="No such file"):
        load(str(folder / "gone.csv"))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet="path,label\n\"';|\t img/0123.png\x00é[]", max_size=80),
    name=st.sampled_from(["f.csv", "f.tsv"]),
)
def test_any_text_is_read_or_explained(folder: Path, text: str, name: str) -> None:
    with contextlib.suppress(DataError):
        load(write(folder, "path,label,group\nimg/0.png,no,a\n" + text, name))
