"""Received DICOM objects on disk, study by study, until each study has its report."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from headtohead.core.errors import HeadToHeadError

__all__ = ["InboxFullError", "StudyInbox"]

PART = ".part"


class InboxFullError(HeadToHeadError):
    """Received objects wait for their reports and take all the room that they may take."""


class StudyInbox:
    """A folder of received objects.

    An object is written under a temporary name and renamed, so that a file of the inbox is always whole.
    What was received before a crash is found again at the next start. File and folder names are hashes: a
    sender's identifiers never become paths.

    Args:
        folder: made if needed, readable by its owner alone.
        settle_s: seconds without a further object after which a study counts as received.
        most_bytes: of all objects that wait.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settle_s: float = 10.0,
        most_bytes: int = 8 * 2**30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting, self._taken, self._failed = (folder / n for n in ("waiting", "in-work", "failed"))
        for one in (folder, self._waiting, self._taken, self._failed):
            one.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._settle, self._most, self._clock = settle_s, most_bytes, clock
        self._lock = threading.Lock()
        self._written = threading.Condition(self._lock)  # told after each object, written or not
        self._last: dict[str, float] = {}
        self._recover()

    def _recover(self) -> None:
        """Take up what an earlier process left: whole objects wait again, parts are removed."""
        for study in [*self._taken.iterdir()]:  # a list, since the folder changes meanwhile
            for path in study.iterdir():
                home = self._waiting / study.name
                home.mkdir(exist_ok=True, mode=0o700)
                path.replace(home / path.name)
            study.rmdir()
        for study in self._waiting.iterdir():
            for path in study.glob(f"*{PART}"):
                path.unlink()
            self._last[study.name] = self._clock()
        self._bytes = sum(path.stat().st_size for path in self._files())

    def _files(self) -> Iterator[Path]:
        for home in (self._waiting, self._taken, self._failed):
            yield from (path for path in home.rglob("*") if path.is_file())

    @property
    def n_bytes(self) -> int:
        """Bytes of all objects that wait, are in work or failed."""
        return self._bytes

    def put(self, content: bytes, study: str, sop: str) -> None:
        """Keep one object; the same object sent again replaces the first.

        Args:
            content: the DICOM file.
            study, sop: UIDs of its study and of the object.

        Raises:
            InboxFullError: there is no room.
            OSError: the disk does not take it.
        """
        key, name = _hash(study), f"{_hash(sop)}.dcm"
        with self._lock:
            if self._bytes + len(content) > self._most:
                raise InboxFullError(
                    f"{self._bytes:,} bytes of received images wait or failed; the limit is {self._most:,}. Look into "
                    f"{self._failed}, or raise the limit."
                )
            # Counted before it is written: objects that arrive at once cannot pass the limit together.
            self._bytes += len(content)
            home = self._waiting / key
            home.mkdir(exist_ok=True, mode=0o700)
            self._last[key] = self._clock()
            # Made with the lock held: from now on `settled` sees that the study is not whole.
            handle, part = tempfile.mkstemp(dir=home, suffix=PART)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            with self._lock:
                target = home / name
                replaced = target.stat().st_size if target.exists() else 0
                Path(part).replace(target)
                self._bytes -= replaced
                self._last[key] = self._clock()
                self._written.notify_all()
        except BaseException:
            with self._lock:
                Path(part).unlink(missing_ok=True)
                self._bytes -= len(content)
                self._written.notify_all()
            raise

    def settled(self, *, now: bool = False) -> list[str]:
        """Return the studies to which nothing was added for `settle_s` seconds, oldest first.

        Args:
            now: return all that wait, however new.
        """
        with self._lock:
            due = [key for key, at in self._last.items() if now or self._clock() - at >= self._settle]
            return [key for key in sorted(due, key=self._last.__getitem__) if self._is_whole(key)]

    def _is_whole(self, key: str) -> bool:
        paths = [*(self._waiting / key).iterdir()]
        # An object that could not be written leaves an empty folder.
        return bool(paths) and not any(path.suffix == PART for path in paths)

    @contextmanager
    def take(self, key: str) -> Iterator[list[Path]]:
        """Give the files of a study to the block; then they are deleted, or kept under `failed` if it raised.

        An object of the study that is being written is waited for, since its file would be moved away under it.
        """
        with self._lock:
            self._written.wait_for(lambda: not any((self._waiting / key).glob(f"*{PART}")))
            source, home = self._waiting / key, self._taken / key
            source.rename(home)
            del self._last[key]
        try:
            yield sorted(home.iterdir())
        except BaseException:
            self._keep_failed(home)
            raise
        freed = sum(path.stat().st_size for path in home.iterdir())
        shutil.rmtree(home)
        with self._lock:
            self._bytes -= freed

    def _keep_failed(self, home: Path) -> None:
        kept = self._failed / home.name
        kept.mkdir(exist_ok=True, mode=0o700)
        for path in [*home.iterdir()]:  # a list, since the folder changes meanwhile
            target = kept / path.name
            replaced = target.stat().st_size if target.exists() else 0
            path.replace(target)
            with self._lock:
                self._bytes -= replaced
        home.rmdir()


def _hash(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:32]  # 128 bits: short names of which no two meet
