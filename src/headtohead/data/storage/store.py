"""Interface of the stores that hold a data set's files."""

from __future__ import annotations

import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtohead.core.errors import ChangedDataError, UsageError
from headtohead.core.records import Image
from headtohead.data.readers.reading import AS_STORED, Reading
from headtohead.data.readers.volumes.signatures import HEADER_SUFFIXES

if TYPE_CHECKING:
    from headtohead.data.readers import SliceOptions

__all__ = ["AXES", "HEAD", "FileEntry", "Store", "frame_hash", "frame_name"]

AXES = ("axial", "coronal", "sagittal")

HEAD = 8192
"""Bytes of a file's beginning that tell what it is."""


@dataclass(frozen=True, slots=True, order=True)
class FileEntry:
    """One file of a store: path relative to the root with forward slashes, and size in bytes."""

    path: str
    n_bytes: int


class Store(ABC):
    """A place that holds files."""

    root: str

    @abstractmethod
    def files(self) -> Iterator[FileEntry]:
        """Yield all regular files, in any order."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return one file's bytes, or raise UnreadableError."""

    @abstractmethod
    def read_prefix(self, path: str) -> bytes:
        """Return the first bytes of one file."""

    def content(self, path: str) -> bytes:
        """Return one file's bytes, of a header whose data lie next to it (.mhd, .nhdr, .hdr) together with these."""
        content = self.read(path)
        if not path.lower().endswith(HEADER_SUFFIXES):
            return content
        from headtohead.data.readers.volumes.detached import joined

        return joined(path, content, self.read)

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return path in self._paths

    @functools.cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(entry.path for entry in self.files())

    def frames(
        self,
        path: str,  # noqa: ARG002
        content: bytes,
        axis: str = "axial",
        reading: Reading = AS_STORED,
    ) -> tuple[str, int]:
        """Return the format of a file ("PNG", "NIFTI", …) and how many frames it holds, without decoding.

        Raises:
            UnreadableError: the content is no image.
        """
        from headtohead.data.readers import count_frames, sniff

        return sniff(content), count_frames(content, slices=_slice_options(axis), reading=reading)

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
        """Decode one image.

        Args:
            path: which file.
            frame: page, frame or slice from 0; None where the file holds one.
            axis: which way a volume is sliced.
            content: the file's bytes where they are already in memory.
            sha256: what `frame_hash` must give; a mismatch raises ChangedDataError.
            reading: which volume and channels, and how many pixels.
        """
        from headtohead.data.readers import read_image

        content = self.content(path) if content is None else content
        if sha256 is not None and frame_hash(content, frame, axis) != sha256:
            raise ChangedDataError(
                f"{path} in {self.root} is not the file that was listed: its bytes have changed since. Start "
                "a new run on the changed data, or restore the file."
            )
        return read_image(content, frame=frame, slices=_slice_options(axis), reading=reading)


def _slice_options(axis: str) -> SliceOptions:
    from headtohead.data.readers import SliceOptions

    if axis not in AXES:
        raise UsageError(f"Slices along {axis!r} are not known; expected one of {', '.join(AXES)}.")
    return SliceOptions(axis=axis)  # type: ignore[arg-type]


def frame_hash(content: bytes, frame: int | None, axis: str = "axial") -> str:
    """Return the sha256 of a file's bytes; for one frame of several, of the bytes and the frame's name."""
    digest = hashlib.sha256(content)
    if frame is not None:
        digest.update(f"#{frame_name(frame, axis)}".encode())
    return digest.hexdigest()


def frame_name(frame: int, axis: str = "axial") -> str:
    """Return the part of a sample's id after `#`: the number, preceded by the axis if it is not axial."""
    return str(frame) if axis == "axial" else f"{axis}{frame}"
