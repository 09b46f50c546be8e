"""A table of images: `path,label[,group][,split][,frame]` and whatever else is known of each."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from headtohead.core.errors import DataError, ManifestError, NoEffectError
from headtohead.core.formatting import is_whole
from headtohead.core.tables.table_limits import check_size
from headtohead.data.entry import OWN_FOLD, SPLIT_WORDS, Entry
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.file_finder import FileFinder, exists
from headtohead.data.listing.left_out import UNANSWERED, UNLABELLED
from headtohead.data.listing.personal_data import is_identifier
from headtohead.data.listing.rows.label_questions import ANSWER, answer_labels, plain_lists
from headtohead.data.listing.rows.row_checks import check_files, check_labels, check_rows, elsewhere
from headtohead.data.listing.table_reader import TABLES, SourceTable, choose_columns, parse_table, read_table
from headtohead.data.listing.table_roles import join_labels, merge_rows, understand_roles
from headtohead.data.options import LoadOptions
from headtohead.data.storage.folder import FolderStore
from headtohead.data.storage.store import Store

__all__ = ["TableListing", "list_manifest", "list_member", "list_rows", "manifests_in", "parse_member"]

Notes = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableListing:
    """The images that a table lists.

    Attributes:
        entries: in the order of paths.
        notes: what was assumed.
        left: why -> paths of the images that are left out.
        labels_from: where the labels come from, in words.
    """

    entries: tuple[Entry, ...]
    notes: Notes
    left: Mapping[str, list[str]]
    labels_from: str = ""


def list_manifest(path: Path, options: LoadOptions) -> tuple[FolderStore, TableListing]:
    """Return the store beside a manifest and what it lists.

    Args:
        path: of the table; the paths in it are relative to its folder (or absolute).
        options: which column is what (`columns`), and which are kept (`keep_columns`, `by`).

    Raises:
        ManifestError: missing files, rows twice, empty labels, several labels for one image.
    """
    store = FolderStore(path.parent, follow_links=options.follow_links)
    listing = _listed(read_table(path), store, options, lambda cell: _relative(cell, path.parent))
    return store, replace(listing, notes=(*listing.notes, *elsewhere(path.name, listing.entries, store)))


def list_member(store: Store, member: str, options: LoadOptions) -> TableListing:
    """Return what a manifest lists that lies in an archive with its images.

    Args:
        member: the table; the paths in it are relative to its folder in the archive.
        options: as for `list_manifest`.

    Raises:
        ManifestError: as for `list_manifest`.
    """
    folder = posixpath.dirname(member)
    return _listed(parse_member(store, member), store, options, lambda cell: _within(cell, folder))


def list_rows(table: SourceTable, store: Store, options: LoadOptions) -> TableListing:
    """Return what a table lists that was made from a store, whose cells are the store's own paths.

    Raises:
        ManifestError: as for `list_manifest`.
    """
    return _listed(table, store, options, lambda cell: cell)


def manifests_in(store: Store, columns: Mapping[str, str]) -> list[str]:
    """Return the tables of an archive that name at least one of its members, sorted."""
    sizes = {
        entry.path: entry.n_bytes
        for entry in store.files()
        if posixpath.splitext(entry.path)[1].lower() in TABLES
    }
    return [name for name in sorted(sizes) if _names_members(store, name, sizes[name], columns)]


def _names_members(store: Store, member: str, size: int, columns: Mapping[str, str]) -> bool:
    try:
        table = _parsed(store, member, size)
        chosen = choose_columns(table, columns)
    except DataError:
        return False  # a table of other things, or a damaged one, names no members
    folder = posixpath.dirname(member)
    return any(exists(store, _within(cell, folder)) for cell in table.column(chosen["path"]))


def parse_member(store: Store, member: str) -> SourceTable:
    """Return a table of a store.

    Raises:
        ManifestError: it is not there, too large or malformed.
    """
    size = next((entry.n_bytes for entry in store.files() if entry.path == member), None)
    if size is None:
        raise ManifestError(f"There is no {member} in {store.root}.")
    return _parsed(store, member, size)


def _parsed(store: Store, member: str, size: int) -> SourceTable:
    check_size(member, size)
    return parse_table(member, store.read(member))


def _listed(
    table: SourceTable, store: Store, options: LoadOptions, place: Callable[[str], str]
) -> TableListing:
    """Return what a table lists; `place` turns a cell into a path in the store."""
    table, chosen, said = understand_roles(table, options.columns, options.question)
    extra, withheld = _kept_columns(table, chosen, options)
    entries = [_entry(row, table, chosen, extra, place) for row in table.rows]
    entries, found = _located(table, chosen, entries, store)
    entries, joined = join_labels(plain_lists(entries))
    entries, left = _answered(entries, chosen, options)
    check_labels(table.name, entries)
    entries, merged = merge_rows(entries)  # after `join_labels`: "1" and "1.0" agree only then
    check_rows(table.name, entries)
    check_files(table, chosen, entries, store)
    said = (*said, *found, *joined, *merged)
    entries.sort(key=lambda entry: (entry.path, -1 if entry.frame is None else entry.frame))
    notes = _notes(table, chosen, options.columns, entries)
    source = f"{options.question or repr(chosen['label'])} in {table.name}"
    return TableListing(tuple(entries), (*notes, *said, *_say_withheld(table, withheld)), left, source)


def _answered(
    entries: list[Entry], chosen: Mapping[str, str], options: LoadOptions
) -> tuple[list[Entry], dict[str, list[str]]]:
    """Return the entries with the answers to the question as labels, less those without; and why -> paths of these."""
    question, why = options.question, UNLABELLED
    if question is not None:
        why = UNANSWERED.format(question)
        if chosen["label"] != ANSWER:
            entries = answer_labels(entries, question)
    elif not options.drop_unlabelled:
        return entries, {}
    left = [entry.path for entry in entries if not entry.label and entry.path]
    if question is None and not left:
        raise NoEffectError("drop_unlabelled has no effect: every row has a label. Leave it out.")
    # rows without a path stay, so that `check_labels` refuses them
    return [entry for entry in entries if entry.label or not entry.path], {why: left}


def _located(
    table: SourceTable, chosen: Mapping[str, str], entries: list[Entry], store: Store
) -> tuple[list[Entry], Notes]:
    """Return the entries with the files that their cells mean, where no file is called just so; and a note."""
    cells = table.column(chosen["path"])
    finder = FileFinder(store)
    located, n_found, n_folders = [], 0, 0
    for entry, cell in zip(entries, cells, strict=True):
        if not cell or exists(store, entry.path):
            found = [entry.path] if not finder.is_folder(entry.path) else finder.folder(entry.path)
        elif inside := finder.folder(entry.path):
            found = inside
        else:
            hit = finder.find(cell)
            found = [hit if hit is not None else entry.path]
            n_found += hit is not None
        n_folders += len(found) > 1 or (found != [entry.path] and bool(finder.folder(entry.path)))
        group = entry.group if len(found) == 1 or entry.group else entry.path
        located += [replace(entry, path=path, group=group) for path in found]
    notes = []
    if n_found:
        notes.append(
            f"{table.name}: {n_found} of {len(entries)} files were found by their names in the folders below the table."
        )
    if n_folders:
        notes.append(
            f"{table.name}: {n_folders} rows name folders; all {len(located)} images in them are read, a folder "
            "being a group where no group is given."
        )
    return located, tuple(notes)


def _kept_columns(
    table: SourceTable, chosen: Mapping[str, str], options: LoadOptions
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return which further columns are kept, and which are not because they look like identifiers."""
    missing = sorted(set(options.keep_columns) - set(table.columns))
    if missing:
        raise ManifestError(f"{table.name} has no column {missing} to keep; it has {list(table.columns)}.")
    further = [name for name in table.columns if name and name not in chosen.values()]
    requested = {*options.keep_columns, *options.by}
    withheld = tuple(name for name in further if is_identifier(name) and name not in requested)
    return frozenset(further) - set(withheld), withheld


