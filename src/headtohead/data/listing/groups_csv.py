"""The groups file (`groups.csv`): written by the audit, corrected by a reviewer, read back.

The format is `path,group`, one row per sample; with a `frame` column in between where files hold
several frames. Beside the file lies `groups.csv.written.json` with the sha256 of what this module
wrote, so that a file corrected by hand is not mistaken for one that may be replaced.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.errors import DataError, ManifestError
from headtohead.core.formatting import is_whole
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample
from headtohead.core.safety.spreadsheet import guard_cell
from headtohead.data.dataset import Dataset
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.table_reader import SourceTable, read_table

__all__ = ["format_groups", "read_groups", "write_groups"]

FORMAT = 1
# What a CSV reader would take for the end of a cell or row; blanks at the ends are quoted to be visible.
_QUOTED = frozenset(',"\r\n')


def format_groups(dataset: Dataset, groups: Mapping[str, str]) -> str:
    """Return the text of `groups.csv`.

    Args:
        dataset: one row for each of its samples, in their order.
        groups: sample id -> group name.
    """
    with_frames = any(sample.frame is not None for sample in dataset.samples)
    rows = [["path", "frame", "group"] if with_frames else ["path", "group"]]
    for sample in dataset.samples:
        frame = ["" if sample.frame is None else str(sample.frame)] if with_frames else []
        rows.append([sample.path, *frame, groups[sample.id]])
    return "".join(",".join(map(_quote, row)) + "\n" for row in rows)


def _quote(cell: str) -> str:
    cell = guard_cell(cell)  # a file name may begin with "=", which a spreadsheet would run
    if _QUOTED.isdisjoint(cell) and cell == cell.strip():
        return cell
    return '"' + cell.replace('"', '""') + '"'


def write_groups(path: Path, dataset: Dataset, groups: Mapping[str, str], reporter: Reporter = QUIET) -> Path:
    """Write `groups.csv`, and never over a file that was corrected by hand.

    A corrected file that gives the same groups stays as it is. One that gives other groups stays too:
    the groups go to `groups.new.csv` next to it, and the reporter says so.

    Args:
        path: of `groups.csv`; missing parent folders are made.
        dataset: whose samples are grouped.
        groups: sample id -> group name.
        reporter: hears a warning when the groups went elsewhere.

    Returns:
        Path of the file that holds these groups.

    Raises:
        DataError: `groups.csv` and `groups.new.csv` were both corrected by hand.
    """
    text = format_groups(dataset, groups)
    if _may_replace(path, text):
        _write_recorded(path, text)
        return path
    if _says_the_same(path, dataset, groups):
        return path
    beside = path.with_name(f"{path.stem}.new{path.suffix}")
    if not _may_replace(beside, text):
        raise DataError(
            f"{path} and {beside.name} were both edited by hand and are not overwritten. Move one of them "
            "away, or write to another folder."
        )
    _write_recorded(beside, text)
    reporter.warning(
        f"{path} was edited by hand and is kept; the groups of this run are in {beside.name}. To use your "
        f"corrections, pass --groups {path}."
    )
    return beside


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.written.json")


def _written(path: Path) -> list[str]:
    """Return the hashes of what was written to a path; none where there is no usable record."""
    try:
        record = json.loads(_record_path(path).read_text(encoding="utf-8"))
        return [str(value) for value in record["sha256"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _may_replace(path: Path, text: str) -> bool:
    """Tell whether nothing is lost when the text is written: no file, the same text, or one written here."""
    if not path.exists():
        return True
    content = path.read_bytes()
    return content == text.encode() or _sha256(content) in _written(path)


def _write_recorded(path: Path, text: str) -> None:
    """Write the text and its hash; a process killed in between leaves both hashes, so neither is in doubt."""
    new = _sha256(text.encode())
    old = [_sha256(path.read_bytes())] if path.exists() else []
    write_json(_record_path(path), {"format": FORMAT, "sha256": sorted({*old, new})})
    write_atomic(path, text)
    write_json(_record_path(path), {"format": FORMAT, "sha256": [new]})


def _says_the_same(path: Path, dataset: Dataset, groups: Mapping[str, str]) -> bool:
    try:
        return read_groups(path, dataset) == {sample.id: groups[sample.id] for sample in dataset.samples}
    except ManifestError:
        return False


def read_groups(path: str | Path, dataset: Dataset) -> dict[str, str]:
    """Read sample id -> group from a table with the columns path and group, and perhaps frame.

    The cell `path` holds a path relative to the data's root. With a number in the cell `frame` the row
    stands for that frame, without one for all frames of the file; `path` may also hold the id of one
    frame (`scan.dcm#3`).

    Args:
        path: a CSV, TSV or Parquet file.
        dataset: whose samples are meant; the table must give each of them one group.

    Raises:
        ManifestError: missing columns, empty groups, unknown, repeated or missing samples.
    """
    table = read_table(Path(path), strip=False)
    absent = [name for name in ("path", "group") if name not in table.columns]
    if absent:
        raise ManifestError(f"{table.name} has the columns {list(table.columns)}; expected path and group.")
    samples = _SampleIndex(dataset.samples)
    groups: dict[str, str] = {}
    unknown, empty, repeated = [], [], []
    for cell, frame, raw in _rows(table):
        ids = samples.find(cell, frame, table.name)
        # a group may bear the name of a file, with the blanks at its ends
        group = raw if raw in samples.names else raw.strip()
        shown_path = f"{cell}#{frame}" if frame else cell
        unknown += [] if ids else [shown_path]
        empty += [] if group else [shown_path]
        repeated += [sample_id for sample_id in ids if groups.get(sample_id, group) != group]
        groups |= dict.fromkeys(ids, group)
    missing = [sample.id for sample in dataset.samples if sample.id not in groups]
    _refuse(table.name, "are not in the data (renamed, dropped, or of other data); remove the rows", unknown)
    _refuse(table.name, "have no group; give each a name, its own path if it stands alone", empty)
    _refuse(table.name, "are in two groups; leave one row each", repeated)
    _refuse(table.name, "of the data have no row; add one each, or run the audit again", missing)
    return groups


def _rows(table: SourceTable) -> list[tuple[str, str, str]]:
    """Return (path, frame, group) of each row; frame is "" where there is no such column."""
    n = len(table.rows)
    frames = table.column("frame") if "frame" in table.columns else [""] * n
    return [
        (path, frame.strip(), group)
        for path, frame, group in zip(table.column("path"), frames, table.column("group"), strict=True)
    ]


class _SampleIndex:
    """Samples by path, by path and frame, and by id.

    Cells are compared as they are first and without surrounding blanks second: a file name may begin
    with a blank, and a hand-edited table has blanks after its commas.
    """

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self._ids = {sample.id for sample in samples}
        self._frames = {(sample.path, sample.frame): sample.id for sample in samples}
        self._files: dict[str, list[str]] = defaultdict(list)
        for sample in samples:
            self._files[sample.path].append(sample.id)
        self.names = self._files.keys() | {sample.group for sample in samples}

    def find(self, cell: str, frame: str, table: str) -> list[str]:
        """Return the ids that a row stands for; none for an unknown row.

        Raises:
            ManifestError: the frame is not a whole number.
        """
        if frame and not is_whole(frame):
            raise ManifestError(
                f"{table}: got frame {frame!r} for {cell}; expected a whole number from 0, or nothing."
            )
        for path in (cell, cell.strip()):
            if frame and (path, int(frame)) in self._frames:
                return [self._frames[path, int(frame)]]
            if not frame and (path, None) in self._frames:
                return [self._frames[path, None]]
            if not frame and path in self._files:
                return self._files[path]
            if not frame and path in self._ids:
                return [path]
        return []


def _refuse(table: str, fault: str, names: list[str]) -> None:
    if names:
        raise ManifestError(f"{table}: {len(names)} images {fault}: {truncate_list(names)}.")
