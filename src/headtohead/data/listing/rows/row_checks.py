"""Rows of a table that cannot be used: no label, several labels, an image twice, files that are not there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from headtohead.core.errors import ManifestError
from headtohead.core.formatting import pluralize
from headtohead.data.entry import Entry
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.file_finder import exists
from headtohead.data.listing.rows.label_questions import advice, label_parts, questions_in_rows
from headtohead.data.listing.table_reader import SourceTable
from headtohead.data.listing.table_roles import has_several
from headtohead.data.storage.folder import FolderStore
from headtohead.data.storage.store import Store

__all__ = ["check_files", "check_labels", "check_rows", "elsewhere"]

_LONGEST_SHOWN = 120
# No path is so long; a whole image as base64 text is.
_LONGEST_PATH = 4096


def check_labels(table: str, entries: list[Entry]) -> None:
    """Refuse rows without a label, and labels that are several.

    Raises:
        ManifestError: names the rows, and the option that goes on.
    """
    empty = [
        _shown(entry.path) or "a row without path" for entry in entries if not entry.label or not entry.path
    ]
    if empty:
        raise ManifestError(
            f"{table}: {len(empty)} of {len(entries)} rows have no label or no path: {truncate_list(empty)}. Every row "
            "needs both. To go on without them: --drop-unlabelled."
        )
    plain = {entry.label for entry in entries}
    several = [entry for entry in entries if has_several(entry.label, plain)]
    if several:
        counts = Counter(part for entry in entries for part in set(label_parts(entry.label)))
        raise ManifestError(
            f"{table}: {pluralize(len(several), 'row', 'carries', 'carry')} several labels, such as "
            f"{several[0].label!r} for {several[0].path}; a comparison asks for one. The labels are {advice(counts)}"
        )


def check_rows(table: str, entries: list[Entry]) -> None:
    """Refuse images that stand in several rows of differing labels.

    Raises:
        ManifestError: names them, and the option that goes on.
    """
    counts = Counter((entry.path, entry.frame) for entry in entries)
    twice = sorted((path for (path, _), count in counts.items() if count > 1))
    if not twice:
        return
    labels = {entry.label for entry in entries if entry.path == twice[0]}
    ask = ""
    if len(labels) > 1:
        ask = f" Where an image may have several labels, they are {advice(Counter(e.label for e in entries))}"
    several = f" with the labels {sorted(labels)}" if len(labels) > 1 else ""
    raise ManifestError(
        f"{table}: {pluralize(len(twice), 'image', 'is', 'are')} listed more than once: "
        f"{truncate_list(twice)}. The first stands there{several or ' twice alike'}. "
        f"One row and one label per image is expected; remove the others.{ask}"
    )


def check_files(table: SourceTable, chosen: Mapping[str, str], entries: list[Entry], store: Store) -> None:
    """Refuse files that are not there.

    Args:
        chosen: role -> column.

    Raises:
        ManifestError: names them as the table writes them, and what they seem to be.
    """
    missing = [entry.path for entry in entries if not exists(store, entry.path)]
    if not missing:
        return
    if asked := questions_in_rows(table, chosen):
        raise ManifestError(
            f"{table.name} asks several questions of each image, one a row, with so many yes: {advice(asked)}"
        )
    column = chosen["path"]
    cells = [cell for cell in table.column(column) if cell]
    longest = max(cells, key=len, default="")
    if len(longest) > _LONGEST_PATH:
        raise ManifestError(
            f"{table.name}: column {column!r} holds no paths but up to {len(longest):,} characters a cell, such as "
            f"{_shown(longest)}. Images inside a table (as base64 text) are not read: write each to a file, and put "
            "its name into the column."
        )
    urls = [cell for cell in cells if re.match(r"(?i)https?://", cell)]
    if urls:
        raise ManifestError(
            f"{table.name}: column {column!r} holds web addresses, such as {_shown(urls[0])}, and "
            f"{pluralize(len(missing), 'file')} of these names are not below the table's folder. Nothing is "
            "downloaded: fetch the images into that folder first."
        )
    patterns = [cell for cell in cells if "*" in cell]
    if patterns:
        raise ManifestError(
            f"{table.name}: column {column!r} holds patterns, such as {_shown(patterns[0])}. Write one row per file, "
            "or the folder alone: all images in it are then read."
        )
    written = {path: cell for path in missing if (cell := _as_written(path, cells))}
    shown = [_shown(written.get(path, path)) for path in missing]
    bare = (
        "" if any(Path(path).suffix for path in missing) else " They have no suffix: write whole file names."
    )
    raise ManifestError(
        f"{table.name}: {len(missing)} of {len(entries)} files are not there: {truncate_list(shown)}. Paths are "
        f"relative to the folder of the table{_where(table.name, store)}.{bare}"
    )


def elsewhere(table: str, entries: Sequence[Entry], store: FolderStore) -> tuple[str, ...]:
    """Return a note on files that lie outside the folder of their table, which a received table may point at.

    Raises:
        ManifestError: links that lead out of the folder, which nothing in the table says.
    """
    paths = list(dict.fromkeys(entry.path for entry in entries))
    if links := store.links_out(paths):
        raise ManifestError(
            f"{table}: {pluralize(len(links), 'file')} are links that lead out of its folder: {truncate_list(links)}. "
            "To read such links, give --follow-links."
        )
    outside = [path for path in paths if path.startswith("../")]
    if not outside:
        return ()
    return (
        f"{table}: {len(outside)} of {len(paths)} files lie outside its folder, such as {_shown(outside[0])}.",
    )


def _as_written(path: str, cells: list[str]) -> str:
    """Return the cell that a missing path was made of, "" where it is the path itself."""
    name = path.rpartition("/")[2]
    return next((cell for cell in cells if re.split(r"[\\/]", cell)[-1] == name), "")


def _shown(path: str) -> str:
    """Return a path as a message shows it; a cell may hold a whole image as text."""
    return path if len(path) <= _LONGEST_SHOWN else f"{path[:_LONGEST_SHOWN]}… ({len(path):,} characters)"


def _where(table: str, store: Store) -> str:
    return f", {store.root}" if isinstance(store, FolderStore) else f" {table} in {store.root}"
