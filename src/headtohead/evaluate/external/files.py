"""Files of predictions: CSV of any separator and encoding, Parquet, JSON and workbooks, as frames of text."""

from __future__ import annotations

import csv
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from headtohead.core.errors import ManifestError
from headtohead.core.safety.spreadsheet import unguard_cell
from headtohead.core.tables.parquet import read_parquet_frame
from headtohead.core.tables.table_limits import check_size, check_text, repeated_names
from headtohead.data.tables.records import JSON_SUFFIXES, WORKBOOK_SUFFIXES, read_json, read_workbook
from headtohead.data.tables.text import TableText, decode_table

__all__ = ["PredictionFile", "read_prediction_file"]


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """One file of predictions, before its columns are understood.

    Attributes:
        name: for messages. notes: what was found that differs from comma-separated UTF-8.
    """

    name: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_prediction_file(path: Path) -> PredictionFile:
    """Read a file of predictions by its suffix; anything that is not Parquet, JSON or a workbook is text.

    Raises:
        ManifestError: it is not there or cannot be read as a table.
        MissingExtraError: a workbook without openpyxl.
    """
    if not path.is_file():
        raise ManifestError(
            f"There is no file {str(path)!r}; expected predictions as CSV, Parquet, JSON lines or XLSX."
        )
    suffix = path.suffix.casefold()
    try:
        check_size(path.name, path.stat().st_size)  # before it is in memory
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path.name} could not be read as a table ({error}).") from error
    if suffix in (".parquet", ".pq"):
        return PredictionFile(path.name, read_parquet_frame(path.name, content))
    if suffix in WORKBOOK_SUFFIXES:
        return PredictionFile(path.name, _frame(*read_workbook(path.name, content)))
    text = decode_table(path.name, content, suffix)
    if suffix in JSON_SUFFIXES or text.text.lstrip().startswith(("{", "[{")):  # no CSV begins so
        encoding = tuple(note for note in text.notes if "separated" not in note)  # JSON has no separator
        return PredictionFile(path.name, _frame(*read_json(path.name, text.text)), encoding)
    return PredictionFile(path.name, _read_text(path.name, text), text.notes)


def _frame(columns: list[str], rows: list[tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns, dtype=str)


def _read_text(name: str, text: TableText) -> pd.DataFrame:
    # Read apart, since pandas renames repeated columns ("a", "a.1") instead of refusing them.
    header = next(csv.reader(text.text.splitlines()[:1], delimiter=text.separator, skipinitialspace=True), [])
    names = [cell.strip() for cell in header if cell.strip()]
    if repeated := repeated_names(names):
        raise ManifestError(f"{name} has columns of the same name: {', '.join(repeated[:10])}. Rename them.")
    check_text(name, text.text, text.separator + "\n")
    try:
        with warnings.catch_warnings():
            # pandas only warns where every row is longer than the header, and cuts the rows off.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.StringIO(text.text),
                sep=text.separator,
                dtype=str,  # as written: pandas would read 007 as 7
                keep_default_na=False,  # a class may be called NA; NaN is then a cell that is not there
                na_values=[],
                # Else the first column becomes the index where lines are longer than the header.
                index_col=False,
                skipinitialspace=True,
            )
    except pd.errors.EmptyDataError as error:
        raise ManifestError(f"{name} is empty; expected a header and lines.") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
        raise ManifestError(_ragged(name, text, str(error))) from error
    for name in frame.columns:
        if frame[name].str.startswith("'").any():
            frame[name] = frame[name].map(unguard_cell, na_action="ignore")
    short = frame.isna().any(axis=1)
    if short.any():
        line = int(short.to_numpy().argmax()) + 2  # counted from 1, after the header
        raise ManifestError(_ragged(name, text, f"line {line} has fewer cells than the header"))
    return frame


def _ragged(name: str, text: TableText, reason: str) -> str:
    lines = [line for line in text.text.splitlines() if line.strip()][:2]
    cells = [line.count(text.separator) + 1 for line in lines]
    if len(cells) == 2 and cells[1] > cells[0] and text.separator == ",":
        reason = f"the first line below the header has {cells[1]} cells under {cells[0]} names"
        advice = (
            "A decimal comma beside commas between the cells cannot be distinguished: save the table with "
            "semicolons between the cells, or with a decimal point."
        )
    else:
        advice = "Quote cells that hold the separator, or export the table again."
    return f"{name} could not be read as a table: {reason}. {advice}"
