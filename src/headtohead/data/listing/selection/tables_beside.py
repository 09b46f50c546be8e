"""Tables beside the images that they name, used where the folders name no classes or the options ask for one."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from headtohead.core.errors import DataError, ManifestError
from headtohead.data.entry import SPLIT_WORDS, Entry
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.file_finder import tables_naming
from headtohead.data.listing.left_out import NOT_IN_TABLE
from headtohead.data.listing.manifest import TableListing, list_manifest, list_member, parse_member
from headtohead.data.listing.selection.image_listing import ImageListing, table_listing
from headtohead.data.options import LoadOptions
from headtohead.data.storage.archives import TarStore, ZipStore
from headtohead.data.storage.folder import FolderStore
from headtohead.data.storage.store import Store

__all__ = ["table_beside", "wants_table"]


def wants_table(options: LoadOptions) -> bool:
    """Tell whether the options are about a table."""
    return bool(options.columns or options.keep_columns or options.label_has or options.drop_unlabelled)


def table_beside(
    store: Store, images: Collection[str], options: LoadOptions, why: str
) -> ImageListing | None:
    """Return the images as the table beside them lists them, None where there is none.

    Tables in train, val and test folders, one in each, are read together (as Hugging Face's `metadata.csv`).

    Args:
        why: why a table is wanted, such as "The folders name no two classes".

    Raises:
        ManifestError: tables name these images, but which one or which column is meant is not clear.
    """
    if not images or not isinstance(store, (FolderStore, ZipStore, TarStore)):
        return None
    naming = tables_naming(store, images, parse_member)
    if not naming:
        return None
    if len(naming) > 1:
        if (parts := _parts(naming)) is not None:
            return _of_parts(store, images, parts, options, why)
        raise ManifestError(
            f"{why}, and {len(naming)} tables name these images: {truncate_list(naming)}. Point at one of them, such "
            f"as {store.root}/{naming[0]}."
        )
    try:
        table = _listed(store, naming[0], options)
    except DataError as error:
        raise ManifestError(
            f"{why}, but {naming[0]} names these images. To use it, point at {store.root}/{naming[0]}. {error}"
        ) from error
    table = _with_unnamed(table, images)
    return table_listing(store, table, (f"{why}; {naming[0]} names these images and is used.",))


def _with_unnamed(table: TableListing, images: Collection[str]) -> TableListing:
    """Return the table with the images that it does not name among those left out."""
    named = {entry.path for entry in table.entries}.union(*table.left.values())
    return replace(table, left={**table.left, NOT_IN_TABLE: sorted(set(images) - named)})


def _listed(store: Store, name: str, options: LoadOptions) -> TableListing:
    """Return what a table lists, with paths relative to the store."""
    if not isinstance(store, FolderStore):
        return list_member(store, name, options)
    _, table = list_manifest(Path(store.root) / name, options)
    folder = posixpath.dirname(name)
    return TableListing(
        tuple(replace(entry, path=_joined(folder, entry.path)) for entry in table.entries),
        table.notes,
        {why: [_joined(folder, path) for path in paths] for why, paths in table.left.items()},
        table.labels_from,
    )


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _parts(naming: Collection[str]) -> dict[str, str] | None:
    """Return table -> train, val or test where each table lies in a folder of such a name of its own, else None."""
    words = {name: posixpath.basename(posixpath.dirname(name)).casefold() for name in naming}
    parts = {name: SPLIT_WORDS[word] for name, word in words.items() if word in SPLIT_WORDS}
    alone = len(set(words.values())) == len(words)
    beside = len({posixpath.dirname(posixpath.dirname(name)) for name in naming}) == 1
    return parts if len(parts) == len(words) and alone and beside else None


def _of_parts(
    store: Store, images: Collection[str], parts: dict[str, str], options: LoadOptions, why: str
) -> ImageListing:
    """Return the tables of the parts as one listing, with the parts as the split."""
    entries: list[Entry] = []
    left: dict[str, list[str]] = defaultdict(list)
    notes: list[str] = []
    sources: list[str] = []
    for name, part in sorted(parts.items()):
        table = _listed(store, name, options)
        entries += [replace(entry, split=entry.split or part) for entry in table.entries]
        notes += table.notes
        sources.append(table.labels_from)
        for reason, paths in table.left.items():
            left[reason] += paths
    said = f"{why}; {truncate_list(sorted(parts))} name these images and are read together."
    whole = TableListing(
        tuple(sorted(entries, key=lambda entry: entry.path)), tuple(notes), left, "; ".join(sources)
    )
    return table_listing(store, _with_unnamed(whole, images), (said,))
