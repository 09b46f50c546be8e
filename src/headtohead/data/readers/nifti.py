"""NIFTI: to come."""

from __future__ import annotations

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.readers.limits import Limits
from headtohead.data.readers.slices import SliceOptions


def read_nifti(content: bytes, *, frame: int | None, limits: Limits, slices: SliceOptions) -> Image:
    raise UnreadableError("NIfTI is not read yet")


def count_nifti(content: bytes, *, limits: Limits, slices: SliceOptions) -> int:
    raise UnreadableError("NIfTI is not read yet")
