"""DICOM: to come."""

from __future__ import annotations

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.readers.limits import Limits
from headtohead.data.readers.slices import SliceOptions

def read_dicom(content: bytes, *, frame: int | None, limits: Limits, salt: bytes) -> Image:
    raise UnreadableError("DICOM is not read yet")

def count_dicom(content: bytes, *, limits: Limits) -> int:
    raise UnreadableError("DICOM is not read yet")
