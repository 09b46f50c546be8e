"""NumPy's `.npy`: one array, mapped and never unpickled.

Source of the layout: numpy.lib.format (versions 1.0 to 3.0).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.array_files.array_file import ArrayFile, ArrayInFile
from headtohead.data.readers.errors import decoding_errors

__all__ = ["NpyFile"]

Array = npt.NDArray[Any]
_MAX_HEADER = 1 << 16
"""Bytes of the longest header looked at; that of a plain array has 128."""


class NpyFile(ArrayFile):
    """The one array of a `.npy` file, named "" here."""

    def __init__(self, source: Path | bytes) -> None:
        front = source[:_MAX_HEADER] if isinstance(source, bytes) else _front(source)
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        shape, fortran, dtype, offset = _header(front)
        stored = ArrayInFile(shape, dtype, is_text=dtype.kind in "SU")
        if min(shape, default=0) < 0 or offset + stored.n_values * dtype.itemsize > size:
            raise UnreadableError(
                f"its header claims the shape {shape} of {dtype}, more than the {size:,} bytes of the file: truncated "
                "or damaged"
            )
        self.arrays = {"": stored}
        order: Literal["C", "F"] = "F" if fortran else "C"
        if isinstance(source, bytes) or stored.n_values == 0:  # an empty array cannot be mapped
            content = source if isinstance(source, bytes) else source.read_bytes()
            flat: Array = np.frombuffer(content, dtype, stored.n_values, offset)
            self._array: Array = flat.reshape(shape, order=order)
        else:
            self._array = np.memmap(source, dtype, mode="r", offset=offset, shape=shape, order=order)

    def whole(self, name: str) -> Array:
        """Return the array; of a file on disk it is a map, read where it is used."""
        return self._array if name == "" else self._missing(name)

    def row(self, name: str, index: int) -> Array:
        """Return one entry along the first axis."""
        return np.ascontiguousarray(self.whole(name)[index])

    def _missing(self, name: str) -> Array:
        raise UnreadableError(f"there is no array {name!r} in a .npy file")


def _front(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_HEADER)


def _header(front: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, whether the order is Fortran's, type, and where the values start."""
    stream = io.BytesIO(front)
    with decoding_errors("its .npy header is damaged"):
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(stream)
        shape = tuple(int(length) for length in shape)
    if dtype.hasobject:
        raise UnreadableError(
            "it holds Python objects, which only unpickling could read, and that may run any code; save plain "
            "numbers instead"
        )
    if dtype.kind not in "buifSU" or dtype.itemsize == 0:
        raise UnreadableError(f"it holds values of type {dtype}; numbers or text are expected")
    return shape, bool(fortran), dtype, stream.tell()
