"""Several tar archives that are one data set (WebDataset shards), each read in place."""

from __future__ import annotations

from collections.abc import Iterator

from headtohead.core.errors import DataError, UnreadableError
from headtohead.data.storage.archives import TarStore, is_tar
from headtohead.data.storage.patterns import pattern_base, pattern_files
from headtohead.data.storage.store import FileEntry, Store

__all__ = ["TAR_SUFFIXES", "ShardStore"]

TAR_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")


class ShardStore(Store):
    """The members of all archives that a pattern such as `FOLDER/*.tar` names, each under its archive's name."""

    def __init__(self, root: str) -> None:
        self.root = root
        base = pattern_base(root)
        self._shards = {
            file.relative_to(base).as_posix(): TarStore(file) for file in pattern_files(root) if is_tar(file)
        }
        if not self._shards:
            raise DataError(f"No tar archive: {root}. Check the path of the data.")

    def files(self) -> Iterator[FileEntry]:
        """Yield all members of all archives."""
        for name, shard in self._shards.items():
            for file in shard.files():
                yield FileEntry(f"{name}/{file.path}", file.n_bytes)

    def read(self, path: str) -> bytes:
        """Return one member's bytes."""
        shard, member = self._where(path)
        return shard.read(member)

    def read_prefix(self, path: str) -> bytes:
        """Return the first bytes of one member."""
        shard, member = self._where(path)
        return shard.read_prefix(member)

    def _where(self, path: str) -> tuple[TarStore, str]:
        parts = path.split("/")  # an archive may lie in a folder of its own: `FOLDER/*/*.tar`
        for stop in range(1, len(parts)):
            if (shard := self._shards.get("/".join(parts[:stop]))) is not None:
                return shard, "/".join(parts[stop:])
        raise UnreadableError(f"there is no such member in {self.root}")
