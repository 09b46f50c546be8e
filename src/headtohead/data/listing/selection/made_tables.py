"""Listings by a table that was made from the source: rows beside images in one file, small files of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from headtohead.data.containers.detections import coco_rows, yolo_rows
from headtohead.data.containers.sidecars import webdataset_rows
from headtohead.data.listing.left_out import NOT_IMAGES, count_classes
from headtohead.data.listing.manifest import list_rows
from headtohead.data.listing.selection.image_files import ImageFiles
from headtohead.data.listing.selection.image_listing import ImageListing, table_listing
from headtohead.data.listing.table_reader import SourceTable
from headtohead.data.options import LoadOptions
from headtohead.data.storage.store import Store
from headtohead.data.tables.records import Rows

__all__ = ["list_made_table", "list_sidecars"]


def list_made_table(store: Store, rows: Rows, name: str, options: LoadOptions) -> ImageListing:
    """List the images of a store by a table that was made from it."""
    table = SourceTable(name, tuple(rows[0]), tuple(rows[1]))
    return table_listing(store, list_rows(table, store, options))


def list_sidecars(store: Store, found: ImageFiles, options: LoadOptions) -> ImageListing | None:
    """List images by the labels in files beside them (WebDataset, COCO, YOLO), or None where there are none."""
    files, problems, left = found
    others = [path for paths in left.values() for path in paths]
    readings: tuple[tuple[str, Callable[[], Rows | None]], ...] = (
        ("files of the same key (.cls or .json)", lambda: webdataset_rows(store, files, others)),
        ("COCO annotations: the one category of an image's boxes", lambda: coco_rows(store, others)),
        ("YOLO label files: the one class of an image's boxes", lambda: yolo_rows(store, files, others)),
    )
    words, rows = next(
        ((words, rows) for words, read in readings if (rows := read()) is not None), ("", None)
    )
    if rows is None:
        return None
    listing = list_made_table(store, rows, "the labels beside the images", options)
    # the label files are among those that are no images, and are not left out
    kept = {why: paths for why, paths in left.items() if why != NOT_IMAGES}
    named = {entry.path for entry in listing.entries}.union(*(left.paths for left in listing.left_out))
    kept["images without a label beside them"] = sorted(set(files) - named)
    return replace(
        listing,
        notes=(f"Labels are read from {words}.", *listing.notes),
        problems=tuple(problems),
        left_out=(*listing.left_out, *count_classes(kept, listing.entries)),
    )
