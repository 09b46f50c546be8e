"""The marker segments of a JPEG stream: what its frame, its tables and its scans say.

Sources: ITU-T T.81 (ISO/IEC 10918-1) B.1 (markers), B.2.2 (frame), B.2.3 (scan), B.2.4 (tables).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.jpeg_lossless.huffman import Huffman, huffman

__all__ = ["JpegFrame", "Scan", "parse"]

LOSSLESS, EXTENDED, BASELINE = 0xC3, 0xC1, 0xC0
_MOST_INTERVALS = 100_000
_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_BROKEN = "its JPEG stream is damaged"


@dataclass(frozen=True, slots=True)
class Scan:
    """One pass over components.

    Attributes:
        components: positions in the frame.
        first, second: the Huffman table of each component for DC (or lossless differences) and AC.
        selection: Ss; in a lossless scan the number of the predictor.
        point: Al; in a lossless scan how many low bits were dropped.
        restart: units between two restart marks, 0 for none.
        intervals: entropy-coded bytes between restart marks, stuffing removed.
    """

    components: tuple[int, ...]
    first: tuple[Huffman, ...]
    second: tuple[Huffman | None, ...]
    selection: int
    point: int
    restart: int
    intervals: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """What a stream holds; `quantisation` has a (64,) table in zigzag order for each component."""

    process: int
    bits: int
    rows: int
    columns: int
    sampling: tuple[tuple[int, int], ...]
    quantisation: tuple[npt.NDArray[np.int32] | None, ...]
    scans: tuple[Scan, ...]


class _Parser:
    """Collects tables on the way to the scans that use them."""

    def __init__(self, stream: bytes) -> None:
        self.stream = stream
        self.tables: dict[int, Huffman] = {}
        self.quantisers: dict[int, npt.NDArray[np.int32]] = {}
        self.restart = 0
        self.header: tuple[int, int, int, int] | None = None
        self.parts: list[tuple[int, tuple[int, int], int]] = []
        self.used: list[npt.NDArray[np.int32] | None] = []
        self.scans: list[Scan] = []

    def run(self) -> JpegFrame:
        at = 2
        while at + 4 <= len(self.stream):
            if self.stream[at] != 0xFF:
                raise UnreadableError(f"{_BROKEN}: no marker where one is due")
            marker = self.stream[at + 1]
            if marker == 0xFF:
                at += 1
                continue
            if marker == 0xD9:
                break
            (length,) = struct.unpack_from(">H", self.stream, at + 2)
            body = self.stream[at + 4 : at + 2 + length]
            if length < 2 or len(body) != length - 2:
                raise UnreadableError(f"{_BROKEN}: a segment is cut off")
            at = self._take(marker, body, at + 2 + length)
        return self._frame()

    def _take(self, marker: int, body: bytes, end: int) -> int:
        """Use one segment; return where the next begins."""
        if marker == 0xC4:
            self.tables |= dict(_huffman_tables(body))
        elif marker == 0xDB:
            self.quantisers |= dict(_quantisers(body))
        elif marker == 0xDD:
            (self.restart,) = struct.unpack_from(">H", body)
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):
            self._start(marker, body)
        elif marker == 0xDA:
            return self._scan(body, end)
        return end

    def _start(self, marker: int, body: bytes) -> None:
        bits, rows, columns, count = struct.unpack_from(">BHHB", body)
        if self.header is not None or len(body) < 6 + 3 * count or not count:
            raise UnreadableError(f"{_BROKEN}: its frame header is wrong")
        self.header = (marker, bits, rows, columns)
        for i in range(count):
            number, sampling, table = body[6 + 3 * i : 9 + 3 * i]
            self.parts.append((number, (sampling >> 4, sampling & 15), table))
        self.used = [None] * count

    def _scan(self, body: bytes, start: int) -> int:
        numbers = [number for number, _, _ in self.parts]
        count = body[0] if body else 0
        if self.header is None or not 0 < count <= len(numbers) or len(body) < 4 + 2 * count:
            raise UnreadableError(f"{_BROKEN}: its scan header is wrong")
        if len(self.scans) == len(numbers):
            raise UnreadableError(f"{_BROKEN}: it has more scans than components")
        chosen = [(body[1 + 2 * i], body[2 + 2 * i]) for i in range(count)]
        if any(number not in numbers for number, _ in chosen):
            raise UnreadableError(f"{_BROKEN}: a scan is of a component that it does not have")
        places = tuple(numbers.index(number) for number, _ in chosen)
        for place in places:
            self.used[place] = self.quantisers.get(self.parts[place][2])
        end, intervals = _entropy(self.stream, start)
        self.scans.append(
            Scan(
                places,
                tuple(_known(self.tables, table >> 4) for _, table in chosen),
                tuple(self.tables.get(0x10 | (table & 15)) for _, table in chosen),
                body[1 + 2 * count],
                body[3 + 2 * count] & 15,
                self.restart,
                intervals,
            )
        )
        return end

    def _frame(self) -> JpegFrame:
        if self.header is None:
            raise UnreadableError(f"{_BROKEN}: it has no frame header")
        seen = sorted(place for scan in self.scans for place in scan.components)
        if seen != list(range(len(self.parts))):
            raise UnreadableError(f"{_BROKEN}: it has not exactly one scan of each component")
        return JpegFrame(
            *self.header, tuple(part[1] for part in self.parts), tuple(self.used), tuple(self.scans)
        )


def parse(stream: bytes) -> JpegFrame:
    """Return what a sequential JPEG stream holds; no pixel is decoded.

    Raises:
        UnreadableError: damaged, or not laid out as the sequential processes are.
    """
    try:
        return _Parser(stream).run()
    except struct.error:
        raise UnreadableError(f"{_BROKEN}: a segment is cut off") from None


def _known(tables: Mapping[int, Huffman], number: int) -> Huffman:
    if number not in tables:
        raise UnreadableError(f"{_BROKEN}: a scan uses a table that is not there")
    return tables[number]


def _huffman_tables(body: bytes) -> Iterator[tuple[int, Huffman]]:
    at = 0
    while at < len(body):
        counts = body[at + 1 : at + 17]
        n = sum(counts)
        symbols = body[at + 17 : at + 17 + n]
        if len(counts) < 16 or len(symbols) < n:
            raise UnreadableError(f"{_BROKEN}: a Huffman table is cut off")
        yield body[at], huffman(counts, symbols)
        at += 17 + n


def _quantisers(body: bytes) -> Iterator[tuple[int, npt.NDArray[np.int32]]]:
    at = 0
    while at < len(body):
        wide = body[at] >> 4
        values = np.frombuffer(body[at + 1 : at + 65 + 64 * (wide > 0)], ">u2" if wide else "u1")
        if values.size != 64:
            raise UnreadableError(f"{_BROKEN}: a quantisation table is cut off")
        yield body[at] & 15, values.astype(np.int32)
        at += 65 + 64 * (wide > 0)


def _entropy(stream: bytes, start: int) -> tuple[int, tuple[bytes, ...]]:
    """Return where the coded data end and their intervals, split at restart marks, stuffing removed."""
    cuts, end = [], len(stream)
    for found in _MARKER.finditer(stream, start):
        if not 0xD0 <= stream[found.start() + 1] <= 0xD7:
            end = found.start()
            break
        cuts.append(found.start())
        if len(cuts) > _MOST_INTERVALS:
            raise UnreadableError(f"it holds over {_MOST_INTERVALS:,} restart marks (taken for an attack)")
    starts, ends = [start, *(cut + 2 for cut in cuts)], [*cuts, end]
    return end, tuple(stream[a:b].replace(b"\xff\x00", b"\xff") for a, b in zip(starts, ends, strict=True))
