"""The one reader of tables: CSV, TSV and Parquet through pandas, every cell a string, columns found by name."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headtohead.core.errors import ManifestError, UsageError
from headtohead.core.safety.spreadsheet import unguard_cell
from headtohead.core.tables.parquet import parquet_cells, read_parquet_table
from headtohead.core.tables.table_limits import check_cells, check_size, check_text, repeated_names
from headtohead.data.entry import GROUP_NAMES
from headtohead.data.file_problems import truncate_list
from headtohead.data.tables.records import JSON_SUFFIXES, WORKBOOK_SUFFIXES, read_json, read_workbook
from headtohead.data.tables.text import decode_table

__all__ = [
    "TABLES",
    "SourceTable",
    "choose_columns",
    "matches_role",
    "parse_table",
    "plain_name",
    "read_table",
]

TABLES = frozenset({".csv", ".tsv", ".tab", ".parquet", ".pq", ".jsonl", ".xlsx"})
"""Suffixes of files that are tables."""

ROLES: Mapping[str, tuple[str, ...]] = {
    "path": (
        "path", "filepath", "file_path", "file", "filename", "file_name", "image_path", "image", "image_file",
        "img_path", "img", "image_name", "image_id", "dicom_path", "slice_path", "image_index", "id_code", "isic_id",
        "imageid", "img_id", "image_file_path", "img_file", "id", "patientid", "participant_id", "patient_id",
    ),
    "label": (
        "label", "labels", "class", "class_name", "target", "diagnosis", "dx", "finding", "finding_labels",
        "category", "outcome", "y", "level", "pathology", "diagnostic", "lbl", "grade", "benign_malignant",
        "class_label",
    ),
    "group": GROUP_NAMES,
    "split": ("split", "subset", "partition", "set", "part"),
    "frame": ("frame", "page", "slice", "slice_index"),
    "fold": ("fold", "cv_fold", "kfold", "folds", "fold_id"),
}  # fmt: skip
"""For each role the column names that are taken for it, the likeliest first."""

NEEDED = ("path", "label")


@dataclass(frozen=True, slots=True)
class SourceTable:
    """Column names and rows of strings; `None` never occurs, an empty cell is ""."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """Return all cells of one column."""
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


def read_table(path: Path, *, strip: bool = True) -> SourceTable:
    """Read a table by its suffix.

    Args:
        path: a CSV, TSV or Parquet file.
        strip: remove blanks around every cell; the names of columns are always stripped.

    Raises:
        ManifestError: it cannot be read, has no header, or rows of differing length.
    """
    if not path.is_file():
        raise ManifestError(f"There is no table {path}.")
    try:
        check_size(path.name, path.stat().st_size)
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be opened: {error.strerror or error}.") from error
    return parse_table(path.name, content, strip=strip)


def parse_table(name: str, content: bytes, *, strip: bool = True) -> SourceTable:
    """Read a table from its bytes.

    Args:
        name: file name; its suffix tells the format, and messages name it.
        content: of the whole file.
        strip: remove blanks around every cell; the names of columns are always stripped.

    Raises:
        ManifestError: it cannot be read, has no header, or rows of differing length.
    """
    check_size(name, len(content))
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in (".parquet", ".pq"):
        columns, rows = _read_parquet(name, content)
    elif suffix in WORKBOOK_SUFFIXES:
        columns, rows = read_workbook(name, content)
    elif suffix in JSON_SUFFIXES:
        columns, rows = read_json(name, decode_table(name, content).text)
    else:
        columns, rows = _read_text(name, content, suffix)
    columns = [column.strip() for column in columns]
    if repeated := repeated_names(columns):
        raise ManifestError(f"{name} has columns of the same name: {truncate_list(repeated)}. Rename them.")
    check_cells(name, len(rows), len(columns))
    if strip:
        rows = [tuple(cell.strip() for cell in row) for row in rows]
    return SourceTable(name, tuple(columns), tuple(rows))


def choose_columns(
    table: SourceTable, columns: Mapping[str, str], needed: Iterable[str] = NEEDED
) -> dict[str, str]:
    """Return role -> column: as given, else the likeliest by name.

    Args:
        table: whose columns are meant.
        columns: role -> column, as the caller says; "" for a role that no column has.
        needed: roles that must have a column.

    Raises:
        UsageError: an unknown role, or two roles for one column.
        ManifestError: a needed column is not there.
    """
    unknown = sorted(set(columns) - set(ROLES))
    if unknown:
        raise UsageError(f"Unknown roles {unknown} in columns; known: {', '.join(ROLES)}.")
    unset = {role for role, name in columns.items() if not name}
    if needed_unset := sorted(unset & set(NEEDED)):
        raise UsageError(f"columns unsets {needed_unset}; every image needs a path and a label.")
    columns = {role: name for role, name in columns.items() if name}
    missing = sorted(name for name in columns.values() if name not in table.columns)
    if missing:
        raise ManifestError(f"{table.name} has no column {missing}; it has {list(table.columns)}.")
    chosen = dict(columns)
    if len(set(chosen.values())) < len(chosen):
        raise UsageError(f"Two roles share a column in columns={chosen}; expected one column per role.")
    # reversed: of names that differ in case or blanks only, the first column wins
    plain = {plain_name(name): name for name in reversed(table.columns)}
    for role, likely in ROLES.items():
        candidates = [plain[name] for name in likely if name in plain and plain[name] not in chosen.values()]
        if role not in chosen and role not in unset and candidates:
            chosen[role] = candidates[0]
    lacking = [role for role in needed if role not in chosen]
    if lacking:
        raise ManifestError(
            f"{table.name} has the columns {truncate_list(table.columns, 20)}; none is taken for "
            f"{' or '.join(lacking)}. Name it, such as --columns '{lacking[0]}=<column>'."
        )
    return chosen


def matches_role(name: str) -> bool:
    """Tell whether a column of this name may be taken for a role by its name alone.

    >>> matches_role("Case ID"), matches_role("scanner")
    (True, False)
    """
    return any(plain_name(name) in likely for likely in ROLES.values())


def plain_name(name: str) -> str:
    """Return the name of a column in lower case with underscores, as the names of roles are written.

    >>> plain_name("Image Index"), plain_name("Case-ID")
    ('image_index', 'case_id')
    """
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _read_text(name: str, content: bytes, suffix: str) -> tuple[list[str], list[tuple[str, ...]]]:
    import pandas as pd

    # The strict dialect and the Python engine: the C engine pads short rows and repairs broken quotes in silence.
    dialect = _Strict()
    try:
        found = decode_table(name, content, suffix)
        dialect.delimiter = found.separator
        # counted while it is still text, since cells take many times its memory
        check_text(name, found.text, found.separator + "\n")
        header = next(csv.reader(io.StringIO(found.text, newline=""), dialect), [])
        check_cells(name, 0, len(header))  # before pandas, which takes a minute for 100,000 columns
        frame = pd.read_csv(
            io.StringIO(found.text, newline=""),
            # no guess at types: "007" is an id, "NA" may be a class
            dtype=object,
            header=None,
            keep_default_na=False,
            na_filter=False,
            dialect=dialect,
            engine="python",
        )
    except pd.errors.EmptyDataError:
        raise ManifestError(f"{name} is empty; expected a header and rows.") from None
    except pd.errors.ParserError as error:
        raise ManifestError(_parser_fault(name, str(error))) from None
    except (csv.Error, ValueError, TypeError, IndexError) as error:
        raise ManifestError(_unreadable(name, error)) from error
    rows = map(tuple, frame.to_numpy().tolist())
    lines = [row for row in rows if any(cell and cell.strip() for cell in row)]
    if not lines:
        raise ManifestError(f"{name} is empty; expected a header and rows.")
    # the Python engine fills short rows up with None, which no cell of text is
    ragged = [number for number, row in enumerate(lines, start=1) if None in row]
    if ragged:
        raise ManifestError(_ragged(name, len(ragged), len(frame.columns), ragged[0]))
    return list(lines[0]), [tuple(map(unguard_cell, row)) for row in lines[1:]]


class _Strict(csv.excel):
    strict = True


def _parser_fault(name: str, reason: str) -> str:
    counts = re.search(r"Expected (\d+) fields in line (\d+)", reason)
    return _ragged(name, 1, int(counts[1]), int(counts[2])) if counts else _unreadable(name, reason)


def _unreadable(name: str, reason: object) -> str:
    return f"{name} is not a readable table: {reason}. Expected UTF-8 text with a header."


def _ragged(name: str, n_rows: int, n_columns: int, first: int) -> str:
    return (
        f"{name}: {n_rows} rows have more or fewer cells than the {n_columns} columns, the first is row {first}. "
        "Quote cells that hold the separator."
    )


def _read_parquet(name: str, content: bytes) -> tuple[list[str], list[tuple[str, ...]]]:
    table = read_parquet_table(name, content)
    held = [field.name for field in table.schema if "struct<bytes" in str(field.type)]
    if held:
        raise ManifestError(
            f"{name} holds the images themselves in column {held[0]!r}: point at the file itself, or at the folder "
            "that holds it and others of its kind."
        )
    cells = [[_text(value) for value in column] for column in parquet_cells(name, table)]
    # pandas stores the index of a frame without a name of its own under such a name.
    names = ["index" if name.startswith("__index_level_") else str(name) for name in table.column_names]
    return names, list(zip(*cells, strict=True))


def _text(value: object) -> str:
    import pandas as pd

    # only NaN and NaT differ from themselves
    if value is None or value is pd.NA or value != value:
        return ""
    # pandas makes floats of whole numbers beside empty cells
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
