"""What a compressed stream claims of itself, read without decoding it."""

from __future__ import annotations

import struct

__all__ = ["stream_shape"]


def stream_shape(stream: bytes) -> tuple[int, int, int, int] | None:
    """Return the (rows, columns, components, bits) that a JPEG, JPEG-LS or JPEG 2000 stream claims, or None.

    Sources: ITU-T T.81 B.2.2 (frame header), T.87 C.2.2, T.800 A.5.1 (SIZ). The
    JPEG 2000 stream may sit inside JP2 boxes; it is looked for in the first 64 KiB.
    """
    start = stream.find(b"\xff\x4f\xff\x51", 0, 65536)
    if stream[:2] != b"\xff\xd8" and start >= 0 and len(stream) >= start + 43:
        width, height, x0, y0 = struct.unpack_from(">4I", stream, start + 8)
        components, depth = struct.unpack_from(">HB", stream, start + 40)
        return height - y0, width - x0, components, (depth & 0x7F) + 1
    at = 2
    while stream[:2] == b"\xff\xd8" and at + 10 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            bits, height, width, components = struct.unpack_from(">BHHB", stream, at + 4)
            return height, width, components, bits
        else:
            at += 2 + struct.unpack_from(">H", stream, at + 2)[0]
    return None
