"""JPEG Lossless and 12-bit JPEG Extended in NumPy: the two kinds of medical JPEG that Pillow does not read.

The decoders written in C for them are under the GPL, or come in wheels of many other libraries; and this
one cannot be led out of its memory by a hostile stream.

Sources: ITU-T T.81 H (lossless), F.2 (sequential DCT), A.3.3 (inverse DCT), A.3.6 (zigzag).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.jpeg_lossless.huffman import STUCK, Huffman, Piece, values_at, walk
from headtohead.data.readers.jpeg_lossless.markers import BASELINE, EXTENDED, LOSSLESS, JpegFrame, Scan, parse

__all__ = ["decode_jpeg"]

Array = npt.NDArray[Any]
_DAMAGED = "its JPEG stream is damaged"
_END = 64
_BAD = 128


def decode_jpeg(stream: bytes) -> npt.NDArray[np.uint16]:
    """Return the samples of a lossless (8 to 16 bits) or a grey 12-bit sequential JPEG stream.

    The caller has held the claimed size against its limits.

    Returns:
        (H, W) or (H, W, components), as coded: no colours are converted.

    Raises:
        UnreadableError: damaged, truncated, or another process of JPEG.
    """
    frame = parse(stream)
    if frame.process == LOSSLESS:
        return _lossless(frame)
    if frame.process in (EXTENDED, BASELINE) and frame.bits == 12 and len(frame.sampling) == 1:
        return _sequential(frame)
    raise UnreadableError(
        f"its pixels are {frame.bits}-bit JPEG of {len(frame.sampling)} components, process "
        f"{frame.process - 0xC0}, which is not read (lossless and grey 12-bit sequential are); convert it to "
        "an uncompressed transfer syntax"
    )


def _lossless(frame: JpegFrame) -> npt.NDArray[np.uint16]:
    if not 2 <= frame.bits <= 16 or len(set(frame.sampling)) > 1:
        raise UnreadableError("its lossless JPEG has sub-sampled components or an odd depth; not read")
    out = np.empty((len(frame.sampling), frame.rows, frame.columns), np.uint16)
    for scan in frame.scans:
        if not 1 <= scan.selection <= 7 or scan.point >= frame.bits:
            raise UnreadableError(f"{_DAMAGED}: its predictor is not one of 1 to 7")
        for top, height, data in _bands(frame, scan):
            differences = _differences(data, scan.first, height * frame.columns)
            for i, place in enumerate(scan.components):
                band = differences[i :: len(scan.components)].reshape(height, frame.columns)
                start = 1 << (frame.bits - scan.point - 1)
                rebuilt = _predicted(band, scan.selection, start)
                out[place, top : top + height] = rebuilt << scan.point
    return out[0] if len(out) == 1 else np.moveaxis(out, 0, -1)


def _bands(frame: JpegFrame, scan: Scan) -> list[tuple[int, int, bytes]]:
    """Return (top, height, data) of the rows between two restart marks; each is predicted on its own."""
    height = frame.rows
    if scan.restart:
        if scan.restart % frame.columns:
            raise UnreadableError(f"{_DAMAGED}: a restart interval is no whole number of lines")
        height = scan.restart // frame.columns
    tops = range(0, frame.rows, height)
    _check_intervals(scan, len(tops))
    return [
        (top, min(height, frame.rows - top), data) for top, data in zip(tops, scan.intervals, strict=True)
    ]


def _check_intervals(scan: Scan, expected: int) -> None:
    if len(scan.intervals) != expected:
        raise UnreadableError(
            f"{_DAMAGED}: it has {len(scan.intervals)} intervals between restart marks where {expected} are due"
        )


def _differences(data: bytes, tables: tuple[Huffman, ...], units: int) -> npt.NDArray[np.int32]:
    """Return (units x components,) differences in the order of the stream."""
    if any((table.symbols > 16).any() for table in tables):
        raise UnreadableError(f"{_DAMAGED}: a difference of more than 16 bits")
    out = np.empty(units * len(tables), np.int32)
    if all(table is tables[0] for table in tables):  # the components need not be told apart
        tables, units = tables[:1], len(out)
    steps = [table.steps(np.where(table.symbols >= 16, 0, table.symbols)) for table in tables]
    k, filled = len(tables), 0

    def visit(piece: Piece, at: int, left: int) -> tuple[int, int]:
        nonlocal filled
        ahead = [step[piece.windows] for step in steps]
        find = _strided if k == 1 else _in_turn
        places, at = find(ahead, at, piece.end, left)
        for i, table in enumerate(tables):
            out[filled + i : filled + len(places) : k] = values_at(piece, places[i::k], table, 31)
        filled += len(places)
        return at, len(places) // k

    walk(data, units, visit)
    return out


def _strided(ahead: list[Array], at: int, end: int, units: int) -> tuple[Array, int]:
    """Return the bits at which symbols of one table begin, and the bit after the last.

    Three times, each position's way to the next symbol is lengthened by the way from there: the loop
    then makes one step where there are eight symbols, and NumPy fills in the seven between.
    """
    step = ahead[0].astype(np.uint16)
    far, here = step, np.arange(len(step), dtype=np.int32)
    for _ in range(3):
        far = far + far[np.minimum(here + far, len(step) - 1)]
    ways, heads, last = far.data, list[int](), end - 8 * STUCK
    while at < last and units >= 8:
        heads.append(at)
        at += ways[at]
        units -= 8
    columns = [np.asarray(heads, np.int64)]
    for _ in range(7):
        columns.append(columns[-1] + step[columns[-1]])
    rest, at = _in_turn(ahead, at, end, units)
    return np.concatenate([np.stack(columns, axis=1).ravel(), rest]), at


def _in_turn(ahead: list[Array], at: int, end: int, units: int) -> tuple[Array, int]:
    """Return the bits at which symbols begin, each of the tables in its turn, and the bit after the last."""
    steps = [one.tobytes() for one in ahead]
    places: list[int] = []
    while at < end and units:
        for step in steps:
            places.append(at)
            at += step[at]
        units -= 1
    return np.asarray(places, np.int64), at


def _predicted(differences: Array, selection: int, start: int) -> npt.NDArray[np.uint16]:
    """Undo the prediction of a band of (H, W) differences, modulo 2**16 (T.81 H.1.2.1, table H.1)."""
    first = differences.astype(np.int64)
    first[0, 0] += start
    if selection == 1 or len(first) == 1 or first.shape[1] == 1:
        first[:, 0] = np.cumsum(first[:, 0])
        return np.cumsum(first, axis=1).astype(np.uint16)
    first[0] = np.cumsum(first[0]) & 0xFFFF
    for row in range(1, len(first)):
        first[row] = _row(first[row], first[row - 1], selection) & 0xFFFF
    return first.astype(np.uint16)


def _row(line: Array, above: Array, selection: int) -> Array:
    """Return one row from its differences and the row above; its first sample is predicted by the one above."""
    line[0] += above[0]
    if selection == 2:
        line[1:] += above[1:]
    elif selection == 3:
        line[1:] += above[:-1]
    elif selection in (4, 5):
        line[1:] += (above[1:] - above[:-1]) >> (selection - 4)
        return np.cumsum(line)
    else:
        line[:] = _one_by_one(line.tolist(), above.tolist(), selection)
    return line


def _one_by_one(line: list[int], above: list[int], selection: int) -> list[int]:
    """Predictors 6 and 7 halve what they add to, so that no sum over the row gives them."""
    left = line[0] & 0xFFFF
    line[0] = left
    for i in range(1, len(line)):
        halved = above[i] + ((left - above[i - 1]) >> 1), (left + above[i]) >> 1
        left = (line[i] + halved[selection - 6]) & 0xFFFF
        line[i] = left
    return line


def _sequential(frame: JpegFrame) -> npt.NDArray[np.uint16]:
    """Decode a grey image of 8 x 8 blocks."""
    scan, table = frame.scans[0], frame.quantisation[0]
    if table is None or scan.second[0] is None:
        raise UnreadableError(f"{_DAMAGED}: a table that it uses is not there")
    high, wide = -(-frame.rows // 8), -(-frame.columns // 8)
    blocks = np.zeros((high * wide, 64), np.int32)
    per = scan.restart or len(blocks)
    starts = range(0, len(blocks), per)
    _check_intervals(scan, len(starts))
    for start, data in zip(starts, scan.intervals, strict=True):
        _coefficients(data, scan.first[0], scan.second[0], blocks[start : start + per])
    samples = _inverse_dct(blocks, table).reshape(high, wide, 8, 8).swapaxes(1, 2)
    return samples.reshape(high * 8, wide * 8)[: frame.rows, : frame.columns]


def _coefficients(data: bytes, dc: Huffman, ac: Huffman, out: npt.NDArray[np.int32]) -> None:
    """Fill (n, 64) quantised coefficients in zigzag order."""
    if (dc.symbols > 15).any():
        raise UnreadableError(f"{_DAMAGED}: a difference of more than 15 bits")
    steps = dc.steps(dc.symbols), ac.steps(ac.symbols & 15), _advances(ac)
    flat, filled = out.reshape(-1), 0

    def visit(piece: Piece, at: int, left: int) -> tuple[int, int]:
        nonlocal filled
        tables = [step[piece.windows].tobytes() for step in steps]
        begun, places, targets, at = _blocks(tables, at, piece.end, left)
        out[filled : filled + len(begun), 0] = values_at(piece, begun, dc, 31)
        if places:
            flat[np.asarray(targets) + 64 * filled] = values_at(piece, places, ac, 15)
        filled += len(begun)
        return at, len(begun)

    walk(data, len(out), visit)
    out[:, 0] = np.cumsum(out[:, 0], dtype=np.int64).astype(np.int32)


def _advances(ac: Huffman) -> npt.NDArray[np.uint8]:
    """Return (65536,) how many coefficients a symbol moves on; `_END` at a block's end, `_BAD` for no symbol."""
    run, size = ac.symbols >> 4, ac.symbols & 15
    moved = np.where(size > 0, run + 1, np.where(run == 0, _END, np.where(run == 15, 16, _BAD)))
    return np.where(ac.lengths > 0, moved, _BAD).astype(np.uint8)


