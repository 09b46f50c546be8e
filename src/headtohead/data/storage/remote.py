"""Folders and archives on remote storage (`s3://`, `gs://`, …) through fsspec, under our own limits.

Files of a remote folder are fetched one by one, bounded as local ones are. A remote archive, `.npz` or
Parquet file is copied once into a temporary folder, which goes with the process, and opened there by the
same store as a local one: fsspec's own zip and tar filesystems check neither names nor links nor sizes.
"""

from __future__ import annotations

import functools
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from headtohead.core.errors import DataError, MissingExtraError, UnreadableError, UsageError
from headtohead.data.storage.archive.members import ARCHIVE_LIMITS
from headtohead.data.storage.store import HEAD, FileEntry, Store

__all__ = ["RemoteStore", "is_remote", "open_remote", "split_member"]

PROTOCOLS = {"s3": "s3", "gs": "gs", "gcs": "gs", "memory": ""}
"""Protocols that are opened, and the extra that brings each (none for fsspec's own)."""

_BLOCK = 1 << 20  # bytes per read of a copy: memory stays small, requests stay few


def is_remote(source: str) -> bool:
    """Tell whether a source is a URL and not a path.

    >>> is_remote("s3://bucket/scans"), is_remote("scans"), is_remote("C:/scans")
    (True, False, False)
    """
    return "://" in source


def _filesystem(url: str) -> tuple[Any, str]:
    """Return the filesystem of a URL, and the path in it."""
    protocol = url.partition("://")[0]
    if protocol not in PROTOCOLS:
        known = ", ".join(f"{name}://" for name, extra in PROTOCOLS.items() if extra)
        raise UsageError(
            f"Got the data source {url}; expected a path or one of {known}. Download other sources yourself "
            "and give the path of the folder."
        )
    import fsspec

    try:
        return fsspec.core.url_to_fs(url)  # type: ignore[no-any-return]
    except ImportError as error:
        raise MissingExtraError(
            f"Reading {protocol}:// needs a package that is not installed ({error}). Install it with: "
            f"pip install 'headtohead[{PROTOCOLS[protocol]}]'"
        ) from error


def _explained(url: str, action: Callable[[], Any]) -> Any:
    """Return what the action gives; whatever a storage client raises becomes a DataError."""
    try:
        return action()
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"No such file or folder: {url}. Check the address of the data.") from error
    except Exception as error:  # each storage client has exceptions of its own
        raise DataError(
            f"{url} cannot be read: {type(error).__name__}: {' '.join(str(error).split())[:300]}. Check the "
            "address, the network and your credentials."
        ) from error


class RemoteStore(Store):
    """A folder on remote storage; the list of its files is fetched once."""

    def __init__(self, url: str) -> None:
        self.root = url.rstrip("/")
        self._fs, path = _filesystem(self.root)
        self._folder = path.rstrip("/")
        listing = _explained(url, lambda: self._fs.find(self._folder, detail=True))
        self._sizes = {self._relative(name): int(info["size"] or 0) for name, info in listing.items()}
        if not self._sizes:
            raise DataError(f"No such file or folder: {url}. Check the address of the data.")

    def _relative(self, name: str) -> str:
        relative = name.removeprefix(self._folder).lstrip("/")
        if ".." in relative.split("/"):  # keys of object storage may hold any text
            raise DataError(f"{self.root} is refused as unsafe: {relative!a} leads out of the folder.")
        return relative

    def files(self) -> Iterator[FileEntry]:
        """Yield all files below the folder."""
        return (FileEntry(name, size) for name, size in self._sizes.items())

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return path in self._sizes

    def read(self, path: str) -> bytes:
        """Return one file's bytes, unless it is larger than any image may be."""
        from headtohead.data.readers import DEFAULT_LIMITS

        size = self._sizes.get(path, 0)
        if size > DEFAULT_LIMITS.bytes:
            raise UnreadableError(f"it has {size:,} bytes; the limit is {DEFAULT_LIMITS.bytes:,}")
        return self._fetch(path, DEFAULT_LIMITS.bytes)

    def read_prefix(self, path: str) -> bytes:
        """Return the first bytes of one file."""
        return self._fetch(path, HEAD)

    def _fetch(self, path: str, most: int) -> bytes:
        if path not in self._sizes:
            raise UnreadableError(f"there is no such file in {self.root}")
        try:
            with self._fs.open(f"{self._folder}/{path}", "rb") as file:
                return bytes(file.read(most))
        except Exception as error:  # each storage client has exceptions of its own
            raise UnreadableError(f"it cannot be fetched: {type(error).__name__}") from error


_OPENED: dict[str, tuple[str, Store]] = {}
_LOCK = threading.Lock()


def open_remote(url: str, open_file: Callable[[Path], Store], *, refresh: bool = False) -> Store:
    """Open the store at a URL; it is opened once per process and kept.

    Args:
        url: of a folder or of one file.
        open_file: opens a local copy of one file.
        refresh: look whether the storage has changed since, and open it again if so.

    Raises:
        UsageError: a protocol that is not known.
        MissingExtraError: the package for the protocol is not installed.
        DataError: nothing there, or it cannot be read.
    """
    with _LOCK:
        if url in _OPENED and not refresh:
            return _OPENED[url][1]
        fs, path = _filesystem(url)
        fs.invalidate_cache()  # fsspec keeps listings, which would hide a change
        if _explained(url, lambda: fs.isfile(path)):
            version = str(_explained(url, lambda: fs.ukey(path)))
            if url not in _OPENED or _OPENED[url][0] != version:
                _OPENED[url] = (version, _open_copy(url, fs, path, open_file))
        else:
            _OPENED[url] = ("", RemoteStore(url))
        return _OPENED[url][1]


def _open_copy(url: str, fs: Any, path: str, open_file: Callable[[Path], Store]) -> Store:
    """Copy one file into a temporary folder and open it; the folder goes when the store goes."""
    folder = tempfile.TemporaryDirectory(prefix="headtohead-")
    target = Path(folder.name, PurePosixPath(path).name)
    try:
        _explained(url, lambda: _copy(fs, path, target))
        store = open_file(target)
    except BaseException:
        folder.cleanup()
        raise
    store.root = url  # messages and provenance name the source, not the copy
    weakref.finalize(store, folder.cleanup)
    return store


def _copy(fs: Any, path: str, target: Path) -> None:
    n_bytes = 0
    with fs.open(path, "rb") as source, target.open("wb") as copy:
        while block := source.read(_BLOCK):
            n_bytes += len(block)
            if n_bytes > ARCHIVE_LIMITS.total_bytes:
                raise DataError(f"{path} has more than {ARCHIVE_LIMITS.total_bytes:,} bytes, the limit.")
            copy.write(block)


def split_member(url: str) -> tuple[str, str]:
    """Split the URL of a table inside an archive into archive and member; member is "" for any other URL."""
    fs, path = _filesystem(url)
    head, _, _ = url.partition("://")
    for parent in PurePosixPath(path).parents:
        if str(parent) not in ("/", ".") and _explained(url, functools.partial(fs.isfile, str(parent))):
            return f"{head}://{str(parent).lstrip('/')}", str(PurePosixPath(path).relative_to(parent))
    return url, ""
