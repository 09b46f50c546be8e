"""Store of images kept inside Parquet or Arrow files with their labels, as Hugging Face data sets are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from headtohead.core.errors import DataError, UnreadableError
from headtohead.data.entry import SPLIT_WORDS
from headtohead.data.storage.image_tables.files import ImageTable, open_table
from headtohead.data.storage.image_tables.schema import image_columns, schema_of
from headtohead.data.storage.patterns import pattern_base, pattern_files
from headtohead.data.storage.store import HEAD, FileEntry, Store
from headtohead.data.tables.records import Rows

__all__ = ["TABLE_SUFFIXES", "ImageTableStore", "holds_images"]

TABLE_SUFFIXES = (".parquet", ".pq", ".arrow")


def holds_images(path: Path) -> bool:
    """Tell whether a Parquet or Arrow file has a column of images; False where it cannot be read."""
    import pyarrow as pa

    try:
        return bool(image_columns(schema_of(path)))
    except (pa.ArrowException, OSError, ValueError):
        return False


class ImageTableStore(Store):
    """Images inside one file, or inside all files that a pattern such as `FOLDER/**/*.parquet` names."""

    def __init__(self, root: str) -> None:
        self.root = root
        files = pattern_files(root)
        if not files:
            raise DataError(f"No such file: {root}. Check the path of the data.")
        self._base = pattern_base(root)
        self._tables: dict[str, ImageTable] = {}
        for file in files:
            name = file.relative_to(self._base).as_posix()
            table = open_table(file, name)
            if table is not None:
                self._tables[name] = table
        if not self._tables:
            raise DataError(f"{root} holds no column of images (a struct of bytes and path, or bytes).")
        self._names: dict[str, tuple[str, int]] = {}
        self._paths_of = {name: self._listed(name, table) for name, table in self._tables.items()}

    def _listed(self, name: str, table: ImageTable) -> list[str]:
        width = max(6, len(str(table.n_rows)))
        paths = []
        for row, given in enumerate(table.file_names()):
            last = PurePosixPath(given.replace("\\", "/")).name
            path = f"{name}/{row:0{width}d}" + (f"/{last}" if last else "")
            self._names[path] = (name, row)
            paths.append(path)
        return paths

    def rows(self) -> Rows:
        """Return the other columns as a table of text, with the images' paths as the column `path`.

        Numbers that name classes become their names, several labels of one image `A|B`, and a split is read from the
        files' names where no column tells it.
        """
        columns: dict[str, None] = {"path": None}
        parts: list[tuple[str, dict[str, list[str]]]] = []
        splits = {name: _split_of(name) for name in self._tables}
        for name, table in self._tables.items():
            cells = table.cells()
            if all(splits.values()) and "split" not in cells:
                cells["split"] = [splits[name]] * table.n_rows
            cells.pop("path", None)  # the images' own paths take this name
            columns |= dict.fromkeys(cells)
            parts.append((name, cells))
        found = []
        for name, cells in parts:
            n_rows = self._tables[name].n_rows
            known = [self._paths_of[name] if c == "path" else cells.get(c, [""] * n_rows) for c in columns]
            found += list(zip(*known, strict=True))
        return list(columns), found

    def files(self) -> Iterator[FileEntry]:
        """Yield every image; its size is not known before it is read, and given as 0."""
        return (FileEntry(path, 0) for path in self._names)

    def exists(self, path: str) -> bool:
        """Tell whether there is such an image."""
        return path in self._names

    def read(self, path: str) -> bytes:
        """Return one image's bytes as the file holds them."""
        if path not in self._names:
            raise UnreadableError(f"there is no such image in {self.root}")
        name, row = self._names[path]
        content, given = self._tables[name].image(row)
        return content if content is not None else self._beside(given)

    def read_prefix(self, path: str) -> bytes:
        """Return the first bytes of one image."""
        return self.read(path)[:HEAD]

    def _beside(self, given: str) -> bytes:
        """Return the bytes of a file that a row names instead of holding it; only files below known folders."""
        if not given:
            raise UnreadableError("its row holds no image (bytes and path are empty)")
        file = (self._base / given).resolve()
        if not any(file.is_relative_to(folder) for folder in (self._base.resolve(), *_caches())):
            raise UnreadableError("its row names a file outside the data set, which is not opened")
        try:
            return file.read_bytes()
        except OSError as error:
            raise UnreadableError(
                f"the file that its row names cannot be opened: {error.strerror}"
            ) from error


def _split_of(name: str) -> str:
    """Return the split that a file's name begins with, or the folder that it lies in: `data/train-00000-of-00001`.

    >>> _split_of("data/train-00000-of-00001.parquet"), _split_of("test/0.arrow"), _split_of("a.parquet")
    ('train', 'test', '')
    """
    path = PurePosixPath(name.lower())
    words = [*path.stem.replace("_", "-").split("-"), *reversed(path.parts[:-1])]
    return next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), "")


def _caches() -> tuple[Path, ...]:
    """Return the folders in which `datasets` keeps the files that its prepared tables name."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    named = [home, *(Path(os.environ[n]) for n in ("HF_DATASETS_CACHE", "HF_HUB_CACHE") if n in os.environ)]
    return tuple(folder.resolve() for folder in named)
