"""Headers of NRRD files (`.nrrd`, and `.nhdr` joined with its data).

Source: Teem, Definition of NRRD File Format (NRRD0001 to NRRD0005).
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import Limits
from headtohead.data.readers.nifti.header import Header
from headtohead.data.readers.volumes.geometry import LPS_AS_STORED, check_extent, oriented

__all__ = ["nrrd_fields", "nrrd_header"]

Array = npt.NDArray[Any]

_TYPES = {
    "i1": "signed char|int8|int8_t", "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t", "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "f4": "float", "f8": "double",
}  # fmt: skip
_BY_NAME = {name: code for code, names in _TYPES.items() for name in names.split("|")}
_TO_RAS = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
_PACKED = {"gzip": 31, "gz": 31}
_MAX_HEADER = 1 << 16
_OF_COLOURS = ("rgb-color", "vector", "3-color", "list", "3-vector", "rgba-color", "4-color")


def nrrd_fields(content: bytes) -> tuple[dict[str, str], int]:
    """Return the fields of the header and where the data begin: behind the first empty line.

    Raises:
        UnreadableError: the header does not end.
    """
    front = content[:_MAX_HEADER]
    found = re.search(rb"\r?\n\r?\n", front)
    whole = front if found is None else front[: found.start()]
    fields: dict[str, str] = {}
    for line in whole.decode("latin-1").splitlines()[1:]:
        key, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):  # "key:=value" is free text
            fields["".join(key.lower().split())] = value.strip()
    if found is None and "datafile" not in fields:  # a detached header may just end
        raise UnreadableError("its NRRD header is truncated: no empty line ends it")
    return fields, len(content) if found is None else found.end()


def nrrd_header(content: bytes, limits: Limits) -> Header:
    """Parse and check the header of an NRRD file whose data follow it.

    Raises:
        UnreadableError: impossible numbers, a type or encoding that is not read, data elsewhere, or beyond the limits.
    """
    fields, at = nrrd_fields(content)
    if "datafile" in fields:
        raise UnreadableError(
            f"it is the header of an NRRD whose data lie in {fields['datafile'][:80]!r}; keep both side by side"
        )
    sizes = _whole(fields, "sizes")
    if len(sizes) != (_whole(fields, "dimension") or [0])[0]:
        raise UnreadableError("its NRRD header states sizes that do not fit its dimension")
    colour, shape, steps = _axes(fields, sizes)
    x, y, z = check_extent(shape, limits)
    code = _BY_NAME.get(" ".join(fields.get("type", "").lower().split()))
    if code is None:
        raise UnreadableError(
            f"its NRRD type {fields.get('type', '')[:40]!r} is not read; whole numbers and floats are"
        )
    dtype: np.dtype[Any] = np.dtype(code).newbyteorder(
        ">" if fields.get("endian", "").lower() == "big" else "<"
    )
    channels = colour or 1
    if channels > 1 and (channels not in (3, 4) or dtype.itemsize > 1):
        raise UnreadableError(f"its voxels have {channels} values of {dtype}; 1, or 3 of 8 bits, are read")
    encoding = fields.get("encoding", "raw").lower()
    if encoding != "raw" and encoding not in _PACKED:
        raise UnreadableError(f"its NRRD encoding {encoding[:40]!r} is not read; save it as raw or gzip")
    skip = (_whole(fields, "byteskip") or [0])[0]
    if (_whole(fields, "lineskip") or [0])[0] or skip < 0 or (skip and encoding != "raw"):
        raise UnreadableError(
            "its NRRD header skips lines or packed bytes, which is not read; save it without"
        )
    packed = encoding != "raw"
    needed = x * y * z * channels * dtype.itemsize
    if not packed and at + skip + needed > len(content):
        raise UnreadableError(
            f"it is truncated: {len(content):,} bytes of the {at + skip + needed:,} that its first volume needs"
        )
    orientation, spacing, notes = _geometry(fields, steps)
    volumes = math.prod(shape[3:])
    return Header(
        packed=packed, shape=(x, y, z), dtype=dtype, channels=channels, offset=0 if packed else at + skip, slope=1.0,
        intercept=0.0, orientation=orientation, sizes=spacing, notes=notes,
        front=at if packed else 0, wbits=31, volumes=volumes,
    )  # fmt: skip


def _axes(fields: dict[str, str], sizes: list[int]) -> tuple[int, list[int], list[str]]:
    """Return the channels (0 for none), the lengths of the axes in space, and the step along each as text."""
    kinds = fields.get("kinds", "").lower().split()
    steps = re.findall(r"none|\([^)]*\)", fields.get("spacedirections", "").lower())
    outside = [step == "none" for step in steps] if len(steps) == len(sizes) else []
    if not outside and len(kinds) == len(sizes):
        outside = [kind in _OF_COLOURS for kind in kinds]
    if not any(outside):
        return 0, sizes, steps
    first = outside.index(True)
    spatial = [n for n, out in zip(sizes, outside, strict=True) if not out]
    known = [step for step in steps if step != "none"]
    if first == 0 and sum(outside) == 1:
        return (sizes[0] if sizes[0] > 1 else 0), spatial, known
    if all(outside[first:]):  # values behind the axes of space: a series of volumes
        return 0, [*spatial, *[1] * (3 - len(spatial)), math.prod(sizes[first:])], known
    raise UnreadableError(
        "its NRRD axes are in an order that is not read (a list of values between axes of space)"
    )


def _geometry(
    fields: dict[str, str], steps: list[str]
) -> tuple[Array, tuple[float, float, float], tuple[str, ...]]:
    letters = _letters(fields.get("space", ""))
    if not steps or letters is None:
        spacing = [*_floats(fields.get("spacings", "")), 1.0, 1.0, 1.0]
        sizes = tuple(size if math.isfinite(size) and size > 0 else 1.0 for size in spacing[:3])
        note = "Its orientation is not stated: axes taken as left, back, head (LPS)."
        return LPS_AS_STORED, (sizes[0], sizes[1], sizes[2]), (note,)
    to_ras = np.zeros((3, 3))
    for i, letter in enumerate(letters):
        axis, sign = _TO_RAS[letter]
        to_ras[axis, i] = sign
    matrix = np.eye(3)
    for i, step in enumerate(steps[:3]):
        vector = _floats(step.strip("()").replace(",", " "))
        if len(vector) == 3:
            matrix[:, i] = vector
    return oriented(to_ras @ matrix)


def _letters(space: str) -> str | None:
    """Return the directions that a space counts along, such as "LPS"; None where it is none of the patient's."""
    name = space.lower().removesuffix("-time")
    short = name.upper().removesuffix("T") if len(name) == 4 else name.upper()  # LPST: with time
    if len(short) == 3 and all(letter in _TO_RAS for letter in short):
        return short
    words = {"left": "L", "right": "R", "posterior": "P", "anterior": "A", "superior": "S", "inferior": "I"}
    letters = "".join(words.get(word, "") for word in name.split("-"))
    return letters if len({_TO_RAS[letter][0] for letter in letters}) == 3 and len(letters) == 3 else None


def _floats(text: str) -> list[float]:
    found = []
    for word in text.split():
        try:
            found.append(float(word))
        except ValueError:
            return []
    return found


def _whole(fields: dict[str, str], key: str) -> list[int]:
    try:
        return [int(word) for word in fields.get(key, "").split()]
    except ValueError:
        raise UnreadableError(f"its NRRD header holds no whole numbers in {key}") from None
