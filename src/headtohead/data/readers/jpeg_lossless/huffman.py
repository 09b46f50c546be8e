"""Huffman codes of a JPEG stream, looked up at every bit position at once.

A decoder that goes bit by bit is slow in Python. Here NumPy finds for *each* bit position how long the
code and its extra bits would be if a symbol began there; a plain loop then walks from symbol to symbol
through that array of bytes, and NumPy reads all values at the places found. Data are taken piece by
piece, so memory stays bounded. No index can leave its array, whatever the data.

Source: ITU-T T.81 C.2 (codes from counts), F.2.2.1 (EXTEND), H.2 (lossless).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError

__all__ = ["STUCK", "Huffman", "Piece", "huffman", "values_at", "walk"]

Array = npt.NDArray[Any]
STUCK = 64
"""How far an unknown code moves on: the walk ends, and the code is found afterwards."""

_PIECE = 1 << 14
_MARGIN = 640  # bytes: more than the longest block (64 codes of at most 64 bits) and a lossless unit
_SHIFTS = np.arange(8, 0, -1, dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Huffman:
    """For each of the 65,536 continuations of 16 bits: the code's length (0: no code) and its symbol."""

    lengths: npt.NDArray[np.uint8]
    symbols: npt.NDArray[np.uint8]

    def steps(self, size: Array) -> npt.NDArray[np.uint8]:
        """Return (65536,) the bits from one symbol to the next.

        Args:
            size: (65536,) how many extra bits follow each symbol.
        """
        return np.where(self.lengths > 0, self.lengths + size, STUCK).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of coded data: bytes, the 16 bits that begin at each bit, and where it ends in bits."""

    data: npt.NDArray[np.uint8]
    windows: npt.NDArray[np.uint16]
    end: int


def huffman(counts: bytes, symbols: bytes) -> Huffman:
    """Return the table of a code.

    Args:
        counts: 16 numbers of codes of 1 to 16 bits.
        symbols: in the order of the codes.

    Raises:
        UnreadableError: more codes than their lengths allow.
    """
    lengths, found = np.zeros(1 << 16, np.uint8), np.zeros(1 << 16, np.uint8)
    at = taken = 0
    for length, count in enumerate(counts, start=1):
        width = 1 << (16 - length)
        if at + count * width > 1 << 16:
            raise UnreadableError("its JPEG stream is damaged: a Huffman table has too many codes")
        lengths[at : at + count * width] = length
        values = np.frombuffer(symbols, np.uint8)[taken : taken + count]
        found[at : at + count * width] = np.repeat(values, width)
        at, taken = at + count * width, taken + count
    return Huffman(lengths, found)


def walk(data: bytes, units: int, visit: Callable[[Piece, int, int], tuple[int, int]]) -> None:
    """Lead a visitor through coded data, piece by piece.

    Args:
        data: without stuffing.
        units: how many the data must hold.
        visit: takes a piece, the bit to begin at and the units that are left; returns the bit it came to
            (at or beyond the end of the piece unless nothing is left) and the number of units read.

    Raises:
        UnreadableError: the data end before the last unit.
    """
    whole = np.frombuffer(data + bytes(_MARGIN + 8), np.uint8)
    at = 0
    while units > 0:
        first = at >> 3
        if first >= len(data):
            raise UnreadableError("its JPEG stream is truncated: the coded data end too early")
        held = min(_PIECE, len(data) - first)
        part = whole[first : first + held + _MARGIN + 8]
        reached, done = visit(Piece(part, _windows(part[: held + _MARGIN]), 8 * held), at - 8 * first, units)
        at, units = 8 * first + reached, units - done
    if at > 8 * len(data):
        raise UnreadableError("its JPEG stream is truncated: the coded data end too early")


def _windows(data: Array) -> npt.NDArray[np.uint16]:
    single = data.astype(np.uint32)
    wide = (single[:-2] << 16) | (single[1:-1] << 8) | single[2:]
    return (wide[:, None] >> _SHIFTS).astype(np.uint16).ravel()


def values_at(
    piece: Piece, places: Sequence[int] | Array, table: Huffman, mask: int
) -> npt.NDArray[np.int32]:
    """Return the signed values of the symbols that begin at these bits.

    Args:
        mask: what of a symbol is its number of extra bits: 31 for DC and differences, 15 for AC.

    Raises:
        UnreadableError: a code that the table does not have.
    """
    at = np.asarray(places, dtype=np.int64)
    codes = piece.windows[at]
    lengths = table.lengths[codes]
    if not lengths.all():
        raise UnreadableError("its JPEG stream is damaged: a code is not in its table")
    size = (table.symbols[codes] & mask).astype(np.int64)
    extra = np.where(size == 16, 0, size)
    at = at + lengths
    first = at >> 3
    word = np.zeros(at.shape, np.int64)
    for i in range(4):
        word = (word << 8) | piece.data[first + i]
    value = (word >> (32 - (at & 7) - extra)) & ((1 << extra) - 1)
    half = (1 << extra) >> 1
    signed = np.where(value < half, value - (1 << extra) + 1, value)
    return np.where(size == 16, 32768, signed).astype(np.int32)
