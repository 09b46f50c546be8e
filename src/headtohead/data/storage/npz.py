"""Store of an `.npz` in the layout of MedMNIST (`train_images`, `train_labels`, …); nothing is unpickled."""

from __future__ import annotations

import io
import math
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import DataError
from headtohead.data.storage.archive.members import GIB, ArchiveLimits
from headtohead.data.storage.archives import BROKEN, ZipStore
from headtohead.data.storage.array_store import ArrayStore
from headtohead.data.storage.npz_layout import (
    ArrayHeader,
    Part,
    check_images,
    find_parts,
)

__all__ = ["NpzStore", "is_npz"]

Array = npt.NDArray[Any]
# An array is one member: few, large ones are normal here.
NPZ_LIMITS = ArchiveLimits(entries=1000, member_bytes=32 * GIB)
LONGEST_HEADER = 1 << 16  # shape, order and type of a plain array take about a hundred bytes
IN_MEMORY = 64 << 20
"""Larger arrays are kept in a nameless temporary file and mapped, not held."""


def is_npz(store: ZipStore) -> bool:
    """Tell whether a zip archive holds arrays and nothing else."""
    names = [file.path for file in store.files()]
    return bool(names) and all(name.endswith(".npy") for name in names)


class NpzStore(ArrayStore):
    """The images of an `.npz`."""

    def __init__(self, path: Path) -> None:
        self.root = str(path)
        self._zip = ZipStore(path, NPZ_LIMITS)
        self._lock = threading.Lock()
        self._arrays: dict[str, Array] = {}
        self._types: dict[str, np.dtype[Any]] = {}
        names = sorted(file.path.removesuffix(".npy") for file in self._zip.files())
        self._parts = find_parts(names, path.name)
        used = [name for part in self._parts.values() for name in part.arrays]
        self._unused = [name for name in names if name not in used]
        self._headers = {name: self._header(name) for name in used}
        for word, part in self._parts.items():
            check_images(path.name, word, part.images, self._headers[part.images])

    @property
    def parts(self) -> Mapping[str, Part]:
        """Return which arrays belong together, by part."""
        return self._parts

    @property
    def unused(self) -> list[str]:
        """Return the names of arrays that no part uses."""
        return self._unused

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return self._headers[name].shape

    def row(self, name: str, index: int) -> Array:
        """Return one entry of an array."""
        entry: Array = self.values(name)[index]
        return entry

    def image_type(self, name: str) -> np.dtype[Any]:
        """Return the type that the images of one array are given."""
        from headtohead.data.readers.array_files.reader import image_dtype

        if name not in self._types:
            self._types[name] = image_dtype(self.values(name))
        return self._types[name]

    def _header(self, name: str) -> ArrayHeader:
        """Return an array's header; arrays of Python objects are refused, as they would be unpickled."""
        try:
            with self._zip.stream(f"{name}.npy") as stream:
                header = _read_header(stream)
        except BROKEN as error:
            raise DataError(f"The array {name!r} in {self.root} is damaged: {error}.") from error
        if header.dtype.hasobject:
            raise DataError(
                f"The array {name!r} in {self.root} holds Python objects, which only unpickling could read, "
                "and that may run any code. Save plain numbers or text instead."
            )
        return header

    def values(self, name: str) -> Array:
        """Return a whole array; a large one is mapped."""
        with self._lock:
            if name not in self._arrays:
                try:
                    with self._zip.stream(f"{name}.npy") as stream:
                        self._arrays[name] = _load(stream, self._headers[name])
                except BROKEN as error:
                    raise DataError(f"The array {name!r} in {self.root} is damaged: {error}.") from error
            return self._arrays[name]


def _read_header(stream: IO[bytes]) -> ArrayHeader:
    """Read the header of an array; its length is looked at first, as NumPy reads as much as it claims (to 4 GiB)."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    length = stream.read(2 if version == (1, 0) else 4)
    n_header = int.from_bytes(length, "little")
    if n_header > LONGEST_HEADER:
        raise ValueError(f"its header claims {n_header:,} bytes; expected at most {LONGEST_HEADER:,}")
    return ArrayHeader(*read(io.BytesIO(length + stream.read(n_header))))


def _load(stream: IO[bytes], header: ArrayHeader) -> Array:
    """Read an array: small ones into memory, large ones into a nameless file that is mapped."""
    if min(header.shape, default=0) < 0:
        raise ValueError(f"its header claims the shape {header.shape}")
    n_bytes = math.prod(header.shape) * header.dtype.itemsize
    _read_header(stream)  # leaves the stream at the first value
    order: Literal["F", "C"] = "F" if header.fortran else "C"
    if n_bytes <= IN_MEMORY:
        content = stream.read(n_bytes)
        if len(content) < n_bytes:
            raise ValueError(f"it ends after {len(content)} of {n_bytes} bytes")
        return np.frombuffer(content, header.dtype).reshape(header.shape, order=order)
    with tempfile.TemporaryFile() as file:
        n_read = 0
        while n_read < n_bytes and (block := stream.read(min(1 << 20, n_bytes - n_read))):
            n_read += file.write(block)
        if n_read < n_bytes:
            raise ValueError(f"it ends after {n_read} of {n_bytes} bytes")
        file.flush()
        # the map outlives the file object: the nameless file goes with it
        return np.memmap(file, header.dtype, mode="r", shape=header.shape, order=order)
