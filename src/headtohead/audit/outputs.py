"""The files that an audit leaves: groups, and the record of pairs; thumbnails are in `thumbs`."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.audit.thumbnails import thumbnails
from headtohead.core.atomic_io import write_json
from headtohead.core.progress import Reporter
from headtohead.data.listing.groups_csv import write_groups

if TYPE_CHECKING:
    from headtohead.audit.duplicates import Grouping
    from headtohead.audit.image_index import ImageIndex
    from headtohead.data.dataset import Dataset

__all__ = ["grouping_record", "write_files"]


def grouping_record(dataset: Dataset, grouping: Grouping) -> dict[str, Any]:
    """Return groups with more than one member, and the verified pairs, as plain values."""
    members: dict[str, list[str]] = defaultdict(list)
    for sample in dataset.samples:
        members[grouping.groups[sample.id]].append(sample.id)
    return {
        "n_groups": len(members),
        "shared": {name: ids for name, ids in sorted(members.items()) if len(ids) > 1},
        "pairs": [
            {"a": p.a, "b": p.b, "kind": str(p.kind), "evidence": _plain(p.evidence)} for p in grouping.pairs
        ],
    }


def _plain(value: Any) -> Any:
    """Return the value with numpy scalars and tuples turned into what JSON knows."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.item() if hasattr(value, "item") else value


def write_files(
    dataset: Dataset,
    grouping: Grouping,
    record: dict[str, Any],
    folder: Path,
    reporter: Reporter,
    index: ImageIndex | None = None,
) -> Path:
    """Write the files of an audit, each whole or not at all; return the path of audit.json.

    A `groups.csv` that was corrected by hand is kept (see `write_groups`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_groups(folder / "groups.csv", dataset, grouping.groups, reporter)
    images = thumbnails(dataset, record, small=None if index is None else index.thumbnail, reporter=reporter)
    write_json(folder / "thumbs.json", images)
    # last: where it is, a page is made, from the files next to it
    target = folder / "audit.json"
    write_json(target, record)
    return target
