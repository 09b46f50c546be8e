"""Headers of FreeSurfer's volumes (`.mgh`, `.mgz`).

Source: FreeSurfer, MghFormat; all numbers are big-endian, the voxels begin at byte 284.
"""

from __future__ import annotations

import struct

import numpy as np

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import Limits, inflate
from headtohead.data.readers.nifti.header import Header
from headtohead.data.readers.volumes.geometry import check_extent, oriented
from headtohead.data.readers.volumes.signatures import is_mgh

__all__ = ["mgh_header"]

_OFFSET = 284
_TYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2"}
_CORONAL = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Directions where the file states none: FreeSurfer's own (left, foot, front)."""


def mgh_header(content: bytes, limits: Limits) -> Header:
    """Parse and check the header.

    Args:
        content: the whole file, gzipped or not.

    Raises:
        UnreadableError: truncated, or beyond the limits.
    """
    packed = content[:2] == b"\x1f\x8b"
    front = inflate(content, _OFFSET, limits, wbits=31, exact=False) if packed else content[:_OFFSET]
    if len(front) < _OFFSET or not is_mgh(front):
        raise UnreadableError("its FreeSurfer header is truncated or damaged")
    _, x, y, z, volumes, kind, _, good = struct.unpack_from(">7ih", front)
    shape = check_extent((x, y, z), limits)
    numbers = np.array(struct.unpack_from(">12f", front, 30), dtype=float)
    spacing, directions = numbers[:3], numbers[3:].reshape(3, 3).T
    if not good:
        spacing, directions = np.ones(3), _CORONAL
    orientation, sizes, notes = oriented(directions * spacing)
    header = Header(
        packed=packed, shape=shape, dtype=np.dtype(_TYPES[kind]), channels=1, offset=_OFFSET, slope=1.0, intercept=0.0,
        orientation=orientation, sizes=sizes,
        notes=notes, volumes=max(1, volumes),
    )  # fmt: skip
    if not packed and header.end > len(content):
        raise UnreadableError(
            f"it is truncated: {len(content):,} bytes of the {header.end:,} its first volume needs"
        )
    return header
