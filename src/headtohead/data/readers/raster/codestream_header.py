"""Read size, components and depth from the header of a compressed stream."""

from __future__ import annotations

import struct

__all__ = ["codestream_shape"]


def codestream_shape(stream: bytes) -> tuple[int, int, int, int] | None:
    """Return the (rows, columns, components, bits) that a JPEG, JPEG-LS or JPEG 2000 stream claims, or None.

    The place is found as a decoder finds it, by following the lengths, so that a decoy earlier in the
    file does not count.

    Sources: ITU-T T.81 B.2.2 (frame header), T.87 C.2.2, T.800 A.5.1 (SIZ) and I.4 (boxes of JP2).
    """
    try:
        return _jpeg(stream) if stream[:2] == b"\xff\xd8" else _jpeg2000(stream)
    except struct.error:
        return None


def _jpeg(stream: bytes) -> tuple[int, int, int, int] | None:
    at = 2
    while at + 10 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):  # F7: JPEG-LS
            bits, height, width, components = struct.unpack_from(">BHHB", stream, at + 4)
            return height, width, components, bits
        else:
            at += 2 + struct.unpack_from(">H", stream, at + 2)[0]
    return None


def _jpeg2000(stream: bytes) -> tuple[int, int, int, int] | None:
    start = _codestream(stream)
    if start is None or stream[start : start + 4] != b"\xff\x4f\xff\x51":
        return None
    # behind SOC, SIZ, its length and its capabilities (A.5.1)
    width, height, x0, y0 = struct.unpack_from(">4I", stream, start + 8)
    components, depth = struct.unpack_from(">HB", stream, start + 40)
    return height - y0, width - x0, components, (depth & 0x7F) + 1  # the top bit of the depth is the sign


def _codestream(stream: bytes) -> int | None:
    """Return where the code stream starts: at 0, or in the first jp2c box of a JP2 file."""
    at = 0
    if stream[4:8] != b"jP  ":
        return at
    while at + 8 <= len(stream):
        length, name = struct.unpack_from(">I4s", stream, at)
        head = 8
        if length == 1:  # the true length follows (I.4)
            length, head = struct.unpack_from(">Q", stream, at + 8)[0], 16
        if name == b"jp2c":
            return at + head
        if length < head:
            return None
        at += length
    return None