def _say_withheld(table: SourceTable, withheld: tuple[str, ...]) -> Notes:
    if not withheld:
        return ()
    looks = (
        "columns look like identifiers and are"
        if len(withheld) > 1
        else "column looks like an identifier and is"
    )
    return (
        f"{table.name}: {len(withheld)} {looks} left out of everything that is written: {truncate_list(withheld)}. To "
        "keep one, name it with keep_columns.",
    )


def _entry(
    row: tuple[str, ...],
    table: SourceTable,
    chosen: Mapping[str, str],
    extra: Collection[str],
    place: Callable[[str], str],
) -> Entry:
    cells = dict(zip(table.columns, row, strict=True))
    known = {role: cells[name] for role, name in chosen.items()}
    return Entry(
        path=place(known["path"]),
        label=known["label"],
        split=_fold(known.get("fold", "")) or _split(known.get("split", ""), table.name),
        group=known.get("group") or None,
        frame=_number(known.get("frame", ""), table.name),
        extra={name: cell for name, cell in cells.items() if name in extra},
    )


def _relative(path: str, folder: Path) -> str:
    """Return a path relative to the manifest's folder, with forward slashes and without detours."""
    plain = path.replace("\\", "/")
    if not plain:
        return ""
    if Path(plain).is_absolute():
        plain = os.path.relpath(plain, folder)  # files elsewhere are told by "../"
    return Path(os.path.normpath(plain)).as_posix()


def _within(path: str, folder: str) -> str:
    """Return a path in an archive; what leads out of it names no member and stays as it is."""
    plain = path.replace("\\", "/")
    return posixpath.normpath(posixpath.join(folder, plain)) if plain else ""


def _fold(cell: str) -> str | None:
    return f"fold {cell}" if cell else None


def _split(word: str, table: str) -> str | None:
    if not word:
        return None
    if OWN_FOLD.fullmatch(word):
        return word
    if word.casefold() not in SPLIT_WORDS:
        raise ManifestError(
            f"{table}: split {word!r} is not understood; expected train, val or test. If that column is no "
            "split, leave it out with --columns 'split=', or name another with --columns 'split=<column>'."
        )
    return SPLIT_WORDS[word.casefold()]


def _number(cell: str, table: str) -> int | None:
    if not cell:
        return None
    if not is_whole(cell):
        raise ManifestError(
            f"{table}: frame {cell!r} is not a number from 0. Rename the column if it is no frame."
        )
    return int(cell)


def _notes(
    table: SourceTable, chosen: Mapping[str, str], given: Mapping[str, str], entries: list[Entry]
) -> tuple[str, ...]:
    inferred = [f"{role} from {name!r}" for role, name in chosen.items() if role not in given]
    notes = [
        f"{table.name}: {len(entries)} rows."
        + (f" Columns taken by name: {', '.join(inferred)}." if inferred else "")
    ]
    alone = sum(entry.group is None for entry in entries)
    if "group" in chosen and alone:
        notes.append(f"{alone} rows have no group in {chosen['group']!r}: each is a group of its own.")
    return tuple(notes)
