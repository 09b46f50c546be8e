"""A folder of array files (`X_train.npy` beside `y_train.npy`, PatchCamelyon's `.h5` pairs) as one source."""

from __future__ import annotations

import posixpath
from pathlib import Path

from headtohead.core.errors import DataError
from headtohead.data.readers.sniff import SUFFIXES
from headtohead.data.storage.array_files import ARRAY_SUFFIXES, ArrayFilesStore, array_set
from headtohead.data.storage.store import FolderStore

__all__ = ["array_root"]

_PLAIN = SUFFIXES - frozenset(ARRAY_SUFFIXES)
"""Suffixes of images in files of their own."""


def array_root(path: Path) -> str:
    """Return the root under which a source is opened: the set of array files in a folder, else the path itself.

    A file of images without labels (`X_train.npy`) is opened together with the files beside it.

    Raises:
        DataError: the folder holds such a set, and images in class folders as well.
    """
    if path.is_file() and path.suffix.lower() in ARRAY_SUFFIXES:
        try:
            alone = bool(ArrayFilesStore(str(path)).parts)
        except DataError:
            alone = False
        return str(path) if alone else array_set(path.parent) or str(path)
    if not path.is_dir():
        return str(path)
    root = array_set(path)
    if not root:
        return str(path)
    beside = [
        file.path
        for file in FolderStore(path).files()
        if "/" in file.path and posixpath.splitext(file.path)[1].lower() in _PLAIN
    ]
    if beside:
        raise DataError(
            f"{path} can be read in two ways: the arrays {root}, or {len(beside)} images in folders, such as "
            f"{beside[0]}. Point at the arrays ({root}), or at a folder that holds only the images."
        )
    return root
