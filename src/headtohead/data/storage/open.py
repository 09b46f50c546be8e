"""Choose the store for a path or URL by content, not by suffix."""

from __future__ import annotations

import functools
import os
import zipfile
from pathlib import Path

from headtohead.core.errors import MissingDataError
from headtohead.data.readers.sniff import HEAD_BYTES, sniff
from headtohead.data.storage.archives import TarStore, ZipStore, is_tar
from headtohead.data.storage.array_files import ARRAY_SUFFIXES, ArrayFilesStore
from headtohead.data.storage.folder import FolderStore, refuse_special
from headtohead.data.storage.image_tables.store import TABLE_SUFFIXES, ImageTableStore, holds_images
from headtohead.data.storage.npz import NPZ_LIMITS, NpzStore, is_npz
from headtohead.data.storage.patterns import is_pattern, pattern_base
from headtohead.data.storage.refusal import not_data
from headtohead.data.storage.remote import is_remote, open_remote
from headtohead.data.storage.shards import TAR_SUFFIXES, ShardStore
from headtohead.data.storage.store import Store

__all__ = ["open_store"]


def open_store(root: str, *, refresh: bool = False, follow_links: bool = False) -> Store:
    """Open the store at a path or URL; an unchanged archive is opened once per process and kept.

    Args:
        root: folder, archive or `.npz`, or the URL of one (`s3://bucket/scans`).
        refresh: of a URL: look whether the storage has changed since it was opened.
        follow_links: of a folder: list what links that lead out of it lead to.

    Raises:
        DataError: there is nothing there, or nothing that can be opened.
    """
    if is_remote(root):
        return open_remote(root, _open_local, refresh=refresh)
    path = Path(root)
    try:
        stat = (pattern_base(root) if is_pattern(root) else path).stat()
    except (OSError, ValueError) as error:
        raise MissingDataError(f"No such file or folder: {root}. Check the path of the data.") from error
    if not is_pattern(root):
        refuse_special(path)
    if path.is_dir():
        return FolderStore(path, follow_links=follow_links)
    return _open_file(str(path), stat.st_mtime_ns, stat.st_size, os.getpid())


# A forked process opens its own store: parent and child would move one position in a shared file.
@functools.lru_cache(maxsize=4)
def _open_file(root: str, changed: int, n_bytes: int, process: int) -> Store:  # noqa: ARG001 - the key
    return _open_local(Path(root))


def _open_local(path: Path) -> Store:
    several = is_pattern(str(path))
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES and (several or holds_images(path)):
        return ImageTableStore(str(path))
    if several and path.name.lower().endswith(TAR_SUFFIXES):
        return ShardStore(str(path))
    if several or _is_array_file(path):
        return ArrayFilesStore(str(path))
    if zipfile.is_zipfile(path):
        store = ZipStore(path, NPZ_LIMITS) if path.suffix.lower() == ".npz" else ZipStore(path)
        return NpzStore(path) if is_npz(store) else store
    if is_tar(path):
        return TarStore(path)
    raise not_data(path)


def _is_array_file(path: Path) -> bool:
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES)) in ARRAY_SUFFIXES.values()
