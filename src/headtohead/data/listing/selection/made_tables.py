"""Listings by a table that was made from the source: rows beside images in one file, small files of labels."""

from __future__ import annotations

from dataclasses import replace

from headtohead.data.containers.sidecars import webdataset_rows
from headtohead.data.listing.left_out import NOT_IMAGES, count_classes
from headtohead.data.listing.manifest import list_rows
from headtohead.data.listing.selection.image_files import ImageFiles
from headtohead.data.listing.selection.image_listing import ImageListing
from headtohead.data.listing.table_reader import SourceTable
from headtohead.data.options import LoadOptions
from headtohead.data.storage.store import Store
from headtohead.data.tables.records import Rows

__all__ = ["list_made_table", "list_sidecars"]


def list_made_table(store: Store, rows: Rows, name: str, options: LoadOptions) -> ImageListing:
    """List the images of a store by a table that was made from it."""
    entries, notes = list_rows(SourceTable(name, tuple(rows[0]), tuple(rows[1])), store, options)
    return ImageListing(store, entries, (), notes, groups_from="the table")


def list_sidecars(store: Store, found: ImageFiles, options: LoadOptions) -> ImageListing | None:
    """List images by the small files of the same key beside them (WebDataset), or None where they hold no labels."""
    files, problems, left = found
    rows = webdataset_rows(store, files, [path for paths in left.values() for path in paths])
    if rows is None:
        return None
    listing = list_made_table(store, rows, "the files of labels beside the images", options)
    kept = {why: paths for why, paths in left.items() if why != NOT_IMAGES}
    missing = sorted(set(files) - {entry.path for entry in listing.entries})
    kept["images without a file of labels"] = missing
    return replace(
        listing,
        problems=tuple(problems),
        left_out=count_classes(kept, listing.entries),
        groups_from="the files of labels",
    )
