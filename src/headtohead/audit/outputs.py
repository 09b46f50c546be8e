"""The files that an audit leaves: groups, and the record of pairs; thumbnails are in `thumbs`."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.audit.thumbnails import thumbnails
from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.progress import Reporter

if TYPE_CHECKING:
    from headtohead.audit.duplicates import Grouping
    from headtohead.data.dataset import Dataset

__all__ = ["grouping_record", "groups_csv", "write_files"]


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


def groups_csv(dataset: Dataset, grouping: Grouping) -> str:
    """Return `path,group`, one row a sample; with a `frame` column where files hold several frames."""
    framed = any(s.frame is not None for s in dataset.samples)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path", "frame", "group"] if framed else ["path", "group"])
    for s in dataset.samples:
        group = grouping.groups[s.id]
        table.writerow([s.path, "" if s.frame is None else s.frame, group] if framed else [s.path, group])
    return text.getvalue()


def write_files(
    dataset: Dataset, grouping: Grouping, record: dict[str, Any], folder: Path, reporter: Reporter
) -> Path:
    """Write the three files of an audit, each whole or not at all; return the path of audit.json."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "groups.csv", groups_csv(dataset, grouping))
    images = thumbnails(dataset, record, reporter=reporter)
    write_json(folder / "thumbs.json", images)
    target = folder / "audit.json"
    write_json(target, record)
    return target
