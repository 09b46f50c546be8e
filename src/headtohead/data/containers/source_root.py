"""Under which root a path is opened: a folder may be a set of arrays, of tables that hold images, or of tar shards."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from headtohead.core.errors import DataError
from headtohead.data.entry import SPLIT_WORDS
from headtohead.data.file_problems import truncate_list
from headtohead.data.readers.sniff import SUFFIXES
from headtohead.data.storage.array_files import ARRAY_SUFFIXES, ArrayFilesStore, array_set
from headtohead.data.storage.folder import FolderStore
from headtohead.data.storage.image_tables.store import TABLE_SUFFIXES, holds_images

__all__ = ["is_image_table", "source_root"]

_PLAIN = SUFFIXES - frozenset(ARRAY_SUFFIXES)
"""Suffixes of images in files of their own."""

_DEPTH = 3
"""How deep files of images are looked for: `config/split/file.parquet`."""


def is_image_table(path: Path) -> bool:
    """Tell whether a file is a Parquet or Arrow table that holds the images themselves."""
    return path.suffix.lower() in TABLE_SUFFIXES and path.is_file() and holds_images(path)


def source_root(path: Path) -> str:
    """Return the root under which a source is opened; the path itself unless it is a folder of container files.

    A file of images without labels (`X_train.npy`) is opened together with the files next to it.

    Raises:
        DataError: the folder can be read in two ways.
    """
    if path.is_file() and path.suffix.lower() in ARRAY_SUFFIXES:
        try:
            alone = bool(ArrayFilesStore(str(path)).parts)
        except DataError:
            alone = False
        return str(path) if alone else array_set(path.parent) or str(path)
    if not path.is_dir():
        return str(path)
    root = array_set(path) or _table_set(path) or _shard_set(path)
    if not root:
        return str(path)
    beside = [
        file.path
        for file in FolderStore(path).files()
        if "/" in file.path and posixpath.splitext(file.path)[1].lower() in _PLAIN
    ]
    if beside:
        raise DataError(
            f"{path} can be read in two ways: the files {root}, or {len(beside)} images in folders, such as "
            f"{beside[0]}. Point at the files ({root}), or at a folder that holds only the images."
        )
    return root


def _table_set(folder: Path) -> str:
    """Return the root of the Parquet or Arrow files with images below a folder, "" if there are none.

    Raises:
        DataError: they lie in several folders that are no splits, as several configurations of a data set do.
    """
    for suffix in TABLE_SUFFIXES:
        # `datasets` keeps the results of map and filter under cache-…
        files = [file for file in _below(folder, suffix) if not file.name.startswith("cache-")]
        if not files or not holds_images(files[0]):
            continue
        homes = sorted(
            {
                posixpath.dirname(file.relative_to(folder).as_posix())
                for file in files
                if file.parent.name.lower() not in SPLIT_WORDS
            }
        )
        if len(homes) > 1:
            raise DataError(
                f"{folder} holds files of images in {len(homes)} folders ({truncate_list(homes, 6)}), perhaps several "
                f"configurations of one data set. Point at one, such as {folder / homes[0]}."
            )
        return f"{folder}/**/*{suffix}"
    return ""


def _below(folder: Path, suffix: str) -> Iterator[Path]:
    for depth in range(_DEPTH):
        for file in sorted(folder.glob("/".join(["*"] * depth + [f"*{suffix}"]))):
            if file.is_file() and not any(p.startswith(".") for p in file.relative_to(folder).parts):
                yield file


def _shard_set(folder: Path) -> str:
    """Return the root of the plain tar archives that are all that a folder holds, "" otherwise."""
    names = [path.name.lower() for path in folder.iterdir() if not path.name.startswith(".")]
    tars = [name for name in names if name.endswith(".tar")]
    # a readme, lists and indexes usually lie beside shards
    others = [
        name for name in names if posixpath.splitext(name)[1] not in (".tar", ".md", ".txt", ".json", ".idx")
    ]
    return f"{folder}/*.tar" if tars and not others else ""
