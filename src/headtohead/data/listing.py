"""From a source to the list of its pictures with labels; no pixel is decoded here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headtohead.core.errors import DataError, NoEffectError, UnreadableError, UsageError, unknown_name
from headtohead.core.reporter import Reporter
from headtohead.data.dataset import Problem, shortened
from headtohead.data.layout import Entry, place
from headtohead.data.options import LoadOptions
from headtohead.data.store import FileEntry, Store, open_store

__all__ = ["Listing", "list_source"]

LITTER = frozenset({"thumbs.db", "desktop.ini", "icon\r", "dicomdir"})
LITTER_FOLDERS = frozenset({"__macosx", "$recycle.bin"})


@dataclass(frozen=True)
class Listing:
    """The pictures of a source, sorted by path, before any is read."""

    store: Store
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def list_source(source: str, options: LoadOptions, reporter: Reporter) -> Listing:
    """List the pictures of a source with their labels, groups and splits."""
    if options.columns:
        raise NoEffectError(f"columns={dict(options.columns)} has no effect: {source} is not a table. Leave it out.")
    listing = _list_files(open_store(str(Path(source).expanduser().absolute())), options)
    return _grouped(_relabelled(listing, options), options)


def _list_files(store: Store, options: LoadOptions) -> Listing:
    """List a folder or an archive."""
    paths, problems, notes = _pictures(store)
    if options.label_from is not None:
        entries, unmatched = _labels_by_pattern(paths, options.label_from)
        return Listing(store, tuple(entries), (*problems, *unmatched), tuple(notes))
    placed = place(paths, _Same(store, paths))
    return Listing(
        store,
        tuple(sorted(placed.entries, key=lambda entry: entry.path)),
        (*problems, *placed.problems),
        (*notes, *placed.notes),
    )


def _pictures(store: Store) -> tuple[dict[str, FileEntry], list[Problem], list[str]]:
    """Return the files meant to be pictures by path, those that cannot be named, and what was left out."""
    from headtohead.data.readers import is_candidate

    found: dict[str, FileEntry] = {}
    problems: list[Problem] = []
    others: list[str] = []
    for file in sorted(store.files()):
        if not _is_text(file.path):
            problems.append(Problem(ascii(file.path)[1:-1], "its name is not valid Unicode; rename it"))
        elif is_litter(file.path):
            others.append(file.path)
        else:
            try:
                wanted = is_candidate(file.path, store.head(file.path))
            except UnreadableError as error:
                problems.append(Problem(file.path, str(error)))
                continue
            if wanted:
                found[file.path] = file
            else:
                others.append(file.path)
    notes = [f"{len(others)} files are no pictures and are left out: {shortened(others, 5)}."] if others else []
    return found, problems, notes


def is_litter(path: str) -> bool:
    """Tell hidden files and what operating systems strew about."""
    parts = path.split("/")
    if any(part.startswith(".") or part.casefold() in LITTER_FOLDERS for part in parts):
        return True
    return parts[-1].casefold() in LITTER


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Same:
    """Tells whether two files hold the same bytes: by size, then by content."""

    def __init__(self, store: Store, files: dict[str, FileEntry]) -> None:
        self._store = store
        self._files = files

    def __call__(self, a: str, b: str) -> bool:
        if self._files[a].n_bytes != self._files[b].n_bytes:
            return False
        try:
            return self._store.read(a) == self._store.read(b)
        except UnreadableError:
            return False


def _labels_by_pattern(paths: Sequence[str] | dict[str, FileEntry], pattern: str) -> tuple[list[Entry], list[Problem]]:
    compiled = _compiled(pattern, "label_from", "label")
    entries, problems = [], []
    for path in sorted(paths):
        value = _found(compiled, path, "label")
        if value:
            entries.append(Entry(path, label=value))
        else:
            problems.append(Problem(path, f"label_from={pattern!r} does not match its path"))
    if not entries and paths:
        raise DataError(
            f"label_from={pattern!r} matches none of {len(paths)} paths, such as {shortened(sorted(paths), 3)}. "
            "It is searched in the path relative to the data's root; its first group is the label."
        )
    return entries, problems


def _grouped(listing: Listing, options: LoadOptions) -> Listing:
    """Set the groups that `group_from` reads from the paths."""
    pattern = options.group_from
    if pattern is None or not listing.entries:
        return listing
    if any(entry.group is not None for entry in listing.entries):
        raise UsageError(f"Groups are given twice: by a group column and by group_from={pattern!r}. Leave one out.")
    compiled = _compiled(pattern, "group_from", "group")
    values = {entry.path: _found(compiled, entry.path, "group") for entry in listing.entries}
    unmatched = [path for path, value in values.items() if not value]
    if unmatched:
        raise DataError(
            f"group_from={pattern!r} does not match {len(unmatched)} of {len(values)} paths: {shortened(unmatched)}. "
            "Every picture needs its group; widen the pattern, or give groups in a manifest."
        )
    entries = tuple(replace(entry, group=values[entry.path]) for entry in listing.entries)
    note = f"{len(set(values.values()))} groups read from the paths with {pattern!r}."
    return replace(listing, entries=entries, notes=(*listing.notes, note))


def _relabelled(listing: Listing, options: LoadOptions) -> Listing:
    """Apply `map_labels`, then `drop`; names that do not occur are errors."""
    entries, notes = listing.entries, list(listing.notes)
    if not entries:
        return listing
    for name in options.map_labels:
        _must_occur(name, entries, "label in map_labels")
    entries = tuple(replace(e, label=options.map_labels.get(e.label, e.label)) for e in entries)
    if options.map_labels:
        notes.append("Labels renamed: " + ", ".join(f"{a!r} to {b!r}" for a, b in options.map_labels.items()) + ".")
    for name in sorted(options.drop):
        _must_occur(name, entries, "label in drop")
    counts = Counter(entry.label for entry in entries)
    if options.drop:
        dropped = ", ".join(f"{counts[name]} of {name!r}" for name in sorted(options.drop))
        notes.append(f"Dropped as asked: {dropped}.")
        entries = tuple(entry for entry in entries if entry.label not in options.drop)
    return replace(listing, entries=entries, notes=tuple(notes))


def _must_occur(name: str, entries: Sequence[Entry], kind: str) -> None:
    known = {entry.label for entry in entries}
    if name not in known:
        raise unknown_name(kind, name, known)


def _compiled(pattern: str, option: str, group: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{option}={pattern!r} is not a regular expression: {error}.") from error
    if compiled.groups == 0:
        raise UsageError(
            f"{option}={pattern!r} has no group in parentheses; expected one around the part that is the {group}, "
            r"such as (p\d+)_."
        )
    return compiled


def _found(pattern: re.Pattern[str], path: str, group: str) -> str:
    """Return what the named group, else the first group that took part, matched in a path; "" if nothing."""
    match = pattern.search(path)
    if match is None:
        return ""
    if group in pattern.groupindex:
        return match[group] or ""
    return next((part for part in match.groups() if part), "")
