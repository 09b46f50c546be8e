"""Text of tables: its encoding, the character between its cells, and its decimal mark; what was found is said."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass

from headtohead.core.errors import ManifestError

__all__ = ["TableText", "decimal_point", "decode_table", "find_separator"]

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
"""The characters that may stand between cells, with their names; the likeliest first."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class TableText:
    """The text of a table, and how to read it.

    Attributes:
        text: less a byte-order mark and the line `sep=` of Excel.
        separator: the character between cells.
        notes: what was found that differs from comma-separated UTF-8, one sentence each.
    """

    text: str
    separator: str
    notes: tuple[str, ...] = ()


def decode_table(name: str, content: bytes, suffix: str = "") -> TableText:
    """Return the text of a table with its separator: UTF-8, UTF-16, or Windows-1252 where it is neither.

    Args:
        name: of the file, for messages.
        content: of the whole file.
        suffix: of the file name, lower case; a `.tsv` is separated by tabs if its header holds one.

    Raises:
        ManifestError: it is not text.

    >>> found = decode_table("p.csv", "é;b\\n1;2\\n".encode("latin-1"))
    >>> found.separator, found.text
    (';', 'é;b\\n1;2\\n')
    """
    text, encoding = _decode(content)
    if "\0" in text:
        raise ManifestError(
            f"{name} is not a readable table: it holds bytes that no text has. Expected text with a header, "
            "such as a CSV file in UTF-8."
        )
    stated = re.match(r"sep=(.)\r?\n", text)
    if stated:
        text = text[stated.end() :]
    separator = stated[1] if stated else find_separator(text, suffix)
    notes = []
    if encoding:
        notes.append(f"{name} was read as {encoding}, as it is not UTF-8.")
    if separator != ("\t" if suffix in (".tsv", ".tab") else ","):
        notes.append(f"{name}: cells are separated by {SEPARATORS.get(separator, repr(separator))}.")
    return TableText(text, separator, tuple(notes))


def _decode(content: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding, "" for UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace"), "" if "8" in encoding else "UTF-16"
    head = content[:2000]
    # Latin letters in UTF-16 have a zero byte each: in the second place little endian, in the first big endian.
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(head) > 3 and head[start::2].count(0) > len(head) // 4:  # in more than half of the pairs
            return content.decode(encoding, errors="replace"), "UTF-16"
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "Windows-1252 (Latin-1)"
    except UnicodeDecodeError:
        # five bytes mean nothing in Windows-1252; in Latin-1 every byte is a letter
        return content.decode("latin-1"), "Latin-1"


def find_separator(text: str, suffix: str = "") -> str:
    """Return the character between cells: the one that splits the header into the most names.

    >>> find_separator("sample;label;score\\n"), find_separator('"a;b",c\\n'), find_separator("path\\n")
    (';', ',', ',')
    """
    header = next((line for line in text.splitlines() if line.strip()), "")
    if suffix in (".tsv", ".tab") and "\t" in header:
        return "\t"
    widths = {separator: _width(header, separator) for separator in SEPARATORS}
    return max(SEPARATORS, key=lambda separator: widths[separator])


def _width(header: str, separator: str) -> int:
    try:
        return len(next(csv.reader([header], delimiter=separator)))
    except (csv.Error, StopIteration):
        return header.count(separator) + 1


def decimal_point(cells: Iterable[str]) -> list[str] | None:
    """Return cells with a decimal comma written with a point; None where that is not what they are.

    Every cell with a comma must be a number with a single comma, and no cell may hold a point too.

    >>> decimal_point(["0,25", "1", ""]), decimal_point(["0.25", "1"]), decimal_point(["0.5", "0,5"])
    (['0.25', '1', ''], None, None)
    """
    cells = list(cells)
    with_comma = [cell for cell in cells if "," in cell]
    if not with_comma or any("." in cell for cell in cells):
        return None
    if not all(_COMMA_NUMBER.fullmatch(cell.strip()) for cell in with_comma):
        return None
    return [cell.replace(",", ".") for cell in cells]
