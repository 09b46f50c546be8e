"""Image summaries on disk, by content: a second study on the same images computes none of them again.

One SQLite file below the cache folder. A row is written whole or not at all, several processes may write, and a
row that was damaged is computed again: each carries the hash of its bytes. What is kept are figures, local
features and small images; the folder is readable by its owner alone.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.cache_home import cache_home

__all__ = ["SummaryStore", "open_summaries", "pack", "unpack"]

VERSION = 3  # raised whenever what is computed for a row changes
BUSY_SECONDS = 30  # how long a write waits for another process
MOST_BYTES = 4 << 30  # beyond this size of the file, the oldest tenth of the rows goes

Arrays = Mapping[str, npt.NDArray[Any]]


class SummaryStore:
    """Bytes by key and kind in one SQLite file.

    A store that cannot be opened or written (read-only folder, full disk) keeps nothing; the work is then done
    each time, with the same results.

    Args:
        path: of the file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # threads share it under the lock; each statement commits by itself, so a pass holds no
            # transaction open
            database = sqlite3.connect(
                path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            database.execute("PRAGMA journal_mode = WAL")  # readers go on while another process writes
            # with WAL a power cut costs the last rows at most, never the file (sqlite.org/pragma.html)
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, digest BLOB, content BLOB)"
            )
            path.chmod(0o600)
        except (sqlite3.Error, OSError):
            return
        self._database = database
        self._trim(path)

    def get(self, key: str, kind: str) -> bytes | None:
        """Return what was kept, or None where there is nothing, or nothing sound.

        Args:
            key: identifies the image's content. kind: what is kept of it.
        """
        if self._database is None:
            return None
        try:
            with self._lock:
                row = self._database.execute(
                    "SELECT digest, content FROM rows WHERE key = ?", (_name(key, kind),)
                ).fetchone()
        except sqlite3.Error:
            return None
        if row is None or _digest(row[1]) != row[0]:
            return None
        return bytes(row[1])

    def put(self, key: str, kind: str, content: bytes) -> None:
        """Keep bytes under a key and a kind."""
        if self._database is None:
            return
        try:
            with self._lock:
                self._database.execute(
                    "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)",
                    (_name(key, kind), _digest(content), content),
                )
        except sqlite3.Error:
            # Full disk or a locked file: nothing is lost but the time to compute it again.
            self._database = None

    def _trim(self, path: Path) -> None:
        if self._database is None or path.stat().st_size <= MOST_BYTES:
            return
        try:
            self._database.execute(
                # a row that is replaced gets a new rowid, so the smallest were written longest ago
                "DELETE FROM rows WHERE rowid IN (SELECT rowid FROM rows ORDER BY rowid LIMIT "
                "(SELECT COUNT(*) / 10 + 1 FROM rows))"
            )
            # deleted rows only free pages: the file would keep its size, and be trimmed at each start
            self._database.execute("VACUUM")
        except sqlite3.Error:
            self._database = None


def open_summaries() -> SummaryStore:
    """Return the store in the cache folder."""
    return SummaryStore(cache_home() / "summaries" / "images.sqlite")


def pack(facts: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Return plain facts and arrays as bytes; `unpack` gives equal ones back."""
    from safetensors.numpy import save

    # An empty tensor is not stored by every version, so an array without entries is known by its shape alone.
    full = {name: np.ascontiguousarray(array) for name, array in arrays.items() if array.size}
    shapes = {name: [list(array.shape), array.dtype.str] for name, array in arrays.items() if not array.size}
    return save(full, {"facts": json.dumps({"facts": dict(facts), "empty": shapes})})


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]] | None:
    """Return what `pack` was given, or None where the bytes are no such thing."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        # `load` drops metadata; the bytes open with the length of their JSON header, 8 bytes little-endian
        length = int.from_bytes(content[:8], "little")
        stored = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["facts"])
        empty = {name: np.zeros(shape, np.dtype(kind)) for name, (shape, kind) in stored["empty"].items()}
        return stored["facts"], {**arrays, **empty}
    except (SafetensorError, KeyError, ValueError, TypeError):
        return None


def _name(key: str, kind: str) -> str:
    return f"{VERSION}:{kind}:{key}"


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:16]
