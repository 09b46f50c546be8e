"""Text of tables: encoding, separator and decimal mark."""

from __future__ import annotations

import pytest

from headtohead.core.errors import ManifestError
from headtohead.data.tables.text import decimal_point, decode_table, find_separator


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
def test_text_of_every_usual_encoding_is_the_same(encoding: str) -> None:
    text = "Bild,Größe\nä.png,1\n"
    found = decode_table("t.csv", text.encode(encoding))
    assert (found.text, found.separator) == (text, ",")
    assert bool(found.notes) == (not encoding.startswith("utf-8"))


def test_bytes_of_an_image_are_no_text() -> None:
    with pytest.raises(ManifestError, match=r"x\.csv is not a readable table"):
        decode_table("x.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n", ","),
        ("a;b,c;d\n", ";"),
        ("a\tb\n", "\t"),
        ("\n\na|b\n", "|"),
        ('"a;b;c",d\n', ","),
        ("a\n", ","),
    ],
)
def test_the_separator_is_the_one_that_splits_the_header_most(text: str, separator: str) -> None:
    assert find_separator(text) == separator


def test_the_first_line_of_excel_is_obeyed_and_left_out() -> None:
    found = decode_table("t.csv", b"sep=;\r\na,b;c\r\n1;2\r\n")
    assert (found.separator, found.text) == (";", "a,b;c\r\n1;2\r\n")


@pytest.mark.parametrize("cells", [["a,b"], ["1,2,3"], ["0.5", "1,5"], ["5"], []])
def test_what_is_no_decimal_comma_stays(cells: list[str]) -> None:
    assert decimal_point(cells) is None
