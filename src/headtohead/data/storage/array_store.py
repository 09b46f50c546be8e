"""Base of the stores whose images are entries of arrays (`.npz`, `.npy`, HDF5, MATLAB): none has a file of its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import ChangedDataError, NoEffectError, UnreadableError
from headtohead.core.formatting import is_whole
from headtohead.core.records import Image
from headtohead.data.entry import SPLIT_WORDS, Entry
from headtohead.data.file_problems import FileProblem, truncate_list
from headtohead.data.readers.planes import channel_axis, take_channels
from headtohead.data.readers.reading import AS_STORED, Reading
from headtohead.data.readers.slices import AXES
from headtohead.data.storage.npz_layout import Part, group_names, label_names
from headtohead.data.storage.store import FileEntry, Store, frame_hash

__all__ = ["ArrayStore"]

Array = npt.NDArray[Any]


class ArrayStore(Store):
    """Images that are entries of arrays; each has a path of its own, such as `train/000012`.

    Attributes:
        format: the name under which the images' format is told.
    """

    format = "NPZ"

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, Part]:
        """Return which arrays belong together, by part ("train", "all", …)."""

    @property
    @abstractmethod
    def unused(self) -> list[str]:
        """Return the names of arrays that no part uses."""

    @abstractmethod
    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array, entries first and channels last."""

    @abstractmethod
    def row(self, name: str, index: int) -> Array:
        """Return one entry of an array of images: (H, W), (H, W, 1 or 3) or a volume (D, H, W)."""

    @abstractmethod
    def values(self, name: str) -> Array:
        """Return a whole array."""

    @abstractmethod
    def image_type(self, name: str) -> np.dtype[Any]:
        """Return the type that the images of one array are given, the same for all of them."""

    @property
    def title(self) -> str:
        """Return the source's name for messages: of a pattern, with its folder."""
        path = Path(self.root)
        return f"{path.parent.name}/{path.name}" if "*" in path.name else path.name

    @property
    def groups_from(self) -> str:
        """Return in words which arrays give the groups, "" if none does."""
        names = [part.groups for part in self.parts.values() if part.groups is not None]
        return f"the array{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else ""

    def listed(
        self, columns: Mapping[str, str] = {}
    ) -> tuple[tuple[Entry, ...], tuple[FileProblem, ...], tuple[str, ...]]:
        """Return the images with labels, groups and splits, and notes.

        Args:
            columns: role -> array, where the arrays' names do not tell: `{"path": "scans", "label": "dx"}`.
        """
        parts = self.chosen_parts(columns)
        entries: list[Entry] = []
        for word, part in parts.items():
            entries += self._entries(word, part)
        counts = ", ".join(
            f"{self.shape(part.images)[0]} {word if word in SPLIT_WORDS else 'images'}"
            for word, part in parts.items()
        )
        notes = [f"Images read from the arrays of {self.title}: {counts}{self.used(parts)}."]
        groups_from = self.groups_from
        if groups_from:
            known = [entry.group for entry in entries if entry.group is not None]
            notes.append(f"Groups are read from {groups_from}: {len(set(known))} for {len(known)} images.")
            if len(known) < len(entries):
                notes.append(
                    f"{len(entries) - len(known)} images have no id there: each is a group of its own."
                )
        if self.unused:
            notes.append(f"Arrays of {self.title} that are not used: {truncate_list(self.unused)}.")
        return tuple(sorted(entries, key=lambda entry: entry.path)), (), tuple(notes)

    def used(self, parts: Mapping[str, Part]) -> str:  # noqa: ARG002
        """Return more about which arrays are used, "" where their names are the only ones that there can be."""
        return ""

    def chosen_parts(self, columns: Mapping[str, str]) -> Mapping[str, Part]:
        """Return the parts with the arrays that were named, if any were.

        Raises:
            NoEffectError: arrays were named where their names tell already.
        """
        if columns:
            raise NoEffectError(
                f"columns={dict(columns)} has no effect: the arrays of {self.title} tell by their names "
                "which are images and labels. Leave it out."
            )
        return self.parts

    def _entries(self, word: str, part: Part) -> list[Entry]:
        n_images = self.shape(part.images)[0]
        labels = label_names(part.labels, self.label_values(part), n_images)
        groups: list[str | None] = [None] * n_images
        if part.groups is not None:
            groups = group_names(part.groups, self.values(part.groups), n_images)
        # padded, so that paths sort in the order of the entries
        split, width = SPLIT_WORDS.get(word), max(6, len(str(n_images)))
        return [
            Entry(f"{word}/{i:0{width}d}", label=label, split=split, group=group)
            for i, (label, group) in enumerate(zip(labels, groups, strict=True))
        ]

    def label_values(self, part: Part) -> Array:
        """Return the labels of a part, one entry an image."""
        return self.values(part.labels)

    def files(self) -> Iterator[FileEntry]:
        """Yield every image with the size of its pixels."""
        for word, part in self.parts.items():
            n_images = self.shape(part.images)[0]
            width = max(6, len(str(n_images)))
            for i in range(n_images):
                path = f"{word}/{i:0{width}d}"
                yield FileEntry(path, self._pixels(path).nbytes)

    def read(self, path: str) -> bytes:
        """Return one image's shape, type and pixels as bytes, for hashing."""
        pixels = self._pixels(path)
        return f"{pixels.shape}{pixels.dtype.str}".encode() + pixels.tobytes()

    def read_prefix(self, path: str) -> bytes:
        """Return the same as `read`: these images have no file of their own."""
        return self.read(path)

    def frames(
        self,
        path: str,
        content: bytes,  # noqa: ARG002
        axis: str = "axial",
        reading: Reading = AS_STORED,
    ) -> tuple[str, int]:
        """Return the format, and how many slices along the axis; 1 for an image."""
        shape = self.shape(self._where(path)[0])
        if reading.channels and channel_axis(shape[1:]) is not None:
            return self.format, 1
        return self.format, shape[1 + _axis(axis)] if _is_volume(shape) else 1

    def image(
        self,
        path: str,
        frame: int | None = None,
        *,
        axis: str = "axial",
        content: bytes | None = None,
        sha256: str | None = None,
        reading: Reading = AS_STORED,
    ) -> Image:
        """Return one image, or one slice of a volume: `axial` counts along the first axis, as stored."""
        from headtohead.data.readers.array_files.reader import as_image

        data = self.read(path) if content is None else content
        if sha256 is not None and frame_hash(data, frame, axis) != sha256:
            raise ChangedDataError(
                f"{path} in {self.root} is not the image that was listed. Start a new run."
            )
        name, _ = self._where(path)
        stored = self._pixels(path)
        if reading.channels and (number := channel_axis(stored.shape)) is not None:
            taken, history, known = take_channels(np.moveaxis(stored, number, -1), reading.channels)
            return as_image(taken, self.image_type(name), self.format, history, known)
        if not _is_volume(self.shape(name)):
            if frame is not None:
                raise UnreadableError(f"frame {frame} was requested; the file holds one image")
            return as_image(stored, self.image_type(name), self.format)
        along = _axis(axis)
        index = stored.shape[along] // 2 if frame is None else frame
        if not 0 <= index < stored.shape[along]:
            raise UnreadableError(f"slice {index} was requested; the volume has {stored.shape[along]}")
        note = f"Slice {index} of {stored.shape[along]} along axis {along} of the volume taken ({axis}; as stored)."
        facts = {"slice_axis": axis}
        return as_image(
            np.take(stored, index, axis=along), self.image_type(name), self.format, (note,), facts
        )

    def _where(self, path: str) -> tuple[str, int]:
        """Return the array and the entry that a path names: by part, or by the array's own name."""
        word, _, number = path.rpartition("/")
        name = self.array_of(word)
        if name is None and word in self.parts:
            name = self.parts[word].images
        if name is None or not is_whole(number):
            raise UnreadableError(f"there is no such image in {self.root}")
        n_images = self.shape(name)[0]
        if int(number) >= n_images:
            raise UnreadableError(f"there are only {n_images} images in {word!r}")
        return name, int(number)

    def array_of(self, word: str) -> str | None:  # noqa: ARG002
        """Return the array that was named instead of a part, if there is one of that name."""
        return None

    def _pixels(self, path: str) -> Array:
        source = np.ascontiguousarray(self.row(*self._where(path)))
        return source[..., 0] if source.ndim == 3 and source.shape[-1] == 1 else source


def _axis(axis: str) -> int:
    """Return the axis of a volume (D, H, W) that a plane counts: axial 0, coronal 1, sagittal 2."""
    return 2 - AXES[axis]


def _is_volume(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[-1] not in (1, 3)
