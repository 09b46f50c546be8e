"""HDF5 through h5py, bounded: links that leave the file and filters that load code are never followed.

h5py itself reads external files and virtual data sets wherever a file asks for it, so each data set is checked
before its values are read.
"""

from __future__ import annotations

import io
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import MissingExtraError, UnreadableError
from headtohead.core.optional import require
from headtohead.data.readers.array_files.array_file import ArrayFile, ArrayInFile, check_claim
from headtohead.data.readers.errors import decoding_errors
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits

__all__ = ["SIGNATURE", "Hdf5File"]

Array = npt.NDArray[Any]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""How an HDF5 file starts (a user block may come before it)."""

_MAX_ITEMS = 20_000  # of one file; real sets hold a handful of data sets
_MAX_DEPTH = 8  # of groups within groups; real files have three
_FILTERS = frozenset({1, 2, 3, 4, 6, 32000})
"""Numbers of the filters built into HDF5 and h5py: deflate, shuffle, fletcher32, szip, scale-offset, LZF."""

_LOCK = threading.RLock()
"""The HDF5 library is used by one thread at a time."""


class Hdf5File(ArrayFile):
    """The data sets of an HDF5 file, each named by its path in the file without the leading slash."""

    def __init__(self, source: Path | bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        h5py: Any = _h5py()
        self._limits = limits
        with _LOCK, decoding_errors("it is not a readable HDF5 file: damaged or truncated"):
            place = io.BytesIO(source) if isinstance(source, bytes) else source
            self._file = h5py.File(place, "r")
            self._sets: dict[str, Any] = {}
            self._walk(h5py, self._file, "", 0, set())
        self.arrays = {name: _stored(data) for name, data in self._sets.items()}

    def _walk(self, h5py: Any, group: Any, prefix: str, depth: int, seen: set[int]) -> None:
        for name in group:
            if len(self._sets) >= _MAX_ITEMS:
                raise UnreadableError(f"it holds more than {_MAX_ITEMS:,} data sets")
            # soft and external links may lead out of the file
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            item = group[name]
            # hard links may name an object twice, or a group inside itself
            address = int(h5py.h5o.get_info(item.id).addr)
            if address in seen:
                continue
            seen.add(address)
            path = f"{prefix}{name}"
            if isinstance(item, h5py.Dataset):
                if item.shape is not None and _is_usable(h5py, item):
                    self._sets[path] = item
            # MATLAB keeps what cells refer to in #refs#
            elif isinstance(item, h5py.Group) and depth < _MAX_DEPTH and not path.startswith("#"):
                self._walk(h5py, item, f"{path}/", depth + 1, seen)

    def attribute(self, name: str, attribute: str) -> str:
        """Return an attribute of a data set as text, "" where there is none."""
        with _LOCK, decoding_errors(f"the attributes of {name!r} are damaged"):
            value = self._sets[name].attrs.get(attribute, "")
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)

    def whole(self, name: str) -> Array:
        """Return one data set."""
        data = self._checked(name)
        check_claim(name, self.arrays[name], self._limits)
        with _LOCK, decoding_errors(f"the data set {name!r} is damaged"):
            return _plain(np.asarray(data[()]))

    def row(self, name: str, index: int) -> Array:
        """Return one entry along the first axis; only the chunks that hold it are read."""
        data = self._checked(name)
        stored = self.arrays[name]
        check_claim(name, ArrayInFile(stored.shape[1:], stored.dtype), self._limits)
        with _LOCK, decoding_errors(f"the data set {name!r} is damaged"):
            return _plain(np.asarray(data[index]))

    def _checked(self, name: str) -> Any:
        """Return a data set whose values lie in the file and unfold within the limits."""
        data = self._sets.get(name)
        if data is None:
            raise UnreadableError(f"there is no data set {name!r} in the file")
        with _LOCK, decoding_errors(f"the data set {name!r} is damaged"):
            if data.external or data.is_virtual:
                raise UnreadableError(f"the values of {name!r} lie in other files, which are not followed")
            properties = data.id.get_create_plist()
            filters = {int(properties.get_filter(i)[0]) for i in range(properties.get_nfilters())}
            # the library unpacks a chunk whole, however little of it is wanted
            chunk = math.prod(data.chunks or (1,)) * data.dtype.itemsize
        if filters - _FILTERS:
            raise UnreadableError(
                f"the data set {name!r} is packed by an HDF5 filter that is not built in (numbers "
                f"{sorted(filters - _FILTERS)}); save it with gzip or none"
            )
        if chunk > self._limits.unfolded:
            raise UnreadableError(f"a chunk of {name!r} claims {chunk:,} bytes (Limits.unfolded)")
        return data


def _h5py() -> Any:
    try:
        return require("h5py", "formats", "read HDF5 files")
    except MissingExtraError as error:
        raise UnreadableError(f"{error} The file itself is not found damaged") from None


def _is_usable(h5py: Any, data: Any) -> bool:
    return data.dtype.kind in "buifS" or h5py.check_string_dtype(data.dtype) is not None


def _stored(data: Any) -> ArrayInFile:
    return ArrayInFile(tuple(int(n) for n in data.shape), data.dtype, is_text=data.dtype.kind in "SO")


def _plain(values: Array) -> Array:
    """Return values with text of variable length as an array of characters."""
    if values.dtype.kind != "O":
        return values
    texts = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values.flat
    ]
    return np.array(texts, dtype=np.str_).reshape(values.shape)
