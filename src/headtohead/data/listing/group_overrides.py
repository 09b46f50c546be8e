"""The reviewer's overrule: groups read back from an edited `groups.csv`."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from headtohead.core.errors import ManifestError
from headtohead.data.dataset import Dataset
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.table_reader import read_table

__all__ = ["read_groups"]


def read_groups(path: str | Path, dataset: Dataset) -> dict[str, str]:
    """Return sample id -> group from a table with the columns path and group.

    The cell `path` holds a path relative to the data's root, as the audit writes it, and then speaks
    for all frames of that file, or the id of one frame (`scan.dcm#3`).

    Args:
        path: a CSV, TSV or Parquet file.
        dataset: whose samples are meant; each of them must be in the table once.

    Raises:
        ManifestError: missing columns, empty groups, unknown, repeated or missing samples.
    """
    table = read_table(Path(path))
    absent = [name for name in ("path", "group") if name not in table.columns]
    if absent:
        raise ManifestError(f"{table.name} has the columns {list(table.columns)}; expected path and group.")
    ids = {sample.id for sample in dataset.samples}
    of_file: dict[str, list[str]] = defaultdict(list)
    for sample in dataset.samples:
        of_file[sample.path].append(sample.id)
    groups: dict[str, str] = {}
    unknown, empty, twice = [], [], []
    for name, group in zip(table.column("path"), table.column("group"), strict=True):
        named = [name] if name in ids else of_file.get(name, [])
        unknown += [] if named else [name]
        empty += [] if group else [name]
        twice += [one for one in named if groups.get(one, group) != group]
        groups |= dict.fromkeys(named, group)
    missing = [sample.id for sample in dataset.samples if sample.id not in groups]
    _refuse(table.name, "are not in the data (renamed, dropped, or of other data); remove the rows", unknown)
    _refuse(table.name, "have no group; give each a name, its own path if it stands alone", empty)
    _refuse(table.name, "are in two groups; leave one row each", twice)
    _refuse(table.name, "of the data have no row; add one each, or run the audit anew", missing)
    return groups


def _refuse(table: str, fault: str, names: list[str]) -> None:
    if names:
        raise ManifestError(f"{table}: {len(names)} images {fault}: {truncate_list(names)}.")
