"""Headers of MetaImage files (`.mha`, and `.mhd` joined with its data).

Source: MetaIO, ITK's documentation of the format; directions and origin are in LPS coordinates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import Limits
from headtohead.data.readers.nifti.header import Header
from headtohead.data.readers.volumes.geometry import check_extent, oriented

__all__ = ["metaimage_header", "metaimage_lines"]

# MET_LONG has four bytes, whatever a long has on the machine that wrote it.
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_MAX_HEADER = 1 << 16
_DIRECTIONS = ("TransformMatrix", "Rotation", "Orientation")


def metaimage_lines(content: bytes) -> tuple[dict[str, str], int]:
    """Return the fields of the header and where it ends: behind the line ElementDataFile.

    Raises:
        UnreadableError: there is no such line.
    """
    fields: dict[str, str] = {}
    at = 0
    while at < min(len(content), _MAX_HEADER):
        end = content.find(b"\n", at, _MAX_HEADER)
        if end < 0:
            end = min(len(content), _MAX_HEADER)
        key, _, value = content[at:end].decode("latin-1").partition("=")
        fields[key.strip()] = value.strip()
        at = end + 1
        if key.strip() == "ElementDataFile":
            return fields, at
    raise UnreadableError("its MetaImage header is truncated: it names no ElementDataFile")


def metaimage_header(content: bytes, limits: Limits) -> Header:
    """Parse and check the header of a MetaImage whose data follow it.

    Raises:
        UnreadableError: impossible numbers, a type that is not read, data elsewhere, or beyond the limits.
    """
    fields, end = metaimage_lines(content)
    if fields["ElementDataFile"].upper() != "LOCAL":
        raise UnreadableError(
            f"it is the header of a MetaImage whose data lie in {fields['ElementDataFile'][:80]!r}; keep "
            "both side by side"
        )
    lengths = _numbers(fields, "DimSize")
    if len(lengths) != _integer(fields, "NDims", len(lengths)) or not all(n.is_integer() for n in lengths):
        raise UnreadableError("its MetaImage header states sizes that do not fit its dimensions")
    shape = [int(n) for n in lengths]
    x, y, z = check_extent(shape, limits)
    channels = _integer(fields, "ElementNumberOfChannels", 1)
    kind = fields.get("ElementType", "").removesuffix("_ARRAY")
    if kind not in _TYPES:
        raise UnreadableError(f"its ElementType {kind[:40]!r} is not read; whole numbers and floats are")
    big = any(
        fields.get(key, "").lower() == "true" for key in ("ElementByteOrderMSB", "BinaryDataByteOrderMSB")
    )
    dtype: np.dtype[Any] = np.dtype(_TYPES[kind]).newbyteorder(">" if big else "<")
    if channels not in (1, 3) or (channels == 3 and dtype.itemsize > 1):
        raise UnreadableError(f"its voxels have {channels} channels of {dtype}; 1, or 3 of 8 bits, are read")
    packed = fields.get("CompressedData", "").lower() == "true"
    size = x * y * z * channels * dtype.itemsize
    if fields.get("HeaderSize", "0") not in ("0", ""):
        raise UnreadableError(
            "its data begin at a HeaderSize of their own, which is not read; save it as .mha"
        )
    if not packed and end + size > len(content):
        raise UnreadableError(
            f"it is truncated: {len(content):,} bytes of the {end + size:,} that its first volume needs"
        )
    orientation, sizes, notes = oriented(_directions(fields, len(shape)))
    volumes = math.prod(shape[3:])
    return Header(
        packed=packed, shape=(x, y, z), dtype=dtype, channels=channels, offset=0 if packed else end, slope=1.0,
        intercept=0.0, orientation=orientation, sizes=sizes, notes=notes,
        front=end if packed else 0, wbits=15, volumes=volumes,
    )  # fmt: skip


def _directions(fields: dict[str, str], n: int) -> Any:
    """Return the steps along the axes in RAS coordinates; MetaIO writes one direction after the other."""
    known = min(n, 3)
    spacing = (_numbers(fields, "ElementSpacing") or _numbers(fields, "ElementSize") or [1.0] * n)[:known]
    stated = next((_numbers(fields, key) for key in _DIRECTIONS if key in fields), [])
    matrix = np.eye(3)
    if len(stated) == n * n:
        matrix[:known, :known] = np.array(stated).reshape(n, n)[:known, :known].T
    matrix[:, :known] *= np.array([*spacing, *[1.0] * known][:known])
    return np.diag([-1.0, -1.0, 1.0]) @ matrix  # LPS to RAS


def _numbers(fields: dict[str, str], key: str) -> list[float]:
    try:
        return [float(word) for word in fields.get(key, "").split()]
    except ValueError:
        raise UnreadableError(f"its MetaImage header holds no numbers in {key}") from None


def _integer(fields: dict[str, str], key: str, otherwise: int) -> int:
    found = _numbers(fields, key)
    return int(found[0]) if found and abs(found[0]) < 1e6 else otherwise  # not NaN, nor infinity
