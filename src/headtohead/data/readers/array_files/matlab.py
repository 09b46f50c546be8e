"""MATLAB files of every level that is read: 5 by our own walk, 7.3 through HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.array_files.array_file import ArrayFile, ArrayInFile
from headtohead.data.readers.array_files.hdf5 import SIGNATURE, Hdf5File
from headtohead.data.readers.array_files.mat5 import ClassicMatFile
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits

__all__ = ["LEVEL_5", "LEVEL_73", "open_matlab"]

Array = npt.NDArray[Any]

LEVEL_5 = b"MATLAB 5.0 MAT-file"
LEVEL_73 = b"MATLAB 7.3 MAT-file"
_SIGNATURE_AT = 512
"""Where the HDF5 part of a level-7.3 file starts."""


class HdfMatFile(ArrayFile):
    """The arrays of a level-7.3 file with their axes in MATLAB's order; fields of a struct are `struct/field`."""

    def __init__(self, source: Path | bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        self._file = Hdf5File(source, limits)
        classes = {name: self._file.attribute(name, "MATLAB_class") for name in self._file.arrays}
        self._text = {name for name, kind in classes.items() if kind == "char"}
        self._logical = {name for name, kind in classes.items() if kind == "logical"}
        self.arrays = {
            name: ArrayInFile(
                stored.shape[::-1],
                np.dtype(np.bool_) if name in self._logical else stored.dtype,
                is_text=name in self._text or stored.is_text,
            )
            for name, stored in self._file.arrays.items()
        }

    def whole(self, name: str) -> Array:
        """Return one array as MATLAB shows it, or its text."""
        values = self._file.whole(name)
        if name in self._text:
            return np.array("".join(chr(int(code)) for code in values.flat if 0 < int(code) < 0x110000))
        plain: Array = values.T
        return plain.astype(np.bool_) if name in self._logical else plain

    def row(self, name: str, index: int) -> Array:
        """Return one entry along MATLAB's last axis, HDF5's first."""
        values: Array = self._file.row(name, index).T
        return np.ascontiguousarray(values.astype(np.bool_) if name in self._logical else values)


def open_matlab(source: Path | bytes, limits: Limits = DEFAULT_LIMITS) -> ArrayFile:
    """Open a MATLAB file.

    Args:
        source: a path, or the whole content.
        limits: how much the file may ask for.

    Raises:
        UnreadableError: damaged, beyond the limits, or of level 4.
    """
    if isinstance(source, bytes):
        front = source[: _SIGNATURE_AT + 8]
    else:
        with source.open("rb") as file:
            front = file.read(_SIGNATURE_AT + 8)
    if front.startswith((LEVEL_73, SIGNATURE)) or front[_SIGNATURE_AT:] == SIGNATURE:
        return HdfMatFile(source, limits)
    if front.startswith(LEVEL_5):
        if isinstance(source, bytes):
            return ClassicMatFile(source, limits)
        if source.stat().st_size > limits.bytes:
            raise UnreadableError(f"it has {source.stat().st_size:,} bytes; the limit is {limits.bytes:,}")
        return ClassicMatFile(source.read_bytes(), limits)
    raise UnreadableError(
        "it is no MATLAB file of level 5 or 7.3 (level 4, or no MATLAB file at all); save it in MATLAB with "
        "save('file.mat', '-v7')"
    )
