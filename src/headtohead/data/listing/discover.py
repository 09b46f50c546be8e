"""List the images of a source with their labels; nothing is decoded."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path, PurePosixPath

from headtohead.core.errors import (
    DataError,
    InsufficientDataError,
    ManifestError,
    NoEffectError,
)
from headtohead.data.containers.labels_inside import labels_inside
from headtohead.data.containers.source_root import is_image_table, source_root
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.evidence.measurements import refuse_measurements
from headtohead.data.listing.evidence.name_prefixes import prefix_advice
from headtohead.data.listing.evidence.part_classes import part_differences
from headtohead.data.listing.folder_layout import labels_from_folders
from headtohead.data.listing.label_rules import (
    apply_group_rule,
    apply_label_map,
    compose_labels,
    label_finder,
    spelled_alike,
)
from headtohead.data.listing.left_out import EXCLUDED, count_classes
from headtohead.data.listing.manifest import list_manifest, list_member, manifests_in
from headtohead.data.listing.selection.image_files import ImageFiles, SameContent, image_files, is_system_file
from headtohead.data.listing.selection.image_listing import ImageListing, table_listing
from headtohead.data.listing.selection.made_tables import list_made_table, list_sidecars
from headtohead.data.listing.selection.path_filters import filter_paths
from headtohead.data.listing.selection.refine import answered, filtered, with_cases
from headtohead.data.listing.selection.tables_beside import table_beside, wants_table
from headtohead.data.listing.table_reader import TABLES
from headtohead.data.options import LoadOptions
from headtohead.data.storage.archives import TarStore, ZipStore
from headtohead.data.storage.array_store import ArrayStore
from headtohead.data.storage.folder import FolderStore
from headtohead.data.storage.hugging_face import HF, fetch_hf
from headtohead.data.storage.image_tables.store import ImageTableStore
from headtohead.data.storage.kaggle import KAGGLE, fetch_kaggle
from headtohead.data.storage.open import open_store
from headtohead.data.storage.remote import RemoteStore, is_remote, split_member
from headtohead.data.storage.shards import ShardStore
from headtohead.data.storage.store import Store

__all__ = ["ImageListing", "discover_images"]

Notes = tuple[str, ...]
FROM_FOLDERS = "the folders"
"""Where groups come from that were read from folder names, which `group_from` overrules."""


def discover_images(source: str, options: LoadOptions) -> ImageListing:
    """List the images of a source with their labels, groups and splits.

    Raises:
        DataError: there is no such source, or it is not understood.
    """
    listing = filtered(_opened(source, options), options)
    if not listing.entries:
        return listing
    listing = answered(listing, options)
    # before the map, whose names are composed too: accents typed on another system are the same class
    entries, notes = compose_labels(listing.entries)
    entries, mapped = apply_label_map(entries, options.map_labels, options.drop)
    notes += mapped
    if options.group_from is not None and entries:
        if listing.groups_from == FROM_FOLDERS:
            entries = tuple(replace(entry, group=None) for entry in entries)
        entries, more = apply_group_rule(entries, options.group_from)
        notes += more
        listing = replace(listing, groups_from=f"the paths, by {options.group_from!r}")
    listing = replace(listing, entries=entries, notes=(*listing.notes, *notes))
    refuse_measurements(entries)  # after the map, which may make classes of the numbers
    differing = tuple(map(str, part_differences((entry.split, entry.label) for entry in entries)))
    alike = spelled_alike(entries)
    return with_cases(replace(listing, warnings=(*listing.warnings, *differing, *alike)))


def _opened(source: str, options: LoadOptions) -> ImageListing:
    """List a source of any kind, before labels are renamed or dropped."""
    if is_remote(source):
        return _list_remote(source, options)
    notes: tuple[str, ...] = ()
    if source.startswith(KAGGLE):
        path, note = fetch_kaggle(source.removeprefix(KAGGLE))
        notes = (note,)
    elif source.startswith(HF):
        root, note = fetch_hf(source.removeprefix(HF))
        path, notes = Path(root), (note,)
    else:
        path = Path(source).expanduser().absolute()
    # a Parquet file is a list of images, or holds the images themselves
    if path.suffix.lower() in TABLES and path.is_file() and not is_image_table(path):
        _refuse_label_from(options, path.name)
        return table_listing(*list_manifest(path, options))
    # a path may lead into an archive: scans.zip/labels.csv
    archive = next((parent for parent in (path, *path.parents) if parent.is_file()), None)
    if archive is not None and archive != path:
        store = open_store(str(archive))
        if not isinstance(store, (ArrayStore, ImageTableStore)):
            return _list_table(store, path.relative_to(archive).as_posix(), options)
    listing = _list_store(open_store(source_root(path), follow_links=options.follow_links), source, options)
    return replace(listing, notes=(*notes, *listing.notes))


def _list_remote(url: str, options: LoadOptions) -> ImageListing:
    """List a URL: a table beside its images or inside an archive, an archive, or a folder."""
    if PurePosixPath(url).suffix.lower() not in TABLES:
        # refresh: it may have changed since this process opened it
        return _list_store(open_store(url, refresh=True), url, options)
    archive, member = split_member(url)
    if not member:
        archive, _, member = url.rpartition("/")  # no archive on the way: the folder of the table
    return _list_table(open_store(archive, refresh=True), member, options)


def _list_table(store: Store, member: str, options: LoadOptions) -> ImageListing:
    _refuse_label_from(options, member)
    return _member(store, member, options)


def _list_store(store: Store, source: str, options: LoadOptions) -> ImageListing:
    """List the only table of an archive if there is one, else the images by their places.

    Labels read from paths (`label_from`) go before a table that was not named.

    Raises:
        ManifestError: an archive with several tables that name members.
        NoEffectError: options for a table where there is none.
    """
    if isinstance(store, ArrayStore):
        return _list_arrays(store, source, options)
    if isinstance(store, ImageTableStore):
        _refuse_label_from(options, PurePosixPath(source).name)
        return list_made_table(store, store.rows(), PurePosixPath(source).name, options)
    # shards have no class folders, and columns may name keys of the records beside the images
    if options.label_from is None and (isinstance(store, ShardStore) or options.columns):
        told = list_sidecars(store, image_files(store), options)
        if told is not None:
            return told
    if isinstance(store, (ZipStore, TarStore)) and options.label_from is None:
        tables = [name for name in manifests_in(store, options.columns) if not is_system_file(name)]
        if len(tables) > 1:
            raise ManifestError(
                f"{PurePosixPath(source).name} holds {len(tables)} tables that name its images: "
                f"{truncate_list(tables)}. Point at one of them, such as {store.root}/{tables[0]}, or read labels "
                "from the paths with label_from."
            )
        if tables:
            return _member(store, tables[0], options)
    return _list_files(store, source, options)


def _refuse_table_options(options: LoadOptions, source: str) -> None:
    for name, value in (
        ("columns", dict(options.columns)),
        ("keep_columns", options.keep_columns),
        ("drop_unlabelled", options.drop_unlabelled),
    ):
        if value:
            raise NoEffectError(
                f"{name}={value} has no effect: {source} is no table and holds none that names its "
                "images. Leave it out."
            )


def _list_arrays(store: ArrayStore, source: str, options: LoadOptions) -> ImageListing:
    """List the images of arrays; `columns` may name the arrays of images, labels and groups."""
    _refuse_label_from(options, PurePosixPath(source).name)
    _refuse_table_options(replace(options, columns={}), source)
    return ImageListing(
        store,
        *store.listed(options.columns),
        groups_from=store.groups_from,
        labels_from="the arrays of labels",
    )


def _member(store: Store, member: str, options: LoadOptions) -> ImageListing:
    """List a table of an archive or of a remote folder."""
    listing = table_listing(store, list_member(store, member, options))
    listed = {entry.path for entry in listing.entries} | {p for left in listing.left_out for p in left.paths}
    others = [path for path in image_files(store)[0] if path not in listed]
    if not others or isinstance(store, RemoteStore):
        return listing
    note = f"{len(others)} images of the archive are not in {member}: {truncate_list(others, 5)}."
    return replace(listing, notes=(*listing.notes, note))


def _refuse_label_from(options: LoadOptions, name: str) -> None:
    if options.label_from is not None:
        raise NoEffectError(f"label_from has no effect: {name} carries its labels. Leave it out.")


def _list_files(store: Store, source: str, options: LoadOptions) -> ImageListing:
    """List a folder or an archive by the places of its files."""
    files, problems, left = image_files(store)
    # before labels are read, so that what is left out does not decide the classes
    kept = filter_paths(files, options.include, options.exclude)
    left[EXCLUDED] = sorted(files.keys() - kept)
    files = {path: file for path, file in files.items() if path in kept}
    if options.label_from is None and wants_table(options):
        beside = _without(table_beside(store, files, options, "The options ask for a table"), left[EXCLUDED])
        if beside is not None:
            return replace(beside, left_out=(*beside.left_out, *count_classes(left, beside.entries)))
    _refuse_table_options(options, source)
    label_of = None if options.label_from is None else label_finder(options.label_from)
    inside = None if label_of is not None else labels_inside(store, files)
    if inside is not None:
        return ImageListing(
            store,
            inside.entries,
            (*problems, *inside.problems),
            inside.notes,
            count_classes(left, inside.entries),
            inside.groups_from,
            labels_from="the files themselves",
        )
    return _list_by_path(store, (files, problems, left), label_of, options)


def _list_by_path(
    store: Store,
    found: ImageFiles,
    label_of: Callable[[str], str] | None,
    options: LoadOptions,
) -> ImageListing:
    """List images by their folders or by a rule for their paths; by a table where the folders name no classes."""
    files, problems, left = found
    placed = labels_from_folders(files, SameContent(store, files), label_of)
    if label_of is not None and files and not placed.entries:
        raise DataError(
            f"label_from={options.label_from!r} matches none of {len(files)} paths, such as "
            f"{truncate_list(sorted(files), 3)}. It is searched in the path relative to {store.root}; its first "
            "group is the label."
        )
    entries = tuple(sorted(placed.entries, key=lambda entry: entry.path))
    left_out = count_classes(left, entries)
    if label_of is None and (placed.doubt or len({entry.label for entry in entries}) < 2):
        why = placed.doubt.partition(".")[0] or "The folders name no two classes"
        if (told := _without(list_sidecars(store, found, options), left[EXCLUDED])) is not None:
            return told
        beside = _without(table_beside(store, files, options, why), left[EXCLUDED])
        if beside is not None:
            return replace(beside, left_out=(*beside.left_out, *left_out))
        if placed.doubt:
            raise InsufficientDataError(placed.doubt)
        if advice_on_names := prefix_advice(files):
            raise InsufficientDataError(f"The folders name no two classes. {advice_on_names}")
    notes = [f"{left}." for left in left_out]
    if not entries and isinstance(store, (FolderStore, RemoteStore)):
        notes += [f"There is a table: to use it, point at {name}." for name in _tables(store)]
    source = "the names of the folders" if label_of is None else f"the paths, by {options.label_from!r}"
    if placed.ignored:
        source += f"; folders inside them are ignored ({truncate_list(placed.ignored, 3)})"
    return ImageListing(
        store,
        entries,
        (*problems, *placed.problems),
        (*notes, *placed.notes),
        left_out,
        FROM_FOLDERS,
        labels_from=source,
    )


def _without(listing: ImageListing | None, gone: Collection[str]) -> ImageListing | None:
    """Return a table's listing without images that the options leave out, which the table names all the same."""
    if listing is None or not gone:
        return listing
    left = frozenset(gone)
    return replace(listing, entries=tuple(entry for entry in listing.entries if entry.path not in left))


def _tables(store: Store) -> list[str]:
    return sorted(f"{store.root}/{f.path}" for f in store.files() if Path(f.path).suffix.lower() in TABLES)[
        :3
    ]
