"""What the first bytes of volumes without a magic number look like."""

from __future__ import annotations

import struct

__all__ = ["DATA_SUFFIXES", "HEADER_SUFFIXES", "is_analyze", "is_mgh"]

HEADER_SUFFIXES = (".mhd", ".nhdr", ".hdr", ".hdr.gz")
"""Suffixes of headers whose data may lie beside them."""

DATA_SUFFIXES = (".raw", ".zraw", ".img")
"""Suffixes of such data, without `.gz`."""


_MGH_TYPES = (0, 1, 3, 4)


def is_analyze(front: bytes) -> bool:
    """Tell whether bytes start like an Analyze 7.5 or NIfTI pair's header: its own size, 1 to 7 dimensions."""
    if len(front) < 348:
        return False
    for order in "<>":
        (size,) = struct.unpack_from(f"{order}i", front)
        (n,) = struct.unpack_from(f"{order}h", front, 40)
        if size == 348 and 1 <= n <= 7 and front[344:347] != b"n+1":
            return True
    return False


def is_mgh(front: bytes) -> bool:
    """Tell whether unpacked bytes start like such a volume: version 1, four lengths, a known type."""
    if len(front) < 30:
        return False
    version, *lengths, kind, _, good = struct.unpack_from(">7ih", front)
    return version == 1 and all(1 <= n <= 1 << 20 for n in lengths) and kind in _MGH_TYPES and good in (0, 1)
