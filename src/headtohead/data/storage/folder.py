"""The store of a local folder: links that lead out of it are not followed unless asked for, devices never."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from headtohead.core.errors import DataError, UnreadableError
from headtohead.core.safety.limits import limit, raise_hint
from headtohead.data.storage.store import HEAD, FileEntry, Store

__all__ = ["FolderStore", "refuse_special"]

_SPECIAL = ("/proc", "/sys", "/dev")
_MEMORY = "/dev/shm"  # an ordinary file system below /dev
_LEADS_OUT = "it is a link that leads out of the folder of the data; --follow-links reads such links"


def refuse_special(path: Path) -> None:
    """Refuse what is no data: devices, pipes and sockets, and the folders in which the system shows itself.

    Raises:
        DataError: names the kind.
    """
    real = os.path.realpath(path)  # a link may lead to a device
    if any(_below(real, top) for top in _SPECIAL) and not _below(real, _MEMORY):
        raise DataError(
            f"{path} belongs to the operating system and is no data. Point at a folder of images."
        )
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError(
            f"{path} is a pipe, socket or device, no file. Write what it gives to a file, and point at that."
        )


def _below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")  # "/" ends in one already


class FolderStore(Store):
    """A folder on disk.

    A received folder may hold links to other patients' images on this machine: links that lead out of the folder are
    problems, unless `follow_links` asks for them. Folders that link to each other are not walked in all orders: what
    lies behind a link is walked, and links inside that only where they lead to something new.

    Args:
        root: the folder.
        follow_links: list what links outside the folder lead to.
    """

    def __init__(self, root: Path, *, follow_links: bool = False) -> None:
        self.root = str(root)
        self._folder = root
        self._real = os.path.realpath(root)
        self._follow = follow_links
        self._refused: set[str] = set()

    def files(self) -> Iterator[FileEntry]:
        """Yield all regular files below the folder, and links that are not followed, for the list of problems."""
        seen: set[str] = set()
        waiting: list[tuple[str, bool]] = [
            (str(self._folder), False)
        ]  # folders, and whether they lie behind a link
        links: deque[tuple[str, bool]] = (
            deque()
        )  # walked last, so that what lies in the folder itself is seen first
        n_files = n_behind = 0
        while waiting or links:
            if not waiting:
                start, nested = links.popleft()
                if _is_new(start, nested, seen):
                    waiting.append((start, True))
                continue
            where, behind = waiting.pop()
            n_behind += behind
            if n_behind > limit("folders"):
                raise DataError(
                    f"Links in {self.root} lead to {n_behind:,} folders; {raise_hint('folders')}."
                )
            seen.add(os.path.realpath(where))
            inside = []
            for entry in _scanned(where):
                path = Path(entry.path).relative_to(self._folder).as_posix()
                if entry.is_dir(follow_symlinks=False):
                    inside.append((entry.path, behind))
                elif entry.is_symlink() and self._leads_out(entry.path):
                    yield self._refuse(path)
                elif entry.is_symlink() and os.path.isdir(entry.path):  # noqa: PTH112 - False where links go round
                    links.append((entry.path, behind))
                elif (size := _size(entry)) is not None:
                    n_files += 1
                    if n_files > limit("files"):
                        raise DataError(f"{self.root} holds {n_files:,} files; {raise_hint('files')}.")
                    yield FileEntry(path, size)
            waiting += reversed(inside)  # a stack: the first by name is walked next

    def _refuse(self, path: str) -> FileEntry:
        self._refused.add(path)
        return FileEntry(path, 0)

    def _leads_out(self, path: str) -> bool:
        return not self._follow and not _below(os.path.realpath(path), self._real)

    def links_out(self, paths: Iterable[str]) -> list[str]:
        """Return the paths that seem to lie in the folder, but are (or lie behind) links that lead out of it.

        Args:
            paths: relative to the folder; those with ".." in front say themselves that they lie elsewhere.
        """
        return [
            path for path in paths if not path.startswith("../") and self._leads_out(str(self._folder / path))
        ]

    def read(self, path: str) -> bytes:
        """Return one file's bytes, unless it is larger than any image may be."""
        from headtohead.data.readers import DEFAULT_LIMITS

        content = self._read(path, DEFAULT_LIMITS.bytes + 1)  # one more tells too large from just fitting
        if len(content) > DEFAULT_LIMITS.bytes:
            raise UnreadableError(f"it has more than {DEFAULT_LIMITS.bytes:,} bytes, the limit")
        return content

    def read_prefix(self, path: str) -> bytes:
        """Return the first bytes of one file."""
        return self._read(path, HEAD)

    def _read(self, path: str, most: int) -> bytes:
        """Return at most so many bytes; nothing is read of what is no regular file or says that it is empty.

        A file of /proc says that it has no bytes, and may hold endlessly many.
        """
        from headtohead.data.readers import DEFAULT_LIMITS

        if path in self._refused:
            raise UnreadableError(_LEADS_OUT)
        file = Path(self._folder, path)
        try:
            facts = file.stat()
            if not stat.S_ISREG(facts.st_mode):
                raise UnreadableError("it is no regular file")
            if facts.st_size > DEFAULT_LIMITS.bytes:
                raise UnreadableError(
                    f"it has {facts.st_size:,} bytes; the limit is {DEFAULT_LIMITS.bytes:,}"
                )
            if facts.st_size == 0:
                return b""
            with file.open("rb") as stream:
                # a file that grows meanwhile is read no further than it said
                return stream.read(min(most, max(facts.st_size, HEAD) + 1))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise UnreadableError(f"it cannot be opened: {reason or error}") from error

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        try:
            return Path(self._folder, path).is_file()
        except (OSError, ValueError):
            return False


def _is_new(start: str, nested: bool, seen: set[str]) -> bool:
    """Tell whether a link to a folder is walked: not up to a folder it lies in, and behind a link only to new ones."""
    target = os.path.realpath(start)
    real = [Path(os.path.realpath(parent)) for parent in Path(start).parents]
    above = {str(folder) for parent in real for folder in (parent, *parent.parents)}
    return target not in above and not (nested and target in seen)


def _size(entry: os.DirEntry[str]) -> int | None:
    """Return the bytes of a regular file, 0 of a link that leads nowhere, None of anything else."""
    try:
        facts = entry.stat()
    except OSError:
        return 0 if entry.is_symlink() else None
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _scanned(where: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(where) as found:
            return sorted(found, key=lambda entry: entry.name)  # the file system's order is any
    except OSError as error:
        _refuse_folder(error)
        raise


def _refuse_folder(error: OSError) -> None:
    raise DataError(
        f"The folder {error.filename} cannot be listed: {error.strerror}. Make it readable, or move it."
    )
