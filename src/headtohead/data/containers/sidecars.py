"""Labels in small files beside the images: WebDataset shards (`000.jpg` with `000.cls` or `000.json`)."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field

from headtohead.core.errors import UnreadableError
from headtohead.data.entry import SPLIT_WORDS
from headtohead.data.storage.store import Store
from headtohead.data.tables.records import Rows

__all__ = ["webdataset_rows"]

_LABELS = frozenset({"cls", "label", "class", "target"})
_RECORDS = frozenset({"json", "jsn"})
_MAX_BYTES = 1 << 20
"""The largest file of labels."""


@dataclass(slots=True)
class _Sample:
    """The members that share a key."""

    images: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)


def webdataset_rows(store: Store, images: Iterable[str], others: Iterable[str]) -> Rows | None:
    """Return a table of images with what the files of the same key say of them, or None where there are none.

    A key is a path up to the first dot of its last part, as WebDataset has it. The column `label` holds the content of
    `.cls`; each plain value of a `.json` is a column of its own. A split is read from the shards' names.

    Args:
        images: paths of the files that are images. others: of all others.
    """
    shown = set(images)
    samples: dict[str, _Sample] = {}
    beside = [path for path in others if _split_key(path)[1] in _LABELS | _RECORDS]
    if not beside:
        return None
    for path in shown:
        samples.setdefault(_split_key(path)[0], _Sample()).images.append(path)
    for path in beside:
        key, extension = _split_key(path)
        sample = samples.setdefault(key, _Sample())
        (sample.labels if extension in _LABELS else sample.records).append(path)
    # of several images of one key the label may mean any
    pairs = [s for _, s in sorted(samples.items()) if len(s.images) == 1 and (s.labels or s.records)]
    if not pairs or 2 * len(pairs) < len(shown):  # notes beside a few images are no labels
        return None
    rows = [_row(store, sample) for sample in pairs]
    rows = [row | {"path": sample.images[0]} for row, sample in zip(rows, pairs, strict=True)]
    splits = [_split_of(row["path"]) for row in rows]
    if all(splits):
        rows = [{"split": split} | row for row, split in zip(rows, splits, strict=True)]
    columns = list(dict.fromkeys(["path", *(name for row in rows for name in row)]))
    if not any(_is_label(name) for name in columns):  # else such records would hide the class folders
        return None
    return columns, [tuple(row.get(name, "") for name in columns) for row in rows]


def _is_label(name: str) -> bool:
    """Tell whether a record's key may be its label; the table's own rules choose among them."""
    return name.casefold() in _LABELS or name.casefold() in (
        "diagnosis", "dx", "finding", "category", "outcome", "pathology", "class_name", "labels"
    )  # fmt: skip


def _split_key(path: str) -> tuple[str, str]:
    folder, name = posixpath.split(path)
    stem, _, extension = name.partition(".")
    return posixpath.join(folder, stem), extension.lower().rpartition(".")[2]


def _row(store: Store, sample: _Sample) -> dict[str, str]:
    row: dict[str, str] = {}
    for path in sample.records:
        try:
            found = json.loads(store.read(path)[:_MAX_BYTES].decode("utf-8-sig"))
        except (UnreadableError, ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            row |= {
                str(k): _cell(v) for k, v in found.items() if isinstance(v, str | int | float | bool | None)
            }
        elif isinstance(found, str | int):
            row["label"] = str(found)
    for path in sample.labels[:1]:
        try:
            row["label"] = store.read(path)[:_MAX_BYTES].decode("utf-8-sig").strip()
        except (UnreadableError, ValueError):
            continue
    return row


def _cell(value: str | float | bool | None) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _split_of(path: str) -> str:
    """Return the split that the name of a shard tells: `train-0001.tar/000.png`."""
    shard = path.partition("/")[0].lower().partition(".")[0]
    words = shard.replace("_", "-").split("-")
    return next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), "")
