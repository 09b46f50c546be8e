"""Lookup tables of DICOM: modality and VOI tables, and colour palettes.

Hand-written in place of `pydicom.pixels.apply_modality_lut`, `apply_voi_lut` and `apply_color_lut`, since these
overflow where a table starts below the smallest stored number, take no 12-bit modality table, no table
packed in bytes and none in a functional group, read a first value beyond 32767 of signed data as positive, and
expand segmented tables without a bound. Where both apply, the tests hold that they give the same pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.dicom.parse import Dataset, get

__all__ = ["LookupTable", "apply_palette", "lookup_table"]

Array = npt.NDArray[Any]


class LookupTable:
    """A table of numbers, the stored value its first entry stands for, and the bits of its entries.

    Source: DICOM PS3.3 C.11.1.1 and C.7.6.3.1.5: values below the first entry take the first, values
    beyond the last take the last.
    """

    def __init__(self, entries: Array, start: int, bits: int) -> None:
        self.entries, self.start, self.bits = entries, start, bits

    def apply(self, pixels: Array) -> Array:
        """Look up every pixel (floats are rounded first)."""
        whole = np.rint(pixels) if pixels.dtype.kind == "f" else pixels
        index = np.clip(whole.astype(np.int64) - self.start, 0, len(self.entries) - 1)
        return self.entries[index]


def lookup_table(
    item: Dataset, *, prefix: str = "LUT", little: bool = True, signed: bool = False
) -> LookupTable:
    """Read the table of one item ("LUTDescriptor", "LUTData").

    Args:
        item: data set that holds descriptor and data.
        prefix: the keywords' beginning ("LUT" or "RedPaletteColorLookupTable").
        little: byte order of tables that are stored as raw bytes.
        signed: whether the looked-up values may be negative, so that a first value from 32768 up
            is meant as negative.

    Raises:
        UnreadableError: no descriptor, or fewer entries than it claims.
    """
    count, start, bits = _descriptor(item, prefix, signed)
    segmented = get(item, f"Segmented{prefix}Data")
    if segmented is not None:
        entries = _expand(_numbers(segmented, bits > 8, little), count)
    else:
        data = get(item, f"{prefix}Data")
        # entries are two bytes each, or one where the data are too short for that
        packed = isinstance(data, bytes) and count <= len(data) < 2 * count
        bits = min(bits, 8) if packed else bits
        entries = _numbers(data, not packed, little)
    if len(entries) < count:
        raise UnreadableError(f"a lookup table holds {len(entries)} entries where it claims {count}")
    return LookupTable(entries[:count].astype(np.uint8 if bits <= 8 else np.uint16), start, bits)


def _descriptor(item: Dataset, prefix: str, signed: bool) -> tuple[int, int, int]:
    descriptor = get(item, f"{prefix}Descriptor")
    if descriptor is None or len(descriptor) != 3:
        raise UnreadableError("a lookup table has no valid descriptor")
    count, start, bits = (int(value) for value in descriptor)
    if not 0 < bits <= 16 or not 0 <= count <= 65536:
        raise UnreadableError(
            f"a lookup table claims {count} entries of {bits} bits; up to 65536 of 16 are read"
        )
    start = start - 65536 if signed and start >= 32768 else start
    return count or 65536, start, bits  # 0 stands for 65536, which 16 bits cannot hold


def _numbers(data: Any, wide: bool, little: bool) -> Array:
    """Return the raw numbers of table data, which parsers give as bytes or as a list."""
    if data is None:
        raise UnreadableError("a lookup table has a descriptor but no data")
    if isinstance(data, bytes):
        kind = np.dtype(("<u2" if little else ">u2") if wide else "u1")
        return np.frombuffer(data[: len(data) // kind.itemsize * kind.itemsize], dtype=kind)
    values = list(data) if hasattr(data, "__len__") else [data]
    if len(values) > 65536:
        raise UnreadableError(f"a lookup table holds {len(values)} entries; up to 65536 are read")
    # entries from 32768 up may come as negative numbers
    return np.asarray([int(value) for value in values], dtype=np.int64) & 0xFFFF


def _expand(segments: Array, count: int) -> Array:
    """Expand a segmented table: runs of given values, and straight lines (DICOM PS3.3 C.7.9.2).

    Raises:
        UnreadableError: more entries than claimed (a bomb), or a segment of a kind not read.
    """
    parts: list[Array] = []
    n_expanded, at, last = 0, 0, 0.0
    while n_expanded < count and at + 2 < len(segments):
        kind, length = int(segments[at]), int(segments[at + 1])
        if n_expanded + length > count:
            raise UnreadableError(f"a segmented lookup table expands beyond the {count} entries it claims")
        if kind == 0 and length:
            part = segments[at + 2 : at + 2 + length].astype(np.float64)
            at += 2 + length
        elif kind == 1 and length and parts:
            part = np.linspace(last, float(segments[at + 2]), length + 1)[1:]  # the first point is there
            at += 3
        else:
            raise UnreadableError("a segmented lookup table has a segment of a kind that is not read")
        parts.append(part)
        n_expanded += len(part)
        last = float(part[-1])
    return np.rint(np.concatenate(parts)) if parts else np.empty(0)


def apply_palette(pixels: Array, dataset: Dataset, *, little: bool, signed: bool) -> tuple[Array, int]:
    """Look up a palette image.

    Returns:
        (H, W, 3) uint8 or uint16, and the bits per channel.

    Raises:
        UnreadableError: a channel's table is missing or broken.
    """
    tables = [
        lookup_table(dataset, prefix=f"{colour}PaletteColorLookupTable", little=little, signed=signed)
        for colour in ("Red", "Green", "Blue")
    ]
    bits = max(table.bits for table in tables)
    return np.stack([table.apply(pixels) for table in tables], axis=-1), bits
