"""The one reader of tables."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtohead.core.errors import DataError, ManifestError
from headtohead.data.listing.table_reader import parse_table
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
    with pytest.raises(ManifestError, match="1 of 1 files are not there: ÿþ"):
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1\n2,3\n", "1 rows have more or fewer cells than the 2 columns, the first is row 2"),
        ("a,b\n1,2\n1,2,3\n", "more or fewer cells than the 2 columns, the first is row 3"),
        ('a,b\n"x"y,2\n', "is not a readable table.*Expected UTF-8 text"),
        ('a,b\n"x,2\n', "is not a readable table"),
        ("a, a\n1,2\n", r"columns of the same name: a"),
        ("\n \n,\n", "is empty; expected a header and rows"),
    ],
)
def test_malformed_text_is_refused_and_not_repaired(text: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        parse_table("t.csv", text.encode())


def test_every_cell_is_text_as_it_stands() -> None:
    table = parse_table("t.csv", b'\xef\xbb\xbfid,value,date\n007,NA,2020-01-02\n\n"a\r\nb",1.50, null \n')
    assert table.columns == ("id", "value", "date")
    assert table.rows == (("007", "NA", "2020-01-02"), ("a\r\nb", "1.50", "null"))
    assert parse_table("t.csv", b" a ,b\n x , y\n", strip=False).rows == ((" x ", " y"),)
    assert parse_table("t.csv", b"a;b\n1,5;2\n").rows == (("1,5", "2"),)


def test_long_numbers_of_parquet_keep_their_digits_beside_empty_cells() -> None:
    """A float has 53 bits: 2**53 + 1 would come back as its neighbour, and two patients as one."""
    buffer = io.BytesIO()
    frame = pd.DataFrame(
        {"id": pd.array([2**53 + 1, None], dtype="Int64"), "x": [1.0, 0.5], "t": ["a", None]}
    )
    frame.to_parquet(buffer)
    assert parse_table("t.parquet", buffer.getvalue()).rows == ((str(2**53 + 1), "1", "a"), ("", "0.5", ""))
