"""Feature rows on disk: one folder per network, recipe and precision, in pieces that are whole or absent.

A piece is `rows-<digest>.npy`, a matrix of float32 that is read through a memory map, and `rows-<digest>.keys`, the
keys of its rows, sorted, one a line. Pieces are only ever added, so any number of processes may add at a time; small
ones are joined later, by one process at a time.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample

__all__ = ["FeatureCache", "row_key"]

Row = npt.NDArray[np.float32]

PIECE_BYTES = 64 << 20  # of a joined piece: few files for many rows, and little memory to join them
_HASHED_AT_ONCE = 16 << 20  # bytes


def row_key(sample: Sample) -> str:
    """Return the name under which a sample's row is kept.

    The pixel hash, so that copies share a row; for DICOM and volumes the file counts too, because
    its header (window, photometric) takes part in the preparation.
    """
    if sample.format.upper() in ("DICOM", "NIFTI", "NRRD", "METAIMAGE", "MGH"):
        return f"{sample.pixel_hash}:{sample.sha256[:16]}:{sample.frame}"
    return sample.pixel_hash


@dataclass(frozen=True, eq=False)
class _Piece:
    """One piece: its file, the keys of its rows, and the rows (n, D), in memory only as far as they are read."""

    path: Path
    keys: tuple[str, ...]
    rows: Row


class FeatureCache:
    """Rows of float32 by key; a killed run loses at most the piece it was writing.

    Pieces are named by the sha256 of their keys and rows: a damaged one is named, dropped and computed again.

    Args:
        folder: of the pieces.
        reporter: hears of damage.
        check: read every piece and compare its hash; otherwise only its shape is looked at.
        keep: change nothing in the folder; damaged pieces are passed over.
    """

    def __init__(
        self, folder: Path, reporter: Reporter = QUIET, *, check: bool = True, keep: bool = False
    ) -> None:
        self.folder = folder
        self._pieces: list[_Piece] = []
        self._added: list[_Piece] = []
        self._places: dict[str, tuple[_Piece, int]] = {}
        if not keep:
            folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("rows-*.npy")):
            piece = _open(path, check=check)
            if piece is None and keep:
                continue
            if piece is None:
                reporter.warning(f"Cached features in {path} are damaged; they are computed again.")
                _unlink(path)
            else:
                self._know(piece)

    def __len__(self) -> int:
        return len(self._places)

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Return the distinct keys without a row, sorted."""
        return sorted(set(keys) - self._places.keys())

    def add(self, rows: Mapping[str, Row]) -> None:
        """Write a piece; the same rows always go to the same file with the same bytes."""
        keys = tuple(sorted(rows))
        piece = self._write(keys, np.stack([rows[key] for key in keys]).astype(np.float32, copy=False))
        self._added.append(piece)
        self._know(piece)

    def get(self, keys: Iterable[str]) -> npt.NDArray[np.float32]:
        """Return rows (n, D) in the order of `keys`.

        Raises:
            UsageError: a key has no row.
        """
        wanted = list(keys)
        absent = [key for key in wanted if key not in self._places]
        if absent:
            raise UsageError(
                f"{len(absent)} of {len(wanted)} images have no cached row, the first is {absent[0]}."
            )
        targets: dict[Path, tuple[_Piece, list[int], list[int]]] = {}
        for target, key in enumerate(wanted):
            piece, place = self._places[key]
            _, into, source = targets.setdefault(piece.path, (piece, [], []))
            into.append(target)
            source.append(place)
        width = next(iter(targets.values()))[0].rows.shape[1]
        out = np.empty((len(wanted), width), dtype=np.float32)
        for piece, into, source in targets.values():
            out[into] = piece.rows[source]
        return out

    def compact(self, *, added_only: bool = False) -> None:
        """Join small pieces into larger ones, so that the next call opens few files.

        Args:
            added_only: join only what this object added, which is safe beside other processes that join theirs.
        """
        small = [
            piece
            for piece in (self._added if added_only else self._pieces)
            if piece.rows.nbytes < PIECE_BYTES
        ]
        if len(small) < 2:
            return
        keys = sorted({key for piece in small for key in piece.keys})
        step = max(1, PIECE_BYTES // (4 * small[0].rows.shape[1]))
        # written before the small ones go: killed in between, rows are there twice, never missing
        joined = [
            self._write(tuple(part), self.get(part))
            for part in (keys[start : start + step] for start in range(0, len(keys), step))
        ]
        # the same rows have the same name, so a joined piece may be one of the small ones
        kept = {piece.path for piece in joined}
        for piece in small:
            if piece.path not in kept:
                _unlink(piece.path)
        self._pieces = [piece for piece in self._pieces if piece not in small]
        self._added = []
        for piece in joined:
            self._know(piece)

    def _know(self, piece: _Piece) -> None:
        self._pieces.append(piece)
        self._places.update({key: (piece, place) for place, key in enumerate(piece.keys)})

    def _write(self, keys: tuple[str, ...], rows: Row) -> _Piece:
        """Write a piece: the keys first, so that whoever sees the rows finds them."""
        path = self.folder / f"rows-{_digest(keys, rows)[:20]}.npy"
        write_atomic(path.with_suffix(".keys"), "\n".join(keys))
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(rows), allow_pickle=False)
        write_atomic(path, buffer.getvalue())
        return _Piece(path, keys, np.load(path, mmap_mode="r"))


def _digest(keys: tuple[str, ...], rows: Row) -> str:
    whole = hashlib.sha256("\n".join(keys).encode())
    whole.update(repr(rows.shape).encode())
    step = max(1, _HASHED_AT_ONCE // max(1, 4 * rows.shape[1]))
    for start in range(0, len(rows), step):
        whole.update(np.ascontiguousarray(rows[start : start + step]).data)
    return whole.hexdigest()


def _open(path: Path, *, check: bool) -> _Piece | None:
    """Return a piece, or None where it is damaged."""
    try:
        keys = tuple(path.with_suffix(".keys").read_text(encoding="utf-8").split("\n"))
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if rows.ndim != 2 or rows.dtype != np.float32 or len(rows) != len(keys):
        return None
    if check and path.name != f"rows-{_digest(keys, rows)[:20]}.npy":
        return None
    return _Piece(path, keys, rows)


def _unlink(path: Path) -> None:
    """Remove a piece, its rows first: keys alone are no piece."""
    path.unlink(missing_ok=True)
    path.with_suffix(".keys").unlink(missing_ok=True)
