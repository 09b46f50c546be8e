"""The images of a source before any is read, as the listing hands them on."""

from __future__ import annotations

from dataclasses import dataclass

from headtohead.data.entry import Entry
from headtohead.data.file_problems import FileProblem
from headtohead.data.listing.left_out import LeftOut
from headtohead.data.listing.manifest import TableListing
from headtohead.data.storage.store import Store

__all__ = ["FROM_TABLE", "ImageListing", "table_listing"]

FROM_TABLE = "the table"
"""Where groups come from that a table gives."""


@dataclass(frozen=True)
class ImageListing:
    """The images of a source, sorted by path, before any is read.

    Attributes:
        problems: files that cannot be listed, with the reason.
        notes: what was assumed. warnings: what the user must not miss.
        left_out: files that are no samples, by reason.
        groups_from: where groups come from, in words. labels_from: where labels come from.
    """

    store: Store
    entries: tuple[Entry, ...]
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    groups_from: str = ""
    warnings: tuple[str, ...] = ()
    labels_from: str = ""


def table_listing(store: Store, table: TableListing, notes: tuple[str, ...] = ()) -> ImageListing:
    """Return the listing of a table, with notes that go before its own."""
    # Folders of a table hold all classes, so they do not tell that of an image without a label.
    left_out = tuple(LeftOut(why, tuple(paths), {}) for why, paths in table.left.items() if paths)
    more = tuple(f"{left}." for left in left_out)
    return ImageListing(
        store,
        table.entries,
        notes=(*notes, *table.notes, *more),
        left_out=left_out,
        groups_from=FROM_TABLE,
        labels_from=table.labels_from,
    )
