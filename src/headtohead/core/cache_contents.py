"""What lies in the cache: sizes, ages, and removing what is not needed any more.

Only entries that headtohead itself made are counted and removed, known by their folder and name. Links are not
followed: what they lead to lies elsewhere. Everything in the cache can be made again.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from headtohead.core.cache_home import cache_home
from headtohead.core.errors import UsageError, unknown_name

__all__ = [
    "KINDS",
    "CacheEntry",
    "cache_entries",
    "foreign_names",
    "parse_age",
    "remove_entries",
    "select_entries",
]

KINDS: Mapping[str, tuple[str, ...]] = {
    "features": ("*-" + "[0-9a-f]" * 16,),
    "crops": ("*px-" + "[0-9a-f]" * 16,),
    "weights": ("*.safetensors", "*.json", "*.lock"),
    "hub": ("*.json",),
    "networks": ("openvino-" + "[0-9a-f]" * 24, "onnx-" + "[0-9a-f]" * 24),
    "graphs": ("*.onnx", "*.json"),
    "summaries": ("images.sqlite", "images.sqlite-wal", "images.sqlite-shm"),
}
"""Folders of the cache, and the names that headtohead gives to what lies in them."""

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One file or folder of the cache.

    Attributes:
        kind: one of `KINDS`.
        name: of the file or folder; path: where it lies.
        n_bytes: its size, with all files below it.
        age: seconds since something in it was last written.
    """

    kind: str
    name: str
    path: Path
    n_bytes: int
    age: float


def cache_entries(home: Path | None = None) -> list[CacheEntry]:
    """Return what headtohead keeps, largest first.

    Args:
        home: the cache folder; by default `cache_home()`.
    """
    now, found = time.time(), []
    for kind, path in _own(home or cache_home()):
        stats = [file.lstat() for file in _files(path)]
        written = max((stat.st_mtime for stat in stats), default=path.lstat().st_mtime)
        size = sum(stat.st_size for stat in stats)
        # the clock may have been set back
        found.append(CacheEntry(kind, path.name, path, size, max(0.0, now - written)))
    return sorted(found, key=lambda entry: (-entry.n_bytes, entry.kind, entry.name))


def foreign_names(home: Path | None = None) -> list[str]:
    """Return what lies in the cache folder and is not headtohead's, or is a link; it is never removed."""
    home = home or cache_home()
    own = {path for _, path in _own(home)}
    found = []
    for top in _children(home):
        if top.name not in KINDS or top.is_symlink() or not top.is_dir():
            found.append(top.name)
        else:
            found += [f"{top.name}/{path.name}" for path in _children(top) if path not in own]
    return found


def select_entries(
    entries: Iterable[CacheEntry], *, older_than: float = 0.0, kinds: Iterable[str] = ()
) -> list[CacheEntry]:
    """Return the entries of some kinds (all if none is named) that are older than so many seconds.

    Raises:
        UnknownNameError: no such kind.
    """
    wanted = set(kinds)
    for kind in sorted(wanted - KINDS.keys()):
        raise unknown_name("kind of cache entry", kind, KINDS)
    return [one for one in entries if one.age >= older_than and (not wanted or one.kind in wanted)]


def remove_entries(entries: Iterable[CacheEntry]) -> tuple[list[CacheEntry], list[CacheEntry]]:
    """Remove entries; return those that were removed, and those that another process is writing."""
    removed: list[CacheEntry] = []
    busy: list[CacheEntry] = []
    for entry in entries:
        (removed if _remove(entry.path) else busy).append(entry)
    return removed, busy


def parse_age(text: str) -> float:
    """Read "30d", "12h", "8w" or "90m" as seconds; a number alone counts days.

    Raises:
        UsageError: anything else.

    >>> parse_age("2h"), parse_age("1")
    (7200.0, 86400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw]?)", text.strip())
    if found is None:
        raise UsageError(f"Got --older-than {text!r}; expected a number with m, h, d or w, for example 30d.")
    return float(found[1]) * _UNITS[found[2] or "d"]


def _own(home: Path) -> Iterator[tuple[str, Path]]:
    """Yield kind and path of each entry that headtohead made."""
    for kind, patterns in KINDS.items():
        folder = home / kind
        if folder.is_symlink():
            continue
        for path in _children(folder):
            if not path.is_symlink() and any(fnmatch(path.name, pattern) for pattern in patterns):
                yield kind, path


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _files(path: Path) -> list[Path]:
    """Return the files of an entry; links count as links."""
    if not path.is_dir():
        return [path]
    return [Path(folder) / name for folder, _, names in os.walk(path) for name in names]


def _remove(path: Path) -> bool:
    """Remove one entry unless its lock is held; links inside it are removed, not followed."""
    from filelock import FileLock, Timeout

    if not path.is_dir():
        path.unlink(missing_ok=True)
        return True
    try:
        with FileLock(path / ".lock").acquire(timeout=0):
            shutil.rmtree(path)
    except Timeout:
        return False
    return True
