"""Checks of image files before Pillow opens them.

Pillow refuses truncated files by itself. These are the gaps it leaves: checksums it does not verify,
and claims that cost memory or time before its own checks.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import Limits, check_size
from headtohead.data.readers.raster.codestream_header import codestream_shape
from headtohead.data.readers.raster.tiff_tags import TILE_HEIGHT, TILE_WIDTH, Directory, directories

__all__ = ["check_scans", "check_structure", "count_gif"]

_MAX_SCANS = 100  # progressive JPEG has about ten; each costs a pass over the image


def check_structure(content: bytes, kind: str, limits: Limits) -> list[Directory]:
    """Refuse what must not reach the decoder.

    Returns:
        The pages of a TIFF file; nothing for the other formats.

    Raises:
        UnreadableError: with the reason.
    """
    if kind == "PNG":
        _check_png(content)
    elif kind == "JPEG":
        check_scans(content)
    elif kind == "WEBP":
        _check_webp(content, limits)
    elif kind == "JPEG2000":
        _check_jpeg2000(content, limits)
    return _check_tiff(content, limits) if kind == "TIFF" else []


def _check_tiff(content: bytes, limits: Limits) -> list[Directory]:
    pages = directories(content, limits.frames)
    for page in pages:
        if TILE_WIDTH in page.numbers and TILE_HEIGHT in page.numbers:
            check_size(page.numbers[TILE_HEIGHT], page.numbers[TILE_WIDTH], limits)
    return pages


def _check_png(content: bytes) -> None:
    """Verify the checksums of the chunks that make the image (ISO/IEC 15948, 5.3)."""
    at = 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        name, end = content[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(content):
            return  # truncated: the decoder says how far it came
        if name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT"):
            (stated,) = struct.unpack_from(">I", content, end)
            if zlib.crc32(memoryview(content)[at + 4 : end]) != stated:
                raise UnreadableError(
                    f"its {name.decode()} chunk does not match its checksum: the file is damaged"
                )
        at = end + 4


def check_scans(content: bytes) -> None:
    """Refuse a progressive JPEG of endless scans, each of which costs a pass over all pixels.

    The mark of a scan cannot occur in coded data, and in other data once in 65536 bytes by chance.

    Raises:
        UnreadableError: more than a hundred scans.
    """
    scans = content.count(b"\xff\xda")
    if scans > _MAX_SCANS and scans > len(content) // 16384:  # four times what chance gives
        raise UnreadableError(f"it holds about {scans} scans; {_MAX_SCANS} are allowed (taken for an attack)")


def _check_webp(content: bytes, limits: Limits) -> None:
    """Check the canvas size (RFC 9649), since the decoder reserves it when the file is opened."""
    chunk = content[12:16]
    if chunk == b"VP8X" and len(content) >= 30:
        width = 1 + int.from_bytes(content[24:27], "little")  # stored less 1
        height = 1 + int.from_bytes(content[27:30], "little")
        check_size(height, width, limits)


def _check_jpeg2000(content: bytes, limits: Limits) -> None:
    """Check the size in the code stream, which may differ from the one in the boxes that Pillow looks at."""
    claim = codestream_shape(content)
    if claim is None:
        raise UnreadableError("it starts like JPEG 2000 but its code stream has no readable header")
    check_size(claim[0], claim[1], limits)


def count_gif(content: bytes, limit: int) -> int:
    """Count the images of a GIF by walking its blocks, without decoding.

    Args:
        limit: where to stop counting.

    Raises:
        UnreadableError: more images than the limit.
    """
    count = 0
    for count, _ in enumerate(_gif_images(content), start=1):
        if count > limit:
            raise UnreadableError(
                f"it holds more than {limit:,} frames, the limit (--limit frames=NUMBER raises it)"
            )
    return count


def _gif_images(content: bytes) -> Iterator[int]:
    """Yield where each image's descriptor starts (GIF89a, sections 15 to 20)."""
    flags = content[10] if len(content) > 10 else 0
    # the colour table behind the header (13 bytes) has three bytes for each of 2^(n + 1) colours
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    while at < len(content):
        block = content[at]
        if block == 0x2C and at + 10 <= len(content):
            yield at
            flags = content[at + 9]
            at += 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)  # descriptor (10), code size (1)
        elif block == 0x21:
            at += 2
        elif block == 0x3B:
            return
        else:
            at += 1
            continue
        while at < len(content) and content[at]:
            at += 1 + content[at]
        at += 1
