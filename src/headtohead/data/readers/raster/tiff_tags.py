"""The directories of a TIFF file or an EXIF block, walked before Pillow reads them.

Every entry of a directory names a count and a place, so a small file can claim the same megabytes a
thousand times over. The walk reads no data beyond single numbers; it counts what is claimed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from headtohead.core.errors import UnreadableError

__all__ = ["Directory", "directories", "exif_orientation"]

ORIENTATION, PHOTOMETRIC, TILE_WIDTH, TILE_HEIGHT = 274, 262, 322, 323
WIDTH, HEIGHT, COMPRESSION, SAMPLES = 256, 257, 259, 277
# Bytes of a value of each type (TIFF 6.0, section 2; 13 is an offset of a directory, 16 to 18 are BigTIFF's).
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_SUB = (34665, 34853, 40965)  # EXIF, GPS, interoperability: Pillow follows these three
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory: single whole numbers by tag, and the bytes its entries claim in all."""

    numbers: dict[int, int]
    claimed: int
    following: int

    def get(self, tag: int, default: int) -> int:
        """Return the number stored under a tag."""
        return self.numbers.get(tag, default)


def directories(blob: bytes, limit: int) -> list[Directory]:
    """Return the chain of directories (pages) of a TIFF file.

    Args:
        blob: the file, from its byte-order mark.
        limit: most directories.

    Raises:
        UnreadableError: no TIFF, a chain that runs in a circle or beyond the limit, or entries that
            together claim more bytes than the file has.
    """
    order, big = _order(blob)
    (at,) = struct.unpack_from(f"{order}Q" if big else f"{order}I", blob, 8 if big else 4)
    pages: list[Directory] = []
    visited: set[int] = set()
    while at:
        if at in visited:
            raise UnreadableError("its page directories run in a circle")
        if len(pages) >= limit:
            raise UnreadableError(
                f"it holds more than {limit:,} pages, the limit (--limit frames=NUMBER raises it)"
            )
        visited.add(at)
        try:
            directory = _directory(blob, at, order, big)
        except struct.error:
            if not pages:
                raise UnreadableError(
                    "its first page directory lies beyond the end of the file: truncated"
                ) from None
            raise UnreadableError(
                f"the directory of page {len(pages)} lies beyond the end of the file"
            ) from None
        _check_claim(blob, directory, order, big)
        pages.append(directory)
        at = directory.following
    if not pages:
        raise UnreadableError("it holds no page")
    return pages


def exif_orientation(blob: bytes) -> int:
    """Return the orientation that an EXIF block states: 1 to 8, and 1 where it states none.

    Raises:
        UnreadableError: the block is broken or states another number.
    """
    blob = blob.removeprefix(b"Exif\0\0")
    try:
        order, big = _order(blob)
        (at,) = struct.unpack_from(f"{order}I", blob, 4)
        orientation = _directory(blob, at, order, big).get(ORIENTATION, 1)
    except struct.error:
        raise UnreadableError("its EXIF block is truncated") from None
    if not 1 <= orientation <= 8:
        raise UnreadableError(f"EXIF orientation {orientation} does not exist (1 to 8 do)")
    return orientation


def _order(blob: bytes) -> tuple[str, bool]:
    order = {b"II": "<", b"MM": ">"}.get(blob[:2])
    if order is None or len(blob) < 8:
        raise UnreadableError("it has no TIFF header")
    (version,) = struct.unpack_from(f"{order}H", blob, 2)
    return order, version == 43  # BigTIFF


def _directory(blob: bytes, at: int, order: str, big: bool) -> Directory:
    count_format, entry_size, inline = ("Q", 20, 8) if big else ("H", 12, 4)
    (count,) = struct.unpack_from(order + count_format, blob, at)
    start = at + struct.calcsize(count_format)
    if count > 4096:
        raise UnreadableError(f"a page directory claims {count:,} entries; 4096 are allowed")
    numbers: dict[int, int] = {}
    claimed = 0
    for i in range(count):
        here = start + i * entry_size
        tag, kind, n = struct.unpack_from(f"{order}HH{'Q' if big else 'I'}", blob, here)
        size = _SIZES.get(kind, 1) * n
        claimed += size if size > inline else 0  # smaller ones stand in the entry itself
        if n == 1 and kind in _NUMBERS:
            numbers[tag] = struct.unpack_from(order + _NUMBERS[kind], blob, here + entry_size - inline)[0]
    end = start + count * entry_size
    following = (
        struct.unpack_from(f"{order}Q" if big else f"{order}I", blob, end)[0] if end < len(blob) else 0
    )
    return Directory(numbers, claimed, following)


def _check_claim(blob: bytes, directory: Directory, order: str, big: bool) -> None:
    claimed = directory.claimed
    for tag in _SUB:
        if tag in directory.numbers:
            try:
                claimed += _directory(blob, directory.numbers[tag], order, big).claimed
            except struct.error:
                continue  # Pillow finds the same hole and leaves the sub-directory out
    if claimed > len(blob) + 65536:
        raise UnreadableError(f"a page directory claims {claimed:,} bytes; the whole file has {len(blob):,}")
