"""The header of a DICOM image as a report needs it: which study and patient, which object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.dicom.parse import open_dataset
from headtohead.data.readers.errors import decoding_errors
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits
from headtohead.data.readers.silence import suppress_library_output

__all__ = ["SourceHeader", "read_header"]

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")  # PS3.5, 9.1; leading zeros, which it forbids, are let pass
# What a Structured Report copies from its images: the patient and study modules (DICOM PS3.3, C.7.1.1, C.7.2.1).
_COPIED = (
    *("SpecificCharacterSet", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName"),
    *("StudyDescription", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
    *("PatientAge", "PatientSize", "PatientWeight", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("StudyInstanceUID", "StudyID"),
)
# The first three are UIDs, without which a report cannot name the image.
_OBJECT = (
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "NumberOfFrames",
    "Rows",
    "Columns",
)
# Present in every report, empty where the image says nothing (type 2 in DICOM's words).
_MAY_BE_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID"),
    *("StudyDate", "StudyTime", "ReferringPhysicianName"),
)


@dataclass(frozen=True, slots=True)
class SourceHeader:
    """One image's header.

    Attributes:
        dataset: pydicom's data set of the elements above; no pixels.
        study, sop, patient: UIDs of study and object, and the patient's id ("" where there is none).
        n_frames: images in the object.
    """

    dataset: Any
    study: str
    sop: str
    patient: str
    n_frames: int


def read_header(content: bytes, limits: Limits = DEFAULT_LIMITS) -> SourceHeader:
    """Read what a report needs of a DICOM file.

    Args:
        content: the whole file.
        limits: bounds what a deflated data set may unfold to.

    Raises:
        UnreadableError: no DICOM, damaged, or without the UIDs that a report must refer to.
    """
    with suppress_library_output():
        dataset = open_dataset(content, limits, [*_COPIED, *_OBJECT])
        with decoding_errors("its DICOM header holds values that their types do not allow"):
            found = {keyword: _uid(dataset, keyword) for keyword in _OBJECT[:3]}
            found["StudyInstanceUID"] = _uid(dataset, "StudyInstanceUID")
            patient = str(dataset.get("PatientID") or "")
            n_frames = int(dataset.get("NumberOfFrames") or 1)
            for keyword in _MAY_BE_EMPTY:
                if dataset.get(keyword) is None:
                    setattr(dataset, keyword, "")
    missing = [keyword for keyword, value in found.items() if not value]
    if missing:
        raise UnreadableError(
            f"its DICOM header has no valid {', '.join(missing)}; a report refers to its images by these"
        )
    return SourceHeader(dataset, found["StudyInstanceUID"], found["SOPInstanceUID"], patient, n_frames)


def _uid(dataset: Any, keyword: str) -> str:
    """Return a UID of the data set, or "" where it is missing or not one (digits and dots, 64 at most)."""
    value = str(dataset.get(keyword) or "")
    return value if len(value) <= 64 and _UID.fullmatch(value) else ""
