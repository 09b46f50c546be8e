"""Names for the patients of DICOM files that come from the files and not from the patient's id.

The reader hashes an id with a secret that lives as long as the process and is written nowhere: enough to
tell, within one load, which files are of one patient. What is written is then a hash over the contents of
that patient's files. So nobody can try ids against the output; the same data give the same names on every
machine, in every process and after a resume, with no secret to keep; and the folds, which follow the order
of the groups, stay the same.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from headtohead.core.records import Sample
from headtohead.data.dataset import GIVEN_GROUP

__all__ = ["KINDS", "pseudonymise_patients"]

KINDS = ("patient", "series")
"""What a DICOM file is grouped by, in the order of preference; the first word of the group's name."""


def pseudonymise_patients(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples with the groups that DICOM ids made named after their files.

    Args:
        samples: their groups are "patient <hash>" or "series <hash>" where an id made them, and anything
            else otherwise; groups that the data give are left alone.
    """
    files: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if _by_id(sample):
            files[sample.group].add(sample.sha256)
    names = {group: _name(group.partition(" ")[0], hashes) for group, hashes in files.items()}
    return [
        sample.model_copy(update={"group": names[sample.group]}) if _by_id(sample) else sample
        for sample in samples
    ]


def _by_id(sample: Sample) -> bool:
    given = GIVEN_GROUP in sample.extra or sample.group == sample.path
    return sample.format == "DICOM" and not given and sample.group.partition(" ")[0] in KINDS


def _name(kind: str, hashes: set[str]) -> str:
    whole = hashlib.sha256("\n".join([kind, *sorted(hashes)]).encode())
    return f"{kind} {whole.hexdigest()[:16]}"
