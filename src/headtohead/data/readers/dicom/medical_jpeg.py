"""JPEG Lossless and 12-bit JPEG Extended, decoded by imagecodecs (libjpeg-turbo) after checks of their own.

Pillow reads neither. imagecodecs is the extra `jpeg`, since it brings many further libraries. It is C code
and forgives much: it fills in what a stream lacks and says nothing. So every marker segment, table, size and
restart interval is checked here first; only checked segments are handed on; and a stream whose coded data
end early is found by decoding it once more with other bytes behind the data. JPEG has no checksum: a flipped
bit that still decodes to the end is not found.

Sources: ITU-T T.81 (ISO/IEC 10918-1) B.1 (markers), B.2.2 (frame), B.2.3 (scan), B.2.4 (tables), H (lossless).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import MissingExtraError, UnreadableError
from headtohead.core.optional import require
from headtohead.data.readers.errors import decoding_errors

__all__ = ["decode_medical_jpeg"]

Array = npt.NDArray[Any]
_LOSSLESS, _EXTENDED, _BASELINE = 0xC3, 0xC1, 0xC0
_DHT, _DQT, _DRI, _SOS, _EOI = 0xC4, 0xDB, 0xDD, 0xDA, 0xD9
_MAX_INTERVALS = 100_000  # more than any image has rows: each costs a search and a copy
_MARKER = re.compile(rb"\xff[\x01-\xfe]")  # FF 00 is a coded byte, FF FF a filler
_DAMAGED = "its JPEG stream is damaged"
_FILL = bytes(range(1, 255))  # no 0xFF, and neither zeros nor ones, which a decoder would make up itself


@dataclass(slots=True)
class _Stream:
    """What the marker segments say, and the segments that are passed to the decoder."""

    process: int = 0
    bits: int = 0
    rows: int = 0
    columns: int = 0
    components: list[tuple[int, int, int]] = field(default_factory=list)
    tables: set[int] = field(default_factory=set)
    quantisers: set[int] = field(default_factory=set)
    restart: int = 0
    scanned: list[int] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    filled: list[bytes] = field(default_factory=list)

    def keep(self, marker: int, body: bytes, data: bytes = b"", filled: bytes = b"") -> None:
        segment = bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
        self.parts.append(segment + data)
        self.filled.append(segment + filled)


def decode_medical_jpeg(stream: bytes) -> npt.NDArray[np.uint16]:
    """Decode a lossless (2 to 16 bits) or a grey 12-bit sequential JPEG stream.

    Args:
        stream: one frame; the caller has checked the claimed size against its limits.

    Returns:
        (H, W) or (H, W, components), as coded: no colours are converted. Lossless is bit-exact; 12-bit
        DCT is within one grey level of other decoders, whose inverse transforms round differently.

    Raises:
        UnreadableError: damaged, truncated, of another JPEG process, or imagecodecs is not installed.
    """
    checked = _check_stream(stream)
    try:
        imagecodecs = require("imagecodecs", "jpeg", "read JPEG Lossless and 12-bit JPEG in DICOM files")
    except MissingExtraError as error:
        raise UnreadableError(f"{error}: the file itself is not found damaged") from None
    head, tail = b"\xff\xd8", b"\xff\xd9"
    pixels = _decode(imagecodecs, head + b"".join(checked.parts) + tail, checked)
    again = _decode(imagecodecs, head + b"".join(checked.filled) + tail, checked)
    if not np.array_equal(pixels, again):
        raise UnreadableError("its JPEG stream is truncated: the coded data end too early")
    return pixels


def _decode(imagecodecs: Any, stream: bytes, checked: _Stream) -> npt.NDArray[np.uint16]:
    # from RGB to RGB: the decoder converts no colours, whatever the stream holds
    space = {} if len(checked.components) == 1 else {"colorspace": "RGB", "outcolorspace": "RGB"}
    with decoding_errors(f"{_DAMAGED}: the decoder gave up"):
        pixels: Array = imagecodecs.jpeg8_decode(stream, **space)
    expected = (checked.rows, checked.columns, len(checked.components))
    if (*pixels.shape, 1)[:3] != expected:  # grey comes with two axes
        raise UnreadableError(f"{_DAMAGED}: decoding gave {pixels.shape} where its header claims {expected}")
    return pixels.astype(np.uint16)


def _check_stream(stream: bytes) -> _Stream:
    """Walk the marker segments; refuse whatever a decoder would have to guess."""
    result, at, ended = _Stream(), 2, False
    while at + 4 <= len(stream) or stream[at : at + 2] == b"\xff\xd9":
        if stream[at] != 0xFF:
            raise UnreadableError(f"{_DAMAGED}: no marker where one is due")
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == _EOI:
            ended = True
            break
        (length,) = struct.unpack_from(">H", stream, at + 2)
        body, at = stream[at + 4 : at + 2 + length], at + 2 + length
        if length < 2 or len(body) != length - 2:
            raise UnreadableError(f"{_DAMAGED}: a segment is cut off")
        at = _take_segment(result, marker, body, stream, at)
    if not result.process:
        raise UnreadableError(f"{_DAMAGED}: it has no frame header")
    if sorted(result.scanned) != sorted(number for number, _, _ in result.components):
        raise UnreadableError(f"{_DAMAGED}: it has not exactly one scan of each component")
    if not ended:
        raise UnreadableError("its JPEG stream is truncated: the mark of its end is missing")
    return result


def _take_segment(result: _Stream, marker: int, body: bytes, stream: bytes, end: int) -> int:
    """Check one segment and keep it if it is needed; return where the next begins."""
    if marker == _DHT:
        _check_huffman(result, body)
    elif marker == _DQT:
        _check_quantisers(result, body)
    elif marker == _DRI:
        if len(body) != 2:
            raise UnreadableError(f"{_DAMAGED}: a segment is cut off")
        (result.restart,) = struct.unpack(">H", body)
    elif 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):  # reserved; arithmetic coding (table B.1)
        _check_frame_header(result, marker, body)
    elif marker == _SOS:
        return _check_scan(result, body, stream, end)
    else:
        return end  # comments and applications' segments, which could change how colours are decoded
    result.keep(marker, body)
    return end


def _check_huffman(result: _Stream, body: bytes) -> None:
    at = 0
    while at < len(body):
        counts = body[at + 1 : at + 17]
        n_codes = sum(counts)
        if len(counts) < 16 or at + 17 + n_codes > len(body):
            raise UnreadableError(f"{_DAMAGED}: a Huffman table is cut off")
        # Kraft's inequality: a prefix code exists for these lengths
        if sum(count << (16 - length) for length, count in enumerate(counts, start=1)) > 1 << 16:
            raise UnreadableError(f"{_DAMAGED}: a Huffman table has too many codes")
        result.tables.add(body[at])
        at += 17 + n_codes


def _check_quantisers(result: _Stream, body: bytes) -> None:
    at = 0
    while at < len(body):
        size = 65 + 64 * (body[at] >> 4 > 0)  # 64 entries of one byte, or of two (B.2.4.1)
        if at + size > len(body):
            raise UnreadableError(f"{_DAMAGED}: a quantisation table is cut off")
        result.quantisers.add(body[at] & 15)
        at += size


def _check_frame_header(result: _Stream, marker: int, body: bytes) -> None:
    if result.process or len(body) < 6 or len(body) < 6 + 3 * body[5] or not body[5]:
        raise UnreadableError(f"{_DAMAGED}: its frame header is wrong")
    result.process = marker
    result.bits, result.rows, result.columns, count = struct.unpack_from(">BHHB", body)
    for i in range(count):
        number, sampling, table = body[6 + 3 * i : 9 + 3 * i]
        result.components.append((number, sampling, table))
    if not result.rows or not result.columns:
        raise UnreadableError(f"{_DAMAGED}: its frame header is wrong")
    if marker == _LOSSLESS:
        if not 2 <= result.bits <= 16 or any(sampling != 0x11 for _, sampling, _ in result.components):
            raise UnreadableError("its lossless JPEG has sub-sampled components or an odd depth; not read")
    elif marker not in (_EXTENDED, _BASELINE) or result.bits != 12 or count != 1:
        raise UnreadableError(
            f"its pixels are {result.bits}-bit JPEG of {count} components, process {marker - 0xC0}, which is "
            "not read (lossless and grey 12-bit sequential are); convert it to an uncompressed transfer syntax"
        )


def _check_scan(result: _Stream, body: bytes, stream: bytes, start: int) -> int:
    """Check a scan and keep it with its coded data; return where the data end."""
    count = body[0] if body else 0
    if not result.process or not 0 < count <= len(result.components) or len(body) < 4 + 2 * count:
        raise UnreadableError(f"{_DAMAGED}: its scan header is wrong")
    of_number = {number: table for number, _, table in result.components}
    for number, tables in zip(body[1 : 1 + 2 * count : 2], body[2 : 2 + 2 * count : 2], strict=True):
        if number not in of_number:
            raise UnreadableError(f"{_DAMAGED}: a scan is of a component that it does not have")
        if number in result.scanned:
            raise UnreadableError(f"{_DAMAGED}: it has more scans than components")
        result.scanned.append(number)
        lossless = result.process == _LOSSLESS
        # lossless coding takes neither AC tables (class 1) nor quantisers (H)
        missing = tables >> 4 not in result.tables or not (lossless or 0x10 | tables & 15 in result.tables)
        if missing or not (lossless or of_number[number] in result.quantisers):
            raise UnreadableError(f"{_DAMAGED}: a scan uses a table that is not there")
    # Ss is the predictor, Al the number of low bits that are dropped (table H.1)
    if result.process == _LOSSLESS and not (1 <= body[-3] <= 7 and body[-1] & 15 < result.bits):
        raise UnreadableError(f"{_DAMAGED}: its predictor is not one of 1 to 7")
    end, data, filled, intervals = _coded_data(stream, start)
    if intervals != _expected_intervals(result):
        raise UnreadableError(
            f"{_DAMAGED}: it has {intervals} intervals between restart marks where "
            f"{_expected_intervals(result)} are due"
        )
    result.keep(_SOS, body, data, filled)
    return end


def _expected_intervals(result: _Stream) -> int:
    if not result.restart:
        return 1
    if result.process == _LOSSLESS:  # counts samples, in whole lines (H)
        if result.restart % result.columns:
            raise UnreadableError(f"{_DAMAGED}: a restart interval is no whole number of lines")
        return -(-result.rows * result.columns // result.restart)
    # DCT counts blocks of 8 x 8
    return -(-(-(-result.rows // 8) * -(-result.columns // 8)) // result.restart)


def _coded_data(stream: bytes, start: int) -> tuple[int, bytes, bytes, int]:
    """Return the end of the coded data, the data, the data with fill behind each interval, and their number."""
    cuts, end = [], len(stream)
    for match in _MARKER.finditer(stream, start):
        if not 0xD0 <= stream[match.start() + 1] <= 0xD7:  # restart marks lie within the data
            end = match.start()
            break
        cuts.append(match.start())
        if len(cuts) > _MAX_INTERVALS:
            raise UnreadableError(f"it holds over {_MAX_INTERVALS:,} restart marks (taken for an attack)")
    starts, ends = [start, *cuts], [*cuts, end]
    pieces = [stream[a:b] + _FILL for a, b in zip(starts, ends, strict=True)]
    return end, stream[start:end], b"".join(pieces), len(pieces)
