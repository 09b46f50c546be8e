"""Tell whether two files of a store are copies."""

from __future__ import annotations

from headtohead.core.errors import UnreadableError
from headtohead.data.storage.store import FileEntry, Store

__all__ = ["SameContent"]


class SameContent:
    """Tells whether two files hold the same bytes: by size, then by content."""

    def __init__(self, store: Store, files: dict[str, FileEntry]) -> None:
        self._store = store
        self._files = files

    def __call__(self, a: str, b: str) -> bool:
        """Tell whether both are there with the same bytes."""
        if self._files[a].n_bytes != self._files[b].n_bytes:
            return False
        try:
            return self._store.read(a) == self._store.read(b)
        except UnreadableError:
            return False
