"""One listed image before it is read, and the words that name a split or a group."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["GROUP_NAMES", "OWN_FOLD", "SPLIT_WORDS", "Entry"]

SPLIT_WORDS: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}

OWN_FOLD = re.compile(r"fold \S.*")
"""A part that is one of the data's own folds, of a column such as `fold`; `--split given` tests each once."""

GROUP_NAMES = (
    "group", "group_id", "patient", "patient_id", "patientid", "subject", "subject_id", "case", "case_id",
    "participant_id", "study_id", "lesion_id", "subjectid",
)  # fmt: skip
"""Names of a column or an array that hold the group of each image, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed image before it is read: where it is, its label and what else the listing says."""

    path: str
    label: str
    split: str | None = None
    group: str | None = None
    frame: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