def _blocks(
    tables: list[bytes], at: int, end: int, blocks: int
) -> tuple[list[int], list[int], list[int], int]:
    """Return where the DC and AC symbols begin, which coefficient each AC symbol is, and the bit after."""
    dc, ac, ahead = tables
    begun: list[int] = []
    places: list[int] = []
    targets: list[int] = []
    base = 0
    while at < end and blocks:
        begun.append(at)
        at += dc[at]
        k = 0
        while k < 63:
            move = ahead[at]
            if move == _END:
                at += ac[at]
                break
            k += move
            if k > 63:
                raise UnreadableError(f"{_DAMAGED}: a code is not in its table, or a block overflows")
            places.append(at)
            targets.append(base + k)
            at += ac[at]
        base, blocks = base + 64, blocks - 1
    return begun, places, targets, at


def _inverse_dct(blocks: Array, table: Array) -> npt.NDArray[np.uint16]:
    """Return (n, 8, 8) samples of 12 bits, some thousand blocks at a time."""
    k, x = np.arange(8)[:, None], np.arange(8)[None, :]
    basis = np.cos((2 * x + 1) * k * np.pi / 16) * np.where(k == 0, np.sqrt(1 / 8), 0.5)
    order = _zigzag()
    out = np.empty((len(blocks), 8, 8), np.uint16)
    for start in range(0, len(blocks), 4096):
        part = blocks[start : start + 4096]
        natural = np.empty(part.shape)
        natural[:, order] = part.astype(np.float64) * table
        waves = basis.T @ natural.reshape(-1, 8, 8) @ basis
        out[start : start + 4096] = np.clip(np.rint(waves + 2048), 0, 4095)
    return out


def _zigzag() -> list[int]:
    """Return the place in an 8 x 8 block, row by row, of each of the 64 coefficients as they are coded."""
    return [
        8 * row + column
        for row, column in sorted(
            ((row, column) for row in range(8) for column in range(8)),
            key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]),
        )
    ]
