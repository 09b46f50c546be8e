"""One Parquet or Arrow file with a column of images.

The images of a Parquet row group are copied once, in bounded steps, into a nameless temporary file, so that an image
read later costs no second decompression; Arrow files are mapped.
"""

from __future__ import annotations

import bisect
import os
import tempfile
import threading
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from headtohead.core.errors import DataError, UnreadableError
from headtohead.data.storage.image_tables.schema import (
    arrow_table,
    cell_text,
    chosen_image,
    class_names,
    has_field,
    image_bytes,
    image_columns,
    is_plain,
    schema_of,
)

__all__ = ["ImageTable", "open_table"]

_BATCH = 32
"""Images held at a time while a row group is copied."""

_GROUP_BYTES = 8 << 30
"""The most that the images of one row group may unfold to."""

_RATIO = 1000.0
Place = tuple[bytes | None, str]
"""An image's bytes, or None, and the file name beside them."""


class ImageTable(ABC):
    """One file with a column of images."""

    def __init__(self, name: str, schema: Any) -> None:
        self.name = name
        self.schema = schema
        self.column = chosen_image(schema, name)
        self.is_struct = bool(schema.field(self.column).type.num_fields)
        self.n_rows = 0

    @abstractmethod
    def column_text(self, name: str) -> list[Any]:
        """Return the values of a column that holds no images."""

    @abstractmethod
    def file_names(self) -> list[str]:
        """Return the file name beside each image, "" where there is none."""

    @abstractmethod
    def image(self, row: int) -> Place:
        """Return one image's bytes and file name."""

    def cells(self) -> dict[str, list[str]]:
        """Return the other columns as text, classes by their names."""
        names = class_names(self.schema)
        skipped = set(image_columns(self.schema))
        plain = [field.name for field in self.schema if field.name not in skipped and is_plain(field.type)]
        return {
            column: [cell_text(value, names.get(column)) for value in self.column_text(column)]
            for column in plain
        }


class _ParquetImages(ImageTable):
    """A Parquet file; row groups are copied when first needed."""

    def __init__(self, path: Path, name: str) -> None:
        import pyarrow.parquet as pq

        self._file = pq.ParquetFile(path)
        super().__init__(name, self._file.schema_arrow)
        weakref.finalize(self, self._file.close)
        meta = self._file.metadata
        counts = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        self._starts = [sum(counts[:i]) for i in range(len(counts))]
        self.n_rows = sum(counts)
        self._check_sizes(meta, path.stat().st_size)
        self._lock = threading.Lock()
        self._copy: Any = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the store
        weakref.finalize(self, self._copy.close)
        self._places: dict[int, list[tuple[int, int]]] = {}
        self._given: list[str] | None = None

    def _check_sizes(self, meta: Any, size: int) -> None:
        for i in range(meta.num_row_groups):
            unfolded = meta.row_group(i).total_byte_size
            # small blank images rightly unfold far, so the ratio counts from 256 MiB up
            if unfolded > _GROUP_BYTES or unfolded > max(_RATIO * size, 1 << 28):
                raise DataError(
                    f"{self.name}: row group {i} claims to unfold to {unfolded:,} bytes from a file of {size:,}. "
                    "Taken for a decompression bomb; write it again in smaller row groups if it is sound."
                )

    def column_text(self, name: str) -> list[Any]:
        """Return the values of a column that holds no images."""
        return list(self._file.read(columns=[name]).column(name).to_pylist())

    def file_names(self) -> list[str]:
        """Return the file name beside each image; the images themselves are not read for it."""
        if self._given is None:
            self._given = [""] * self.n_rows
            if self.is_struct and has_field(self.schema.field(self.column).type, "path"):
                table = self._file.read(columns=[f"{self.column}.path"]).column(self.column)
                self._given = [(value or {}).get("path") or "" for value in table.to_pylist()]
        return self._given

    def image(self, row: int) -> Place:
        """Return one image's bytes and file name."""
        group = bisect.bisect_right(self._starts, row) - 1
        with self._lock:
            if group not in self._places:
                self._places[group] = self._copied(group)
            start, length = self._places[group][row - self._starts[group]]
        given = self.file_names()[row]
        # pread has no position to share, so the lock is not needed
        return (None if length < 0 else os.pread(self._copy.fileno(), length, start)), given

    def _copied(self, group: int) -> list[tuple[int, int]]:
        """Copy the images of a row group; return where each lies."""
        import pyarrow as pa

        leaf = f"{self.column}.bytes" if self.is_struct else self.column
        places: list[tuple[int, int]] = []
        end = self._copy.seek(0, os.SEEK_END)
        try:
            for batch in self._file.iter_batches(_BATCH, row_groups=[group], columns=[leaf]):
                for value in batch.column(0):
                    content = image_bytes(value.as_py())
                    places.append((end, -1 if content is None else len(content)))  # -1: a name alone
                    if content is not None:
                        end += self._copy.write(content)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise UnreadableError(
                f"row group {group} of {self.name} is damaged ({type(error).__name__})"
            ) from error
        self._copy.flush()  # pread sees the file, not Python's buffer
        return places


class _ArrowImages(ImageTable):
    """An Arrow file as the `datasets` package keeps it, mapped."""

    def __init__(self, path: Path, name: str) -> None:
        self._table = arrow_table(path)
        super().__init__(name, self._table.schema)
        self.n_rows = self._table.num_rows

    def column_text(self, name: str) -> list[Any]:
        """Return the values of a column that holds no images."""
        return list(self._table.column(name).to_pylist())

    def file_names(self) -> list[str]:
        """Return the file name beside each image."""
        if not self.is_struct or not has_field(self.schema.field(self.column).type, "path"):
            return [""] * self.n_rows
        import pyarrow.compute as pc

        return [str(v or "") for v in pc.struct_field(self._table.column(self.column), "path").to_pylist()]

    def image(self, row: int) -> Place:
        """Return one image's bytes and file name."""
        value = self._table.column(self.column)[row].as_py()
        given = str(value.get("path") or "") if isinstance(value, dict) else ""
        return image_bytes(value), given


def open_table(path: Path, name: str) -> ImageTable | None:
    """Return a file with images, None for one without.

    Raises:
        DataError: it is damaged.
    """
    import pyarrow as pa

    try:
        if not image_columns(schema_of(path)):
            return None
        return _ArrowImages(path, name) if path.suffix.lower() == ".arrow" else _ParquetImages(path, name)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{name} is not a readable {path.suffix[1:]} file: {error}.") from error
