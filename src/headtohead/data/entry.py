"""One listed image before it is read, and the words that name a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["SPLIT_WORDS", "Entry"]

SPLIT_WORDS: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed image before it is read: where it is, its label and what else the listing says."""

    path: str
    label: str
    split: str | None = None
    group: str | None = None
    frame: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
