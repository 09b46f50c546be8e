"""Find the level of folders that holds the classes from folder names alone; where two readings remain, give both."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from headtohead.data.entry import SPLIT_WORDS
from headtohead.data.file_problems import truncate_list

__all__ = ["FolderReading", "names_of_cases", "read_levels", "split_depth"]

# Folders below a class that say how its files are kept, not what they show.
_KEEPING = frozenset(
    """
    image images img imgs picture pictures photo photos png jpg jpeg tif tiff dicom dcm nii data raw original originals
    processed mask masks label labels annotation annotations segmentation segmentations slices volumes frames
    """.split()  # noqa: SIM905 - reads better than a list
)
_PART = re.compile(
    r".*(?:^|[^a-z])(?:part|images?|imgs|batch|chunk|archive|volume|disc|shard|zip|download|subset|set|data\w*|public)"
    r"[-_ .]*\d+$"
)
_CASE_WORD = re.compile(
    r"(?:patient|pat|pt|p|sub|subject|subj|case|id|participant|person|series|study)[-_ .]?[a-z]*\d+"
)
_VISIT = re.compile(r"(?:study|series|session|ses|visit|scan|view|slice|frame|exam|image)[-_ .]?[a-z]*\d*$")
_UNLABELLED = frozenset(
    {"pred", "predict", "prediction", "predictions", "unlabelled", "unlabeled", "to_predict"}
)


@dataclass(slots=True)
class FolderReading:
    """What the folders reveal about each path.

    Attributes:
        labels: path -> class. splits: path -> train, val or test. groups: path -> patient, where folders are patients.
        aside: path -> why it has no class.
        ignored: names of folders inside the class folders, which change nothing.
        doubt: why the classes are not known, with the readings and what to type; "" where they are.
    """

    labels: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    doubt: str = ""


def split_depth(parts_of: Iterable[Sequence[str]]) -> int | None:
    """Return the first level of folders that separates train, val and test; None where there is none.

    Two kinds of such folders at one level are a split whatever stands beside them; one kind is, if it stands alone.

    >>> split_depth([["runs", "a", "1"], ["train", "b", "2"], ["test", "b", "3"]])
    0
    >>> split_depth([["a", "train", "1"], ["a", "test", "2"]])
    1
    """
    folders = [parts[:-1] for parts in parts_of]
    for depth in range(max(map(len, folders), default=0)):
        names = {parts[depth].casefold() for parts in folders if len(parts) > depth}
        kinds = {SPLIT_WORDS[name] for name in names if name in SPLIT_WORDS}
        reached = sum(len(parts) > depth for parts in folders)
        # deeper down most images must reach the level; one class with parts of its own is set aside later
        if (len(kinds) > 1 and (depth == 0 or 2 * reached > len(folders))) or (
            kinds and names <= set(SPLIT_WORDS) and (depth == 0 or reached == len(folders))
        ):
            return depth
    return None


def names_of_cases(names: Iterable[str]) -> bool:
    """Tell whether folder names number patients or cases: three or more of one pattern with many digits.

    >>> names_of_cases(["patient01", "patient02", "patient03"]), names_of_cases(["8863", "8900", "8937"])
    (True, True)
    >>> names_of_cases(["grade_1", "grade_2", "grade_3"]), names_of_cases(["no", "yes"])
    (False, False)
    """
    plain = [name.casefold() for name in names]
    if len(plain) < 3 or not all(re.search(r"\d", name) for name in plain):
        return False
    patterns = Counter(re.sub(r"\d+", "#", name) for name in plain)
    alike = patterns.most_common(1)[0][1]
    # grades and stages have one or two digits, ids of patients four and more
    numbered = all(len(re.findall(r"\d", name)) >= 4 for name in plain)
    return all(_CASE_WORD.match(name) for name in plain) or (numbered and 2 * alike >= len(plain))


def read_levels(parts_of: Mapping[str, Sequence[str]], prefix: Sequence[str] = ()) -> FolderReading:
    """Read classes, splits and patients from the folders of each path.

    Args:
        parts_of: path -> its parts below what all have in common, the file name last.
        prefix: what all have in common.
    """
    found = FolderReading()
    depth = split_depth(parts_of.values())
    below: dict[str, Sequence[str]] = {}
    for path, parts in parts_of.items():
        below[path] = parts
        if depth is None or len(parts) <= depth + 1:
            continue  # its last part is the file's name, which is no folder
        word = parts[depth].casefold()
        if word in SPLIT_WORDS:
            found.splits[path] = SPLIT_WORDS[word]
            below[path] = [*parts[:depth], *parts[depth + 1 :]]
    if depth is not None and len(set(found.splits)) < len(parts_of):
        below = _without_strangers(below, parts_of, depth, found)
    below = _without_unlabelled(below, found)
    for path in [path for path, parts in below.items() if len(parts) < 2]:
        where = repr(parts_of[path][0]) if path in found.splits else "the top folder"
        found.aside[path] = f"lies in {where}, not in a class folder"
        del below[path]
    _classes(below, found, _pattern(prefix, depth))
    for path in found.aside:
        found.splits.pop(path, None)  # what is set aside is no sample and must not count in a part
    return found


def _without_strangers(
    below: dict[str, Sequence[str]], parts_of: Mapping[str, Sequence[str]], depth: int, found: FolderReading
) -> dict[str, Sequence[str]]:
    """Set aside what lies beside the train, val and test folders."""
    strangers = Counter[str]()
    kept = dict(below)
    for path, parts in parts_of.items():
        if path in found.splits or len(parts) <= depth + 1:
            continue
        folder = "/".join(parts[: depth + 1])
        strangers[folder] += 1
        found.aside[path] = f"lies in {folder!r}, beside the train/val/test folders"
        del kept[path]
    for folder, count in sorted(strangers.items()):
        found.notes.append(
            f"The folder {folder!r} ({count} images) lies beside train/val/test and is left out."
        )
    return kept


def _without_unlabelled(below: dict[str, Sequence[str]], found: FolderReading) -> dict[str, Sequence[str]]:
    """Set aside folders of images to be predicted, and those with a split of their own beside plain class folders."""
    inner: dict[str, set[str]] = defaultdict(set)
    for parts in below.values():
        if len(parts) > 1:
            inner[parts[0]].add(parts[1].casefold() if len(parts) > 2 else "")
    plain = [name for name, names in inner.items() if names == {""} and name.casefold() not in _UNLABELLED]
    odd = {}
    if len(plain) > 1:  # otherwise leaving a folder out could leave nothing to compare
        for name, names in inner.items():
            if name.casefold() in _UNLABELLED:
                odd[name] = "its name says that these images have no label"
            elif names and names <= set(SPLIT_WORDS):
                odd[name] = "it holds train/val/test folders, while the others hold images"
    for name, why in odd.items():
        paths = [path for path, parts in below.items() if parts[0] == name]
        found.notes.append(f"The folder {name!r} ({len(paths)} images) is left out: {why}.")
        found.aside.update(dict.fromkeys(paths, f"lies in {name!r}: {why}"))
    return {path: parts for path, parts in below.items() if parts[0] not in odd}


def _pattern(prefix: Sequence[str], depth: int | None) -> str:
    """Return the start of a regular expression for a path, up to the level of the first class folder."""
    start = "^" + "".join(re.escape(part) + "/" for part in prefix)
    # the class stands behind the split folder, which the whole path still has
    return start + "[^/]+/" if depth == 0 else start


def _classes(below: Mapping[str, Sequence[str]], found: FolderReading, start: str) -> None:
    """Choose the level of the classes, or say why it cannot be chosen."""
    tops = Counter(parts[0] for parts in below.values())
    subs = {top: Counter[str]() for top in tops}
    for parts in below.values():
        if len(parts) > 2:
            subs[parts[0]][parts[1]] += 1
    inner = {top: {name for name in names if name.casefold() not in _KEEPING} for top, names in subs.items()}
    common = set.intersection(*inner.values()) if inner else set()
    # an image right inside a first folder rules the second level out: it would have no class there
    full = all(sum(subs[top].values()) == n for top, n in tops.items())
    same = full and len(common) > 1 and all(names == common for names in inner.values())
    repeated = full and len(common) > 1 and all(2 * len(common) > len(names) for names in inner.values())
    first = (f"{start}([^/]+)/", tops)
    second = (f"{start}[^/]+/([^/]+)/", Counter(parts[1] for parts in below.values() if len(parts) > 2))
    cases, parts_of_set = (
        names_of_cases(tops),
        len(tops) > 1 and all(_PART.match(top.casefold()) for top in tops),
    )
    every = set().union(*inner.values()) if inner else set()
    # inner folders that number patients or visits repeat by nature, and are no classes
    mixed_ids = names_of_cases(every) or all(_VISIT.match(name.casefold()) for name in every)
    if (cases or parts_of_set) and (same or _mostly(inner)) and not mixed_ids:
        kind = "patients" if cases else "parts of the set"
        found.notes.append(
            f"The first folders ({truncate_list(sorted(tops), 3)}) are {kind} and hold the same folders: the classes "
            f"are {truncate_list(sorted(second[1]), 5)}."
        )
        found.labels.update({path: parts[1] for path, parts in below.items() if len(parts) > 2})
        if cases:
            found.groups.update({path: parts[0] for path, parts in below.items() if len(parts) > 2})
        found.aside.update(
            {path: "lies beside the class folders" for path, parts in below.items() if len(parts) < 3}
        )
        return
    found.labels.update({path: parts[0] for path, parts in below.items()})
    if cases or parts_of_set:
        kind = "number patients or cases" if cases else "are parts of one set"
        found_doubt = f"The folders {truncate_list(sorted(tops), 3)} {kind}, they name no classes"
        _doubt(found, found_doubt, [first])
    elif repeated and not mixed_ids:
        _doubt(found, "Each first folder holds folders of the same names", [first, second])
    elif _leaves_differ(below, inner):
        leaves = Counter(parts[-2] for parts in below.values())
        _doubt(found, "Folders lie inside the first folders", [first, ("([^/]+)/[^/]+$", leaves)])
    else:
        ignored = sum(bool(names) for names in inner.values())
        if ignored:
            found.ignored = sorted(set().union(*inner.values()))
            shown = truncate_list(found.ignored, 3)
            found.notes.append(f"Folders inside the class folders are read as one class: {shown}.")


def _mostly(inner: Mapping[str, set[str]]) -> bool:
    """Tell whether few different names fill all first folders, though not each holds every one."""
    names = Counter(name for found in inner.values() for name in found)
    return len(inner) > 2 and 1 < len(names) <= 20 and all(inner.values()) and min(names.values()) > 1


def _leaves_differ(below: Mapping[str, Sequence[str]], inner: Mapping[str, set[str]]) -> bool:
    """Tell whether folders with images stand right inside first folders and read like classes of their own."""
    if not len(inner) > 1 or not any(len(names) > 1 for names in inner.values()):
        return False
    leaves = {parts[1] for parts in below.values() if len(parts) == 3 and parts[1].casefold() not in _KEEPING}
    every = set().union(*inner.values())
    if (
        leaves != every
        or len(every) > 30
        or names_of_cases(every)
        or any(re.search(r"\d{3}", n) for n in every)  # three digits number a case
    ):
        return False
    sizes = Counter(parts[1] for parts in below.values() if len(parts) == 3)
    return min(sizes[name] for name in every) > 1  # a folder of a single image reads like a case


def _doubt(found: FolderReading, why: str, readings: Sequence[tuple[str, Counter[str]]]) -> None:
    options = [
        f"{len(counts)} classes, {truncate_list([f'{name} ({n})' for name, n in sorted(counts.items())], 6)}: "
        f"--label-from '{pattern}'"
        for pattern, counts in readings
    ]
    if len(options) == 1:
        ways = f" If they do, it would be {options[0]}."
    else:
        ways = " Which are the classes? " + " Or ".join(f"{text}." for text in options)
    found.doubt = f"{why}.{ways}"
