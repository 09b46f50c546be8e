"""MATLAB's MAT-file of level 5 (`save -v6`, `-v7`): numbers, text and structs, without running anything.

`scipy.io.loadmat` unpacks whatever a file claims and follows nested cells to any depth, so the elements are walked
here: each array's shape and place are known before a value is read, and what unfolds is bounded. Source of the
layout: MathWorks, MAT-File Format (R2024), chapter 1.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.array_files.array_file import ArrayFile, ArrayInFile, check_claim
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits, inflate

__all__ = ["ClassicMatFile"]

Array = npt.NDArray[Any]

_HEADER = 128  # bytes, by the format
_COMPRESSED, _MATRIX = 15, 14
_STRUCT, _CHAR = 2, 4
_STORED = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
    16: "u1",
    17: "u2",
}
"""Data types of elements (table 1-1) as numpy codes; 16 and 17 are UTF-8 and UTF-16 text."""
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
"""Array classes that hold numbers (table 1-3)."""
_LOGICAL = 0x0200  # flag bit, by the format
_MAX_DEPTH = 3  # of structs within structs; figshare's has one
_MAX_VARIABLES = 2_000  # of one file; real ones hold a few


@dataclass(frozen=True, slots=True)
class _Element:
    """One data element: type, its bytes, and where the next one starts."""

    kind: int
    data: memoryview
    end: int


@dataclass(frozen=True, slots=True)
class _Values:
    """Where the values of one array lie, and how they are stored."""

    data: memoryview
    stored: np.dtype[Any]
    text: str = ""


class ClassicMatFile(ArrayFile):
    """Arrays of a MAT-file of level 5 by name; fields of a struct are `struct/field`."""

    def __init__(self, content: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        if len(content) < _HEADER or content[126:128] not in (b"IM", b"MI"):
            raise UnreadableError("its MATLAB header is truncated or damaged")
        # the writer stores "MI" as a 16-bit number, whose bytes little endian turns round
        self._order = "<" if content[126:128] == b"IM" else ">"
        self._limits = limits
        self.arrays: dict[str, ArrayInFile] = {}
        self._values: dict[str, _Values] = {}
        whole, at, unfolded = memoryview(content), _HEADER, 0
        try:
            while at + 8 <= len(content) and len(self.arrays) < _MAX_VARIABLES:
                element = self._element(whole, at, padded=False)  # packed ones are not padded
                data, kind = element.data, element.kind
                if kind == _COMPRESSED:
                    plain = inflate(bytes(data), limits.unfolded + 1, limits, wbits=15, exact=False)
                    unfolded += len(plain)
                    inner = self._element(memoryview(plain), 0, padded=False)
                    data, kind = inner.data, inner.kind
                if unfolded > limits.unfolded:
                    raise UnreadableError(
                        f"its variables unfold to more than {limits.unfolded:,} bytes (Limits.unfolded)"
                    )
                if kind == _MATRIX:
                    self._matrix(data, "", 0)
                at = element.end
        except (struct.error, IndexError, ValueError):
            raise UnreadableError("a MATLAB variable is truncated or damaged") from None

    def _element(self, data: memoryview, at: int, *, padded: bool = True) -> _Element:
        """Return the element that starts here; a small one holds its bytes in its own tag."""
        (kind,) = struct.unpack_from(f"{self._order}I", data, at)
        if kind >> 16:
            n_bytes = kind >> 16
            return _Element(kind & 0xFFFF, data[at + 4 : at + 4 + min(n_bytes, 4)], at + 8)
        (n_bytes,) = struct.unpack_from(f"{self._order}I", data, at + 4)
        if at + 8 + n_bytes > len(data):
            raise UnreadableError(
                f"a MATLAB variable claims {n_bytes:,} bytes, more than there are: truncated or damaged"
            )
        end = at + 8 + n_bytes
        return _Element(kind, data[at + 8 : end], end + (-n_bytes % 8 if padded else 0))

    def _matrix(self, data: memoryview, prefix: str, depth: int) -> None:
        """Note the array in an element of type matrix, or the fields of a single struct."""
        if not len(data):
            return
        flags = self._element(data, 0)
        (bits,) = struct.unpack_from(f"{self._order}I", flags.data)
        sizes = self._element(data, flags.end)
        shape = tuple(int(n) for n in np.frombuffer(sizes.data, f"{self._order}i4"))
        label = self._element(data, sizes.end)
        name = prefix if depth else bytes(label.data).decode("latin-1")
        kind = bits & 0xFF
        if kind == _STRUCT and math.prod(shape) == 1 and depth < _MAX_DEPTH:
            self._fields(data, label.end, name, depth)
        elif kind in _CLASSES or kind == _CHAR:
            self._note(self._element(data, label.end), name, shape, bits)

    def _fields(self, data: memoryview, at: int, name: str, depth: int) -> None:
        length = self._element(data, at)
        (width,) = struct.unpack_from(f"{self._order}i", length.data)
        names = self._element(data, length.end)
        if not 0 < width <= 64:  # MATLAB takes 63 letters, and a NUL ends them
            raise UnreadableError("a MATLAB struct has damaged field names")
        at = names.end
        for start in range(0, len(names.data) - width + 1, width):
            field = bytes(names.data[start : start + width]).partition(b"\0")[0].decode("latin-1")
            element = self._element(data, at)
            if element.kind == _MATRIX and len(self.arrays) < _MAX_VARIABLES:
                self._matrix(element.data, f"{name}/{field}", depth + 1)
            at = element.end

    def _note(self, element: _Element, name: str, shape: tuple[int, ...], bits: int) -> None:
        if element.kind not in _STORED:
            raise UnreadableError(f"the MATLAB variable {name!r} is stored in an unknown way")
        stored = np.dtype(f"{self._order}{_STORED[element.kind]}")
        kind = bits & 0xFF
        if kind == _CHAR:
            code = {16: "utf-8", 17: "utf-16-le" if self._order == "<" else "utf-16-be"}.get(element.kind)
            data = bytes(element.data)
            text = (
                data.decode(code, "replace")
                if code
                else "".join(chr(int(n)) for n in np.frombuffer(data[: 1 << 16], stored))
            )
            self.arrays[name] = ArrayInFile(shape, np.dtype("U1"), is_text=True)
            self._values[name] = _Values(element.data, stored, text)
            return
        dtype = np.dtype(np.bool_) if bits & _LOGICAL else np.dtype(_CLASSES[kind])
        found = ArrayInFile(shape, dtype)
        if min(shape, default=0) < 0 or found.n_values * stored.itemsize > len(element.data):
            raise UnreadableError(
                f"the MATLAB variable {name!r} claims the shape {shape}, more than it holds: truncated or damaged"
            )
        self.arrays[name] = found
        self._values[name] = _Values(element.data, stored)

    def whole(self, name: str) -> Array:
        """Return one array as MATLAB shows it, or its text."""
        if name not in self.arrays:
            raise UnreadableError(f"there is no variable {name!r} in the file")
        stored, values = self.arrays[name], self._values[name]
        if stored.is_text:
            return np.array(values.text)
        check_claim(name, stored, self._limits)
        flat: Array = np.frombuffer(values.data, values.stored, stored.n_values)
        # MATLAB stores whole numbers in the smallest type that holds them; the class says what they are
        return flat.reshape(stored.shape, order="F").astype(stored.dtype, copy=False)

    def row(self, name: str, index: int) -> Array:
        """Return one entry along the last axis, in which MATLAB keeps a series."""
        return np.ascontiguousarray(self.whole(name)[..., index])
