"""Tables of text: CSV, TSV and Parquet read alike, every cell a string, columns found by their names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headtohead.core.errors import ManifestError, UsageError

__all__ = ["TABLES", "SourceTable", "choose_columns", "matches_role", "parse_table", "read_table"]

TABLES = frozenset({".csv", ".tsv", ".parquet", ".pq"})
"""Suffixes of files that are tables."""

ROLES: Mapping[str, tuple[str, ...]] = {
    "path": (
        "path", "filepath", "file_path", "file", "filename", "file_name", "image_path", "image", "image_file",
        "img_path", "img", "image_name", "image_id", "dicom_path", "slice_path",
    ),
    "label": (
        "label", "labels", "class", "class_name", "target", "diagnosis", "dx", "finding", "finding_labels",
        "category", "outcome", "y",
    ),
    "group": (
        "group", "group_id", "patient", "patient_id", "patientid", "subject", "subject_id", "case", "case_id",
        "participant_id", "study_id",
    ),
    "split": ("split", "subset", "partition", "set", "part"),
    "frame": ("frame", "page", "slice", "slice_index"),
}  # fmt: skip
"""For each role the column names that are taken for it, the likeliest first."""

NEEDED = ("path", "label")


@dataclass(frozen=True, slots=True)
class SourceTable:
    """Column names and rows of stripped strings; `None` never occurs, an empty cell is ""."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """Return all cells of one column."""
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


def read_table(path: Path) -> SourceTable:
    """Read a table by its suffix.

    Raises:
        ManifestError: it cannot be read, has no header, or rows of differing length.
    """
    if not path.is_file():
        raise ManifestError(f"There is no table {path}.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be opened: {error.strerror or error}.") from error
    return parse_table(path.name, content)


def parse_table(name: str, content: bytes) -> SourceTable:
    """Read a table from its bytes; the suffix of its name tells what kind it is.

    Raises:
        ManifestError: it cannot be read, has no header, or rows of differing length.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in (".parquet", ".pq"):
        columns, rows = _read_parquet(name, content)
    else:
        columns, rows = _read_text(name, content, suffix)
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ManifestError(f"{name} has columns of the same name: {twice}. Rename them.")
    return SourceTable(name, tuple(columns), tuple(rows))


def choose_columns(
    table: SourceTable, asked: Mapping[str, str], needed: Iterable[str] = NEEDED
) -> dict[str, str]:
    """Return role -> column: as asked, else the likeliest by name.

    Raises:
        UsageError: an unknown role, or two roles for one column.
        ManifestError: a needed column is not there.
    """
    unknown = sorted(set(asked) - set(ROLES))
    if unknown:
        raise UsageError(f"Unknown roles {unknown} in columns; known: {', '.join(ROLES)}.")
    missing = sorted(name for name in asked.values() if name not in table.columns)
    if missing:
        raise ManifestError(f"{table.name} has no column {missing}; it has {list(table.columns)}.")
    chosen = dict(asked)
    if len(set(chosen.values())) < len(chosen):
        raise UsageError(f"Two roles share a column in columns={chosen}; expected one column per role.")
    plain = {_plain(name): name for name in reversed(table.columns)}
    for role, likely in ROLES.items():
        found = [plain[name] for name in likely if name in plain and plain[name] not in chosen.values()]
        if role not in chosen and found:
            chosen[role] = found[0]
    lacking = [role for role in needed if role not in chosen]
    if lacking:
        raise ManifestError(
            f"{table.name} has the columns {list(table.columns)}; none is taken for {' or '.join(lacking)}. "
            f"Name it, such as columns {lacking[0]}=<column>. If each class has a column of its own, make "
            "one column of them."
        )
    return chosen


def matches_role(name: str) -> bool:
    """Tell whether a column of this name may be taken for a role by its name alone.

    >>> matches_role("Case ID"), matches_role("scanner")
    (True, False)
    """
    return any(_plain(name) in likely for likely in ROLES.values())


def _plain(name: str) -> str:
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _read_text(name: str, content: bytes, suffix: str) -> tuple[list[str], list[tuple[str, ...]]]:
    try:
        text = content.decode("utf-8-sig")
        header = text.partition("\n")[0]
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(suffix, header), strict=True)
        lines = [[cell.strip() for cell in line] for line in reader if any(cell.strip() for cell in line)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(
            f"{name} is not a readable table: {error}. Expected UTF-8 text with a header."
        ) from error
    if not lines:
        raise ManifestError(f"{name} is empty; expected a header and rows.")
    columns, rows = lines[0], lines[1:]
    crooked = [number for number, row in enumerate(rows, start=2) if len(row) != len(columns)]
    if crooked:
        raise ManifestError(
            f"{name}: {len(crooked)} rows have more or fewer cells than the {len(columns)} columns, the "
            f"first is row {crooked[0]}. Quote cells that hold the separator."
        )
    return columns, [tuple(row) for row in rows]


def _delimiter(suffix: str, header: str) -> str:
    if suffix == ".tsv":
        return "\t"
    return max(",;\t", key=header.count)


def _read_parquet(name: str, content: bytes) -> tuple[list[str], list[tuple[str, ...]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(content))
    except (pyarrow.ArrowException, OSError) as error:
        raise ManifestError(f"{name} is not a readable Parquet file: {error}.") from error
    cells = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    return list(table.column_names), list(zip(*cells, strict=True))


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
