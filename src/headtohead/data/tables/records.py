"""Tables in JSON: a list of records, records of columns, or one record a line; and the first sheet of a workbook."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from typing import Any

from headtohead.core.errors import ManifestError
from headtohead.core.optional import require
from headtohead.core.safety.limits import limit, raise_hint
from headtohead.core.tables.table_limits import check_cells, check_text

__all__ = ["JSON_SUFFIXES", "WORKBOOK_SUFFIXES", "Rows", "read_json", "read_workbook"]

Rows = tuple[list[str], list[tuple[str, ...]]]
"""Column names and rows of strings."""

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")


def read_json(name: str, text: str) -> Rows:
    """Return the columns and rows of a JSON table: `[{…}, {…}]`, `{"column": […]}` or one `{…}` a line.

    Every cell becomes a string, a missing one "". Nested values stay JSON.

    Args:
        name: of the file, for messages.
        text: of the whole file.

    Raises:
        ManifestError: it is not such a table.

    >>> read_json("p.jsonl", '{"a": 1, "b": "x"}\\n{"a": 2.5}\\n')
    (['a', 'b'], [('1', 'x'), ('2.5', '')])
    """
    check_text(name, text, ",{[:")
    try:
        found = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(
            f"{name} is not readable JSON: {error}. Expected a list of records or one a line."
        ) from error
    # an object of columns on one line was read as JSON lines: a list of one
    if isinstance(found, list) and len(found) == 1:
        found = found[0] if isinstance(found[0], dict) and _is_columns(found[0]) else found
    if isinstance(found, dict) and _is_columns(found):
        if len({len(value) for value in found.values()}) > 1:
            raise ManifestError(
                f"{name} holds columns of differing length; expected one value a row in each."
            )
        found = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    if not isinstance(found, list) or not found or not all(isinstance(row, dict) for row in found):
        raise ManifestError(
            f'{name} holds no list of records. Expected [{{"sample": …, "label": …}}, …] or one such record a line.'
        )
    if _SURROGATE.search(text):  # dumping all rows takes long, so only where one is spelt
        _refuse_surrogates(name, found)
    columns = list(dict.fromkeys(str(key) for row in found for key in row))
    check_cells(name, len(found), len(columns))
    return columns, [tuple(_cell(row.get(column)) for column in columns) for row in found]


def _refuse_surrogates(name: str, rows: list[dict[str, Any]]) -> None:
    """Refuse halves of surrogate pairs, which JSON can spell and no text can hold.

    Raises:
        ManifestError: there are some.
    """
    try:
        json.dumps(rows, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ManifestError(f"{name} holds a character that is no Unicode text ({error.reason}).") from error


def _is_columns(found: dict[str, Any]) -> bool:
    return bool(found) and all(isinstance(value, list) for value in found.values())


def _parsed(text: str) -> Any:
    stripped = text.strip()
    if stripped.startswith("["):
        return json.loads(stripped)
    lines = [line for line in stripped.splitlines() if line.strip()]
    # a whole document over several lines fails here at its first line
    try:
        return [json.loads(line) for line in lines]
    except ValueError:
        return json.loads(stripped)


def _cell(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def read_workbook(name: str, content: bytes) -> Rows:
    """Return the columns and rows of the first sheet of an Excel workbook; formulas by their stored values.

    Args:
        name: of the file, for messages.
        content: of the whole file.

    Raises:
        ManifestError: it is not a workbook, or its first sheet is empty.
        MissingExtraError: openpyxl is not installed.
    """
    openpyxl = require("openpyxl", "formats", f"read the workbook {name} (or save it as CSV)")
    _check_unfolded(name, content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet, n_cells = [], 0
        for row in book.worksheets[0].iter_rows(values_only=True):
            n_cells += len(row)  # with the empty ones before a lonely cell far out
            if n_cells > limit("table-cells"):
                raise ManifestError(f"{name} has more than {n_cells:,} cells; {raise_hint('table-cells')}.")
            if any(value is not None for value in row):
                sheet.append(row)
    except ManifestError:
        raise
    # openpyxl raises whatever its parser meets (zipfile, xml, key and type errors) on a damaged workbook.
    except Exception as error:
        raise ManifestError(
            f"{name} is not a readable workbook ({type(error).__name__}: {error})."
        ) from error
    rows = [[_cell(value) for value in row] for row in sheet]
    if not rows:
        raise ManifestError(f"{name}: its first sheet is empty; expected a header and rows.")
    # formatted cells widen a sheet, empty as they are
    width = max(index + 1 for row in rows for index, cell in enumerate(row) if cell)
    return _trimmed(rows[0], width), [tuple(_trimmed(row, width)) for row in rows[1:]]


def _check_unfolded(name: str, content: bytes) -> None:
    """Refuse a workbook, which is a zip of XML, that unfolds to more than the limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            unfolded = sum(info.file_size for info in book.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError) as error:
        raise ManifestError(f"{name} is not a readable workbook ({error}).") from error
    if unfolded > limit("table-unfolded-bytes"):
        raise ManifestError(
            f"{name} claims to unfold from {len(content):,} to {unfolded:,} bytes; the limit is "
            f"{limit('table-unfolded-bytes'):,} (--limit table-unfolded-bytes=NUMBER raises it)."
        )


def _trimmed(row: Sequence[str], width: int) -> list[str]:
    return [*row[:width], *[""] * (width - len(row))]
