"""Store of images kept in `.npy`, HDF5 or MATLAB files with their labels: one file, or a folder of pairs of files."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import DataError, UnreadableError
from headtohead.data.file_problems import truncate_list
from headtohead.data.readers.array_files.array_file import ArrayFile, ArrayInFile
from headtohead.data.readers.array_files.hdf5 import Hdf5File
from headtohead.data.readers.array_files.matlab import open_matlab
from headtohead.data.readers.array_files.npy import NpyFile
from headtohead.data.readers.sniff import HEAD_BYTES, sniff
from headtohead.data.storage.array_roles import (
    class_name_array,
    find_array_parts,
    images_alone,
    is_array_set,
    named_parts,
)
from headtohead.data.storage.array_store import ArrayStore
from headtohead.data.storage.npz_layout import ArrayHeader, Part, check_images
from headtohead.data.storage.patterns import pattern_files

__all__ = ["ARRAY_SUFFIXES", "ArrayFilesStore", "array_set"]

Array = npt.NDArray[Any]

ARRAY_SUFFIXES: Mapping[str, str] = {
    ".npy": "NPY", ".h5": "HDF5", ".hdf5": "HDF5", ".hdf": "HDF5", ".mat": "MAT",
}  # fmt: skip
"""Suffixes of files of arrays, and the format that each is."""


def array_set(folder: Path) -> str:
    """Return the root of the set of array files that lie side by side in a folder (`FOLDER/*.npy`), or "".

    Only names are looked at: some must say images, some labels (`X_train.npy`, `y_train.npy`).

    Raises:
        DataError: sets of several formats, or images without labels beside them.
    """
    by_kind: dict[str, list[str]] = {}
    for path in folder.iterdir():
        suffix = path.suffix.lower()
        if suffix in ARRAY_SUFFIXES and not path.name.startswith("."):
            by_kind.setdefault(suffix, []).append(path.stem)
    sets = [suffix for suffix, stems in sorted(by_kind.items()) if is_array_set(stems)]
    alone = [stem for stems in by_kind.values() for stem in stems if images_alone(stem)]
    if alone and not sets and not any(path.is_dir() for path in folder.iterdir()):
        raise DataError(
            f"{folder} holds {alone[0]} ({truncate_list(sorted(by_kind))}) and no array of labels next to it. Expected "
            "pairs of files such as X_train.npy and y_train.npy, or train_x.h5 and train_y.h5; or point at one file "
            "that holds both."
        )
    if len(sets) > 1:
        raise DataError(
            f"{folder} holds sets of arrays as {' and as '.join(sets)}. Point at one: {folder}/*{sets[0]}."
        )
    return f"{folder}/*{sets[0]}" if sets else ""


class ArrayFilesStore(ArrayStore):
    """Arrays of one file, or of all files that a pattern such as `FOLDER/*.npy` names."""

    def __init__(self, root: str) -> None:
        self.root = root
        path = Path(root)
        self._files: dict[str, ArrayFile] = {}
        self._arrays: dict[str, ArrayInFile] = {}
        self._place: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self._types: dict[str, np.dtype[Any]] = {}
        several = not path.is_file()
        files = pattern_files(root)
        if not files:
            raise DataError(f"No such file: {root}. Check the path of the data.")
        self.format = _kind(files[0])
        self._entries_last = self.format == "MAT"
        for file in files:
            self._add(file, several)

    def _add(self, file: Path, several: bool) -> None:
        try:
            opened = _opened(file)
        except UnreadableError as error:
            raise DataError(f"{file.name} cannot be read: {error}.") from error
        self._files[file.stem] = opened
        for key, stored in opened.arrays.items():
            name = "/".join(word for word in ((file.stem if several or not key else ""), key) if word)
            # entries first, as in the other formats
            shape = stored.shape[-1:] + stored.shape[:-1] if self._is_series(stored) else stored.shape
            if self._is_row(shape):
                shape = (shape[0] * shape[1],)
            self._arrays[name] = ArrayInFile(shape, stored.dtype, stored.is_text)
            self._place[name] = (file.stem, key)

    def _is_series(self, stored: ArrayInFile) -> bool:
        """Tell whether a MATLAB array keeps its entries along the last axis."""
        return self._entries_last and len(stored.shape) in (3, 4)

    def _is_row(self, shape: tuple[int, ...]) -> bool:
        """Tell whether an array is a vector, for which MATLAB has no other shape than 1 x N or N x 1."""
        return self._entries_last and len(shape) == 2 and 1 in shape

    @functools.cached_property
    def parts(self) -> Mapping[str, Part]:
        """Return which arrays belong together, by part.

        Raises:
            DataError: their names and shapes do not tell.
        """
        parts = find_array_parts(self._arrays, self.title)
        self._check(parts)
        return parts

    def _check(self, parts: Mapping[str, Part]) -> None:
        for word, part in parts.items():
            stored = self._arrays[part.images]
            header = ArrayHeader(self._channels_last(stored.shape), False, stored.dtype)
            check_images(self.title, word, part.images, header)

    def used(self, parts: Mapping[str, Part]) -> str:
        """Return which arrays are images and labels, in words."""
        pairs = ", ".join(f"{part.images} with the labels {part.labels}" for part in parts.values())
        turned = [
            part.images for part in parts.values() if _is_channels_first(self._arrays[part.images].shape)
        ]
        return f"; {pairs}" + (
            f" (channels brought to the last axis in {', '.join(turned)})" if turned else ""
        )

    def chosen_parts(self, columns: Mapping[str, str]) -> Mapping[str, Part]:
        """Return the parts, or the one whose arrays were named."""
        if not columns:
            return self.parts
        parts = named_parts(self._arrays, columns, self.title)
        self._check(parts)
        self.parts = parts
        return parts

    @property
    def unused(self) -> list[str]:
        """Return the names of arrays that no part uses."""
        used = {name for part in self.parts.values() for name in part.arrays}
        names = class_name_array(self._arrays)
        return [name for name in self._arrays if name not in used and name != names]

    def array_of(self, word: str) -> str | None:
        """Return the array of this name, which the listing named."""
        return word if word in self._arrays else None

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array, entries first and channels last."""
        return self._channels_last(self._arrays[name].shape)

    def row(self, name: str, index: int) -> Array:
        """Return one entry of an array, read from its file."""
        stem, key = self._place[name]
        entry = self._files[stem].row(key, index)
        if _is_channels_first(self._arrays[name].shape):
            entry = np.moveaxis(entry, 0, -1)
        return entry

    def values(self, name: str) -> Array:
        """Return a whole array, entries first."""
        stem, key = self._place[name]
        try:
            whole = self._files[stem].whole(key)
        except UnreadableError as error:
            raise DataError(f"The array {name!r} in {self.root} cannot be read: {error}.") from error
        if self._is_series(self._files[stem].arrays[key]):
            whole = np.moveaxis(whole, -1, 0)
        return whole.ravel() if self._is_row(whole.shape) else whole

    def label_values(self, part: Part) -> Array:
        """Return the labels of a part as (N,) or (N, k), with the names of the classes where the file gives them."""
        labels = self.values(part.labels)
        while labels.ndim > 1 and labels.shape[-1] == 1:
            labels = labels[..., 0]
        return self._class_names(labels)

    def _class_names(self, labels: Array) -> Array:
        name = class_name_array(self._arrays)
        if name is None or labels.ndim != 1 or labels.dtype.kind not in "bui":
            return labels
        names = self.values(name)
        if names.ndim != 1 or labels.size == 0 or int(labels.min()) < 0 or int(labels.max()) >= len(names):
            return labels
        texts = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in names.tolist()]
        return np.array(texts, dtype=np.str_)[labels.astype(np.int64)]

    def image_type(self, name: str) -> np.dtype[Any]:
        """Return the type that the images of one array are given; the range of wide numbers is looked up once."""
        from headtohead.data.readers.array_files.reader import image_dtype
        from headtohead.data.readers.arrays import narrow

        with self._lock:
            if name not in self._types:
                stored = self._arrays[name]
                found = image_dtype(np.empty(0, stored.dtype))
                # wider than int32: whether an `Image` may have the type depends on the values
                if stored.dtype.kind in "ui" and stored.dtype.itemsize * 8 > 32 - (stored.dtype.kind == "u"):
                    low, high = self._range(name)
                    found = narrow(np.zeros(1, stored.dtype), low, high).dtype
                self._types[name] = found
            return self._types[name]

    def _range(self, name: str) -> tuple[float, float]:
        ends = [
            (float(entry.min()), float(entry.max()))
            for entry in (self.row(name, i) for i in range(self.shape(name)[0]))
        ]
        return min(low for low, _ in ends), max(high for _, high in ends)

    @staticmethod
    def _channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[0], *shape[2:], shape[1]) if _is_channels_first(shape) else shape


def _is_channels_first(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[1] in (1, 3) and shape[-1] not in (1, 3)  # PyTorch's order


def _kind(file: Path) -> str:
    """Return the format of a file by its content."""
    with file.open("rb") as stream:
        kind = sniff(stream.read(HEAD_BYTES))
    if kind not in ARRAY_SUFFIXES.values():
        raise DataError(f"{file.name} is no {file.suffix} file by its content. Get it again from its source.")
    return kind


def _opened(file: Path) -> ArrayFile:
    kind = _kind(file)
    if kind == "NPY":
        return NpyFile(file)
    return Hdf5File(file) if kind == "HDF5" else open_matlab(file)
