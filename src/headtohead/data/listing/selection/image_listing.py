"""The images of a source as they are listed, before any is read."""

from __future__ import annotations

from dataclasses import dataclass

from headtohead.data.entry import Entry
from headtohead.data.file_problems import FileProblem
from headtohead.data.listing.left_out import LeftOut
from headtohead.data.storage.store import Store

__all__ = ["ImageListing"]


@dataclass(frozen=True)
class ImageListing:
    """The images of a source, sorted by path, before any is read."""

    store: Store
    entries: tuple[Entry, ...]
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    groups_from: str = ""
    warnings: tuple[str, ...] = ()
