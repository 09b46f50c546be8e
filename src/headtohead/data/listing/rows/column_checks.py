"""Columns that mislead: no header, pixels in columns, ids of patients beside columns of file names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from headtohead.core.errors import ManifestError
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.table_reader import SourceTable, plain_name
from headtohead.data.readers.sniff import SUFFIXES

__all__ = ["named_images", "refuse_odd_columns"]

# Columns of 10 x 10 pixels; no table of images has so many numbered columns.
_MOST_NUMBERED = 100
_SHARE_OF_FILES = 0.8
# Columns that are taken for the path where nothing better is there: they name patients as often as images.
_IDS = frozenset({"id", "patientid", "patient_id", "participant_id"})


def refuse_odd_columns(table: SourceTable, columns: Mapping[str, str]) -> None:
    """Refuse a table without a header, and one that holds the pixels themselves.

    Args:
        columns: role -> column, as the caller says.

    Raises:
        ManifestError: with what to do.
    """
    numbered = [name for name in table.columns if re.fullmatch(r"(?i)(?:pixel|pix|px|p)?[ _-]?\d+", name)]
    if len(numbered) > _MOST_NUMBERED:
        raise ManifestError(
            f"{table.name} holds the pixels themselves, in {len(numbered)} columns ({numbered[0]}, {numbered[1]}, …), "
            "which is not read. Save images and labels as one .npz: numpy.savez('set.npz', images=x, labels=y)."
        )
    files = [name for name in table.columns if _is_file(name)]
    if files and "path" not in columns:
        raise ManifestError(
            f"{table.name} has no header: its first line names an image, {files[0]}. Put a line of column names first, "
            "such as path,label."
        )


def named_images(table: SourceTable, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return role -> column with the path from the only column of file names, where an id was taken for the path.

    Raises:
        ManifestError: several columns name images.
    """
    weak = plain_name(chosen["path"]) in _IDS
    if not weak or not table.rows or _share_of_files(table, chosen["path"]) > 0:
        return dict(chosen)
    others = [
        name
        for name in table.columns
        if name not in chosen.values()
        and not re.search(r"(?i)mask|seg|roi", name)  # masks are files too, but no images
        and _share_of_files(table, name) >= _SHARE_OF_FILES
    ]
    if len(others) > 1:
        raise ManifestError(
            f"{table.name} names several images a row, in the columns {truncate_list(others)}. Choose one, such as "
            f"--columns 'path={others[0]}', or write one row per image with a column group that joins them."
        )
    if not others:
        return dict(chosen)
    roles = {role: name for role, name in chosen.items() if role != "path"}
    taken = chosen["path"]
    # the id that had been taken for the path names patients
    return {**roles, "path": others[0], **({} if "group" in roles else {"group": taken})}


def _share_of_files(table: SourceTable, column: str) -> float:
    cells = [cell for cell in table.column(column) if cell]
    return sum(map(_is_file, cells)) / len(cells) if cells else 0.0


def _is_file(cell: str) -> bool:
    last = cell.casefold()
    return PurePosixPath(last).suffix in SUFFIXES or last.endswith(".nii.gz")
