"""Store of an `.npz` in the layout of MedMNIST (`train_images`, `train_labels`, …); nothing is unpickled."""

from __future__ import annotations

import io
import math
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import ChangedDataError, DataError, UnreadableError
from headtohead.core.records import Image
from headtohead.data.entry import SPLIT_WORDS, Entry
from headtohead.data.file_problems import FileProblem, truncate_list
from headtohead.data.storage.archive_members import GIB, ArchiveLimits
from headtohead.data.storage.archives import BROKEN, ZipStore
from headtohead.data.storage.npz_layout import (
    ArrayHeader,
    Part,
    check_images,
    find_parts,
    group_names,
    label_names,
)
from headtohead.data.storage.store import FileEntry, Store, frame_hash

__all__ = ["NpzStore", "is_npz"]

Array = npt.NDArray[Any]
NPZ_LIMITS = ArchiveLimits(entries=1000, member_bytes=32 * GIB)
LONGEST_HEADER = 1 << 16  # shape, order and type of a plain array take about a hundred bytes
IN_MEMORY = 64 << 20
"""Larger arrays are kept in a nameless temporary file and mapped, not held."""


def is_npz(store: ZipStore) -> bool:
    """Tell whether a zip archive holds arrays and nothing else."""
    names = [file.path for file in store.files()]
    return bool(names) and all(name.endswith(".npy") for name in names)


class NpzStore(Store):
    """The images of an `.npz`; each has a path of its own, such as `train/000012`."""

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
    def groups_from(self) -> str:
        """Return in words which arrays give the groups, "" if none does."""
        names = [part.groups for part in self._parts.values() if part.groups is not None]
        return f"the array{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else ""

    def listed(self) -> tuple[tuple[Entry, ...], tuple[FileProblem, ...], tuple[str, ...]]:
        """Return the images with labels, groups and splits, and notes."""
        entries: list[Entry] = []
        for word, part in self._parts.items():
            entries += self._entries(word, part)
        counts = ", ".join(
            f"{self._headers[part.images].shape[0]} {'images' if word == 'all' else word}"
            for word, part in self._parts.items()
        )
        notes = [f"Images read from the arrays of {Path(self.root).name}: {counts}."]
        if self.groups_from:
            known = [entry.group for entry in entries if entry.group is not None]
            notes.append(
                f"Groups are read from {self.groups_from}: {len(set(known))} for {len(known)} images."
            )
            if len(known) < len(entries):
                notes.append(
                    f"{len(entries) - len(known)} images have no id there: each is a group of its own."
                )
        if self._unused:
            notes.append(
                f"Arrays of {Path(self.root).name} that are not used: {truncate_list(self._unused)}."
            )
        return tuple(sorted(entries, key=lambda entry: entry.path)), (), tuple(notes)

    def _entries(self, word: str, part: Part) -> list[Entry]:
        n_images = self._headers[part.images].shape[0]
        labels = label_names(part.labels, self._array(part.labels), n_images)
        groups: list[str | None] = [None] * n_images
        if part.groups is not None:
            groups = group_names(part.groups, self._array(part.groups), n_images)
        split, width = SPLIT_WORDS.get(word), max(6, len(str(n_images)))
        return [
            Entry(f"{word}/{i:0{width}d}", label=label, split=split, group=group)
            for i, (label, group) in enumerate(zip(labels, groups, strict=True))
        ]

    def files(self) -> Iterator[FileEntry]:
        """Yield every image with the size of its pixels."""
        for entry in self.listed()[0]:
            yield FileEntry(entry.path, self._image(entry.path).nbytes)

    def read(self, path: str) -> bytes:
        """Return one image's shape, type and pixels as bytes, for hashing."""
        pixels = self._image(path)
        return f"{pixels.shape}{pixels.dtype.str}".encode() + pixels.tobytes()

    def read_prefix(self, path: str) -> bytes:
        """Return the same as `read`: these images have no file of their own."""
        return self.read(path)

    def frames(self, path: str, content: bytes, axis: str = "axial") -> tuple[str, int]:  # noqa: ARG002
        """Return that each is one image."""
        return "NPZ", 1

    def image(
        self,
        path: str,
        frame: int | None = None,
        *,
        axis: str = "axial",  # noqa: ARG002
        content: bytes | None = None,
        sha256: str | None = None,
    ) -> Image:
        """Return one image."""
        if frame is not None:
            raise UnreadableError(f"frame {frame} was requested; the file holds one image")
        if sha256 is not None and frame_hash(self.read(path) if content is None else content, None) != sha256:
            raise ChangedDataError(
                f"{path} in {self.root} is not the image that was listed. Start a new run."
            )
        return _as_image(self._image(path), self._type_of(path.partition("/")[0]))

    def _image(self, path: str) -> Array:
        part, _, number = path.partition("/")
        if part not in self._parts or not number.isdecimal():
            raise UnreadableError(f"there is no such image in {self.root}")
        pixels = self._array(self._parts[part].images)
        if int(number) >= len(pixels):
            raise UnreadableError(f"there are only {len(pixels)} images in {part!r}")
        source = np.ascontiguousarray(pixels[int(number)])
        return source[..., 0] if source.ndim == 3 and source.shape[-1] == 1 else source

    def _type_of(self, part: str) -> np.dtype[Any]:
        """Return the type that the images of one part are given, the same for all of them."""
        if part not in self._types:
            self._types[part] = _image_type(self._array(self._parts[part].images))
        return self._types[part]

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

    def _array(self, name: str) -> Array:
        with self._lock:
            if name not in self._arrays:
                try:
                    with self._zip.stream(f"{name}.npy") as stream:
                        self._arrays[name] = _load(stream, self._headers[name])
                except BROKEN as error:
                    raise DataError(f"The array {name!r} in {self.root} is damaged: {error}.") from error
            return self._arrays[name]


def _image_type(pixels: Array) -> np.dtype[Any]:
    """Return the type in which an array's images are handed on: its own where an `Image` may have it."""
    from headtohead.data.readers.arrays import narrow

    native = pixels.dtype.newbyteorder("=")
    if native.kind == "f":
        return np.dtype(np.float32)
    if native.kind == "b":
        return np.dtype(np.uint8)
    if native in (np.dtype(kind) for kind in (np.uint8, np.uint16, np.int16, np.int32)) or not pixels.size:
        return native
    return narrow(np.zeros(1, native), float(pixels.min()), float(pixels.max())).dtype


def _as_image(stored: Array, dtype: np.dtype[Any]) -> Image:
    from headtohead.data.readers.arrays import fill_non_finite

    pixels, history = fill_non_finite(stored.astype(dtype))
    mode = "RGB" if pixels.ndim == 3 else "L" if pixels.dtype == np.uint8 else str(pixels.dtype)
    bits = 1 if stored.dtype.kind == "b" else 8 * stored.dtype.itemsize
    notes = (f"Read from an array of {stored.dtype}.", *history)
    return Image(pixels=pixels, bit_depth=bits, mode=mode, format="NPZ", history=notes)


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
    _read_header(stream)
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
        return np.memmap(file, header.dtype, mode="r", shape=header.shape, order=order)
