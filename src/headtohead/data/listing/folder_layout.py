"""Labels and splits from folder names: class folders, train/val/test folders, repeated folders.

A listing of paths is read without touching pixels; the bytes of two files are compared only where
their places suggest that one folder repeats another.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from headtohead.data.entry import SPLIT_WORDS, Entry
from headtohead.data.file_problems import FileProblem, truncate_list
from headtohead.data.listing.class_level import FolderReading, read_levels, split_depth

__all__ = ["FolderLabels", "drop_repeated_folders", "labels_from_folders"]


Same = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class FolderLabels:
    """Entries with labels and splits read from folder names, and files without a label.

    Attributes:
        doubt: why the classes are not known, with the readings; "" where they are.
        ignored: names of folders inside the class folders, which change nothing.
    """

    entries: tuple[Entry, ...]
    problems: tuple[FileProblem, ...]
    notes: tuple[str, ...]
    doubt: str = ""
    ignored: tuple[str, ...] = ()


def labels_from_folders(
    paths: Iterable[str], same: Same, label_of: Callable[[str], str] | None = None
) -> FolderLabels:
    """Read labels and splits from folder names.

    Args:
        paths: relative paths of images, with forward slashes.
        same: tells whether two of them hold the same bytes.
        label_of: reads the label from a path, "" if there is none; without it the level of
            folders that holds the classes is found (see `read_levels`).
    """
    places, notes = drop_repeated_folders(paths, same)
    prefix, parts_of = _strip_wrappers(places)
    if label_of is not None:
        reading = _by_pattern(parts_of, label_of)
    else:
        reading = read_levels(parts_of, prefix)
        if prefix:
            notes.append(
                f"Everything lies in {'/'.join(prefix)!r}; classes are read from the folders inside it."
            )
    entries = [
        Entry(path, label=label, split=reading.splits.get(path), group=reading.groups.get(path))
        for path, label in reading.labels.items()
    ]
    if reading.splits and entries:
        counts = Counter(entry.split for entry in entries)
        sizes = ", ".join(f"{counts[word]} {word}" for word in ("train", "val", "test"))
        notes.append(f"The folders carry a split of their own: {sizes}.")
    problems = tuple(FileProblem(path, why) for path, why in reading.aside.items())
    return FolderLabels(
        tuple(entries), problems, (*notes, *reading.notes), reading.doubt, tuple(reading.ignored)
    )


def _by_pattern(parts_of: Mapping[str, list[str]], label_of: Callable[[str], str]) -> FolderReading:
    """Return the labels that a pattern reads from the paths; splits are those of the folders."""
    reading = FolderReading()
    depth = split_depth(parts_of.values())
    for path, parts in parts_of.items():
        label = label_of(path)
        if not label:
            reading.aside[path] = "label_from does not match its path"
            continue
        reading.labels[path] = label
        if depth is not None and len(parts) > depth + 1 and parts[depth].casefold() in SPLIT_WORDS:
            reading.splits[path] = SPLIT_WORDS[parts[depth].casefold()]
    return reading


def _strip_wrappers(places: Mapping[str, str]) -> tuple[list[str], dict[str, list[str]]]:
    """Cut leading folders that hold everything and no image of their own; keep split folders."""
    parts = {path: place.split("/") for path, place in places.items()}
    prefix: list[str] = []
    while parts:
        tops = {p[0] for p in parts.values()}
        shallow = min(len(p) for p in parts.values())
        # with no folder left inside it, the outer one may itself be a class
        if len(tops) != 1 or shallow < 3 or next(iter(tops)).casefold() in SPLIT_WORDS:
            break
        prefix += tops
        parts = {path: p[1:] for path, p in parts.items()}
    return prefix, parts


def drop_repeated_folders(paths: Iterable[str], same: Same) -> tuple[dict[str, str], list[str]]:
    """Leave out files that a folder repeats from its parent or from its sibling, and say so.

    A folder D inside P repeats P when the files below D have twins at the same relative path below
    P with the same bytes, as in the archive that holds `yes/ no/` and again
    `brain_tumor_dataset/yes no`. Of two folders that are all there is, the second repeats the first
    in the same way (never train/val/test folders: that is a leak, not a repetition). Images that
    such a folder has beyond its twin stay, with the label of their folder there.

    Returns:
        For each path that stays the place from which its label is to be read, in order of paths;
        and notes.
    """
    notes: list[str] = []
    places = {path: path for path in sorted(paths)}
    ordered = list(places)
    for folder, twin in _suspects(places):
        start = bisect.bisect_left(ordered, folder + "/")
        end = bisect.bisect_left(ordered, folder + "0")  # "0" follows "/": the first path behind the folder
        inside = [path for path in ordered[start:end] if path in places]
        there = {path: _join(twin, path[len(folder) + 1 :]) for path in inside}
        repeated = [path for path, other in there.items() if other in places and same(path, other)]
        notes += _repetition_notes(folder, twin, inside, repeated)
        if 2 * len(repeated) < len(inside) or not inside:
            continue
        for path in repeated:
            del places[path]
        # the further images take their label from where they would lie in the twin
        places |= {path: there[path] for path in inside if path in places}
    return places, notes


def _repetition_notes(folder: str, twin: str, inside: list[str], repeated: list[str]) -> list[str]:
    """Return the note about a folder that seems to repeat another."""
    whole = repr(twin) if twin else "the top folder"
    others = sorted(set(inside) - set(repeated))
    if not inside:
        return []
    if 2 * len(repeated) < len(inside):
        return [
            f"The folder {folder!r} holds folders named like those of {whole}, but {len(others)} of its "
            f"{len(inside)} images are not there: it is read like any other folder. If it should not, "
            "point at the one to use."
        ]
    rest = f" {len(others)} further images in it stay: {truncate_list(others, 3)}." if others else ""
    return [
        f"The folder {folder!r} repeats {len(repeated)} images of {whole} byte for byte under the same "
        f"names: each is counted once.{rest}"
    ]


@dataclass(slots=True)
class _Folder:
    """A folder with the folders inside it; a tree takes memory as the names do, a set of all paths their square."""

    name: str
    depth: int
    inside: dict[str, _Folder] = field(default_factory=dict)


def _suspects(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return (folder, folder it may repeat) where the names of subfolders suggest it, outermost first."""
    top = _Folder("", 0)
    for path in paths:
        here = top
        for name in path.split("/")[:-1]:
            if name not in here.inside:
                here.inside[name] = _Folder(name, here.depth + 1)
            here = here.inside[name]
    suspects: list[tuple[int, str, str, str]] = []
    waiting = [("", top)]
    while waiting:
        place, parent = waiting.pop()
        names = sorted(parent.inside)
        inner = {name: folder.inside.keys() for name, folder in parent.inside.items() if folder.inside}
        # every folder inside it has a namesake beside it
        found = [(name, "") for name in names if name in inner and inner[name] <= parent.inside.keys()]
        if len(names) == 2 and not _split_words(names):
            first, second = (parent.inside[name].inside.keys() for name in names)
            if first == second and first:
                found.append((names[1], names[0]))
        suspects += [
            (parent.depth, place, _join(place, name), _join(place, twin) if twin else place)
            for name, twin in found
        ]
        waiting += [(_join(place, name), parent.inside[name]) for name in names if parent.inside[name].inside]
    # outermost first: a copy that goes takes the copies inside it along
    suspects.sort(key=lambda found: found[:2])
    return [(folder, twin) for _, _, folder, twin in suspects]


def _split_words(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names} & set(SPLIT_WORDS)


def _join(folder: str, rest: str) -> str:
    return f"{folder}/{rest}" if folder else rest
