"""Feature rows on disk: one folder per network, recipe and precision, in pieces that are whole or absent."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample

__all__ = ["FeatureCache", "row_key"]

Row = npt.NDArray[np.float32]


def row_key(sample: Sample) -> str:
    """Return the name under which a sample's row is kept.

    The pixel hash, so that copies share a row; for DICOM and volumes the file counts too, because
    its header (window, photometric) takes part in the preparation.
    """
    if sample.format.upper() in ("DICOM", "NIFTI", "NRRD", "METAIMAGE", "MGH"):
        return f"{sample.pixel_hash}:{sample.sha256[:16]}:{sample.frame}"
    return sample.pixel_hash


class FeatureCache:
    """Rows of float32 by key, kept in `.npz` pieces; a killed run loses at most the piece it was writing.

    Pieces carry the sha256 of their rows: a damaged one is named, dropped and computed again.

    Args:
        folder: of the pieces.
        reporter: hears of damaged pieces.
        keep: change nothing in the folder; damaged pieces are passed over.
    """

    def __init__(self, folder: Path, reporter: Reporter = QUIET, *, keep: bool = False) -> None:
        self.folder = folder
        self._rows: dict[str, Row] = {}
        if not keep:
            folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("rows-*.npz")):
            piece = _read(path)
            if piece is None and keep:
                continue
            if piece is None:
                reporter.warning(f"Cached features in {path} are damaged; they are computed again.")
                path.unlink(missing_ok=True)
            else:
                self._rows.update(piece)

    def __len__(self) -> int:
        return len(self._rows)

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Return the distinct keys without a row, sorted."""
        return sorted(set(keys) - self._rows.keys())

    def add(self, rows: Mapping[str, Row]) -> None:
        """Write a piece; the same rows always go to the same file with the same bytes."""
        keys = sorted(rows)
        stacked = np.stack([rows[key] for key in keys]).astype(np.float32)
        digest = _digest(keys, stacked)
        buffer = io.BytesIO()
        np.savez(buffer, keys=np.array(keys), rows=stacked, digest=np.array(digest))
        write_atomic(self.folder / f"rows-{digest[:20]}.npz", buffer.getvalue())
        self._rows.update(zip(keys, stacked, strict=True))

    def get(self, keys: Iterable[str]) -> npt.NDArray[np.float32]:
        """Return rows (n, D) in the order of `keys`.

        Raises:
            UsageError: a key has no row.
        """
        wanted = list(keys)
        absent = [key for key in wanted if key not in self._rows]
        if absent:
            raise UsageError(
                f"{len(absent)} of {len(wanted)} images have no cached row, the first is {absent[0]}."
            )
        return np.stack([self._rows[key] for key in wanted])

    def compact(self) -> None:
        """Join all pieces into one, so that the next call opens one file."""
        pieces = sorted(self.folder.glob("rows-*.npz"))
        if len(pieces) < 2:
            return
        self.add(dict(self._rows))
        whole = self.folder / f"rows-{self._whole_digest()[:20]}.npz"
        for path in pieces:
            if path != whole:
                path.unlink(missing_ok=True)

    def _whole_digest(self) -> str:
        keys = sorted(self._rows)
        return _digest(keys, np.stack([self._rows[key] for key in keys]))


def _digest(keys: list[str], rows: npt.NDArray[np.float32]) -> str:
    whole = hashlib.sha256("\n".join(keys).encode())
    whole.update(repr(rows.shape).encode() + np.ascontiguousarray(rows).tobytes())
    return whole.hexdigest()


def _read(path: Path) -> dict[str, Row] | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as piece:
            keys = [str(key) for key in piece["keys"]]
            rows, digest = piece["rows"], str(piece["digest"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if _digest(keys, rows) != digest:
        return None
    return dict(zip(keys, rows, strict=True))
