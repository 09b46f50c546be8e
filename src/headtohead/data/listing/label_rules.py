"""Labels and groups read from paths, and labels renamed or dropped, as the options say."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from headtohead.core.errors import DataError, UsageError, unknown_name
from headtohead.data.entry import Entry
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.selection.user_pattern import UserPattern

__all__ = [
    "apply_group_rule",
    "apply_label_map",
    "compose_labels",
    "label_finder",
    "spelled_alike",
]

EntriesAndNotes = tuple[tuple[Entry, ...], tuple[str, ...]]


def label_finder(pattern: str) -> Callable[[str], str]:
    """Return a function from a path to the label that `label_from` reads from it, "" if none."""
    return UserPattern(pattern, "label_from", "label").first_group


def apply_group_rule(entries: Sequence[Entry], pattern: str) -> EntriesAndNotes:
    """Return the entries with the groups that `group_from` reads from the paths.

    Raises:
        DataError: a path has no group that way.
    """
    if any(entry.group is not None for entry in entries):
        raise UsageError(
            f"Groups are given twice: by a group column and by group_from={pattern!r}. Leave one out."
        )
    read = UserPattern(pattern, "group_from", "group").first_group
    values = {entry.path: read(entry.path) for entry in entries}
    unmatched = [path for path, value in values.items() if not value]
    if unmatched:
        raise DataError(
            f"group_from={pattern!r} does not match {len(unmatched)} of {len(values)} paths: "
            f"{truncate_list(unmatched)}. Every image needs its group; widen the pattern, or give groups in a "
            "manifest."
        )
    note = f"{len(set(values.values()))} groups read from the paths with {pattern!r}."
    return tuple(replace(entry, group=values[entry.path]) for entry in entries), (note,)


def compose_labels(entries: Sequence[Entry]) -> EntriesAndNotes:
    """Return the entries with labels in composed form (NFC), so that one word in two encodings is one class; and notes.

    macOS decomposes the letters of file names ("e" and an accent), other systems do not.
    """
    composed = {entry.label: unicodedata.normalize("NFC", entry.label) for entry in entries}
    spellings = Counter(composed.values())
    joined = sorted(name for name, count in spellings.items() if count > 1)
    note = f"Class names that differ in the encoding of accents only were joined: {', '.join(joined)}."
    return (
        tuple(replace(entry, label=composed[entry.label]) for entry in entries),
        (note,) if joined else (),
    )


def apply_label_map(
    entries: Sequence[Entry], renames: Mapping[str, str], drop: Iterable[str]
) -> EntriesAndNotes:
    """Return the entries with labels renamed, then without the dropped ones.

    Raises:
        UnknownNameError: a label that does not occur.
    """
    notes = []
    # the labels of the entries are composed by now, names typed by the user may not be
    renames = {unicodedata.normalize("NFC", name): label for name, label in renames.items()}
    if not all(renames.values()):
        raise UsageError(f"map_labels={dict(renames)} makes an empty label; use drop to leave samples out.")
    for name in renames:
        _must_occur(name, entries, "label in map_labels")
    renamed = tuple(replace(entry, label=renames.get(entry.label, entry.label)) for entry in entries)
    if renames:
        notes.append("Labels renamed: " + ", ".join(f"{a!r} to {b!r}" for a, b in renames.items()) + ".")
    dropped = sorted(set(drop))
    for name in dropped:
        _must_occur(name, renamed, "label in drop")
    if dropped:
        counts = Counter(entry.label for entry in renamed)
        notes.append("Dropped: " + ", ".join(f"{counts[name]} of {name!r}" for name in dropped) + ".")
        renamed = tuple(entry for entry in renamed if entry.label not in dropped)
    return renamed, tuple(notes)


def spelled_alike(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return a warning where classes differ in case or spacing only, with the option that joins them."""
    counts = Counter(entry.label for entry in entries)
    spellings: dict[str, list[str]] = defaultdict(list)
    # the commonest spelling is the one that the others are to be renamed to
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        spellings["".join(unicodedata.normalize("NFKC", name).casefold().split())].append(name)
    renames = {other: names[0] for names in spellings.values() for other in names[1:]}
    if not renames:
        return ()
    shown = "; ".join(
        " / ".join(f"{name!r} ({counts[name]})" for name in names)
        for names in spellings.values()
        if len(names) > 1
    )
    pairs = ",".join(f"{other}={name}" for other, name in renames.items())
    return (
        f"Classes that differ in case or spacing only: {shown}. They are compared as different classes; if they are "
        f"one: --map-labels '{pairs}'.",
    )


def _must_occur(name: str, entries: Sequence[Entry], kind: str) -> None:
    known = {entry.label for entry in entries}
    if name not in known:
        raise unknown_name(kind, name, known)
