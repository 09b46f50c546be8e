"""The files of a source that are meant to be images; what is left out, and why."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from headtohead.core.errors import UnreadableError
from headtohead.data.file_problems import FileProblem
from headtohead.data.listing.left_out import DATA_FILES, by_format, own_outputs
from headtohead.data.listing.mask_files import mask_files
from headtohead.data.readers.volumes.signatures import DATA_SUFFIXES, HEADER_SUFFIXES
from headtohead.data.storage.store import FileEntry, Store

__all__ = ["ImageFiles", "SameContent", "image_files", "is_system_file"]

# "icon\r" is the icon of a macOS folder; a DICOMDIR lists a medium's files and holds no pixels.
SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r", "dicomdir"})
SYSTEM_FOLDERS = frozenset({"__macosx", "$recycle.bin"})


ImageFiles = tuple[dict[str, FileEntry], list[FileProblem], dict[str, list[str]]]
"""Files meant to be images by path, those that cannot be named, and why -> what was left out."""


def image_files(store: Store) -> ImageFiles:
    """Return the files meant to be images by path, those that cannot be named, and why -> what was left out."""
    from headtohead.data.readers import is_candidate

    images: dict[str, FileEntry] = {}
    problems: list[FileProblem] = []
    others: list[str] = []
    for file in sorted(store.files()):
        if not _is_text(file.path):
            # in ASCII, since no report or terminal takes what is no Unicode
            problems.append(FileProblem(ascii(file.path)[1:-1], "its name is not valid Unicode; rename it"))
        elif is_system_file(file.path):
            others.append(file.path)
        else:
            try:
                is_image = is_candidate(file.path, store.read_prefix(file.path))
            except UnreadableError as error:
                problems.append(FileProblem(file.path, str(error)))
                continue
            if is_image:
                images[file.path] = file
            else:
                others.append(file.path)
    beside = _data_files(images, others)
    left = by_format(path for path in others if path not in beside)
    left[DATA_FILES] = sorted(beside)
    own = own_outputs([*images, *others])
    left["files that headtohead wrote"] = sorted(own)
    for why in list(left):
        left[why] = [path for path in left[why] if path not in own or why == "files that headtohead wrote"]
    masks = mask_files(path for path in images if path not in own)
    left["masks of other images"] = sorted(masks)
    return (
        {path: file for path, file in images.items() if path not in own and path not in masks},
        problems,
        left,
    )


def _data_files(images: Iterable[str], others: Iterable[str]) -> set[str]:
    """Return the files that hold the data of headers beside them: `a.raw` of `a.mhd`, `b.img` of `b.hdr`."""
    stems = {_stem(path) for path in images if path.lower().endswith(HEADER_SUFFIXES)}
    return {
        path
        for path in others
        if path.lower().removesuffix(".gz").endswith(DATA_SUFFIXES) and _stem(path) in stems
    }


def _stem(path: str) -> str:
    """Return a path without its suffix: "a" of "a.hdr" and of "a.hdr.gz"."""
    return posixpath.splitext(path[: -len(".gz")] if path.lower().endswith(".gz") else path)[0]


def is_system_file(path: str) -> bool:
    """Tell whether a file is hidden or left behind by an operating system."""
    parts = path.split("/")
    if any(part.startswith(".") or part.casefold() in SYSTEM_FOLDERS for part in parts):
        return True
    return parts[-1].casefold() in SYSTEM_FILES


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class SameContent:
    """Tells whether two files hold the same bytes: by size, then by content."""

    def __init__(self, store: Store, files: dict[str, FileEntry]) -> None:
        self._store = store
        self._files = files

    def __call__(self, a: str, b: str) -> bool:
        """Tell whether two paths hold the same bytes; one that cannot be read is like no other."""
        if self._files[a].n_bytes != self._files[b].n_bytes:
            return False
        try:
            return self._store.read(a) == self._store.read(b)
        except UnreadableError:
            return False
