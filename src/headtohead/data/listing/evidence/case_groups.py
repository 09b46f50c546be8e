"""Patients, cases and clips that folders or file names give away: used where certain, proposed otherwise."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from headtohead.core.formatting import pluralize
from headtohead.data.entry import Entry
from headtohead.data.listing.class_level import names_of_cases
from headtohead.data.listing.selection.user_pattern import first_group

__all__ = ["CaseGroups", "find_cases"]

# Fewer groups than this are rather one series a class than patients.
_FEWEST_GROUPS = 4
# Sequences or views of one case.
_MOST_KINDS = 8
# Share of the images that must stand in a group of several; below it the likeness of names is an accident.
_SHARE_GROUPED = 0.3
# DICOM files name their patient themselves, and more reliably than any folder.
_NAMES_ITS_PATIENT = frozenset({".dcm", ".dicom", ".ima", ""})


@dataclass(frozen=True, slots=True)
class CaseGroups:
    """Groups that paths give away.

    Attributes:
        groups: path -> group, for the paths that have one.
        source: what they are read from, such as "the case folders".
        pattern: the regular expression for `group_from` that gives the same groups.
        certain: whether they are used without being asked for.
    """

    groups: Mapping[str, str]
    source: str
    pattern: str
    certain: bool

    @property
    def advice(self) -> str:
        """What was found and the option that uses it, or that undoes it."""
        counts = Counter(self.groups.values())
        several = sum(count > 1 for count in counts.values())
        example, most = max(counts.items(), key=lambda item: (item[1], item[0]))
        found = (
            f"{self.source[0].upper()}{self.source[1:]} join {len(self.groups)} images into "
            f"{pluralize(len(counts), 'group')}, {several} of them with several images (such as {example}: {most})"
        )
        if self.certain:
            kinds = _kinds(self.groups)
            one = (
                f" Each holds {', '.join(kinds)}; for one of them alone: --include '*{kinds[0]}'."
                if kinds
                else ""
            )
            return f"{found}.{one} To group otherwise, give --group-from or a table."
        return (
            f"{found}, yet nothing says that they are patients, and each file stands alone. If they are: "
            f"--group-from '{self.pattern}'. Otherwise images of one patient may be in training and in test."
        )

    def applied(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Return the entries with these groups; one without a group stays alone."""
        return tuple(replace(entry, group=self.groups.get(entry.path)) for entry in entries)


@dataclass(frozen=True, slots=True)
class _Naming:
    """A way in which file names tell what belongs together.

    Attributes:
        source: in words. pattern: the group is what its first group holds.
        certain: whether it cannot well mean anything else.
        one_label: whether images of several classes in one group show that it means something else.
    """

    source: str
    pattern: str
    certain: bool
    one_label: bool = True


_NAMINGS = (
    _Naming("Roboflow's copies (NAME.rf.HASH)", r"([^/]+)\.rf\.[0-9A-Za-z]{6,}\.[^./]+$", True),
    _Naming(
        "the patients in the file names",
        r"(?:^|[^A-Za-z0-9])((?:patient|person|subject|participant)[-_ ]?\d+)(?!\d)",
        True,
        one_label=False,
    ),
    _Naming(
        "the subject ids in the file names",
        # OASIS, TCGA, LIDC-IDRI, ADNI, BIDS, BraTS, PAD-UFES-20 (PAT_), CBIS-DDSM (P_), BreakHis (SOB_)
        r"(?:^|[^A-Za-z0-9])(OAS[12]_\d{4}|OAS3\d{4}|TCGA-\w\w-\w{4}|LIDC-IDRI-\d{4}|\d{3}_S_\d{4}|sub-[A-Za-z0-9]+|"
        r"BraTS\w*?_\d{3,}|PAT_\d+|P_\d{5}|SOB_[BM]_[A-Z]+[-_]\d+-\w+)(?![A-Za-z0-9])",
        True,
        one_label=False,
    ),
    _Naming(
        "the left and right images of one name",
        r"([^/]*[^/_\- ])[_\- ]+(?:left|right|LEFT|RIGHT|Left|Right|OD|OS|od|os|L|R)(?=[_\-. ][^/]*$)",
        True,
        one_label=False,
    ),
    _Naming(
        "the frames of one clip",
        r"([^/]*[^/_\- ])[_\- ]+(?:frame|Frame|frm|slice|Slice)[_\- ]?\d+\.[^/]+$",
        True,
    ),
    # a number at the end may count a patient's images, or all files
    _Naming(
        "file names that differ in a number at the end",
        r"([^/]*[A-Za-z0-9][^/]*?)[_\-. ]+(?:img|image|view|s|z|f|im)?[_\-]?\d+\.[^/]+$",
        False,
    ),
)  # fmt: skip
_SIDES = ("left", "right", "od", "os", "l", "r")


def find_cases(entries: Sequence[Entry]) -> CaseGroups | None:
    """Return the groups that folders or file names give away, None where there are none.

    Args:
        entries: without groups of their own.
    """
    if len(entries) < _FEWEST_GROUPS:
        return None
    labels = {entry.path: entry.label for entry in entries}
    found = _case_folders(labels)
    if found is None:
        tried = (_by_names(labels, naming) for naming in _NAMINGS)
        found = next((cases for cases in tried if cases is not None), None)
    if found is not None and found.certain and _name_their_patients(found.groups):
        return replace(found, certain=False)
    return found


def _kinds(groups: Mapping[str, str]) -> list[str]:
    """Return the ends of names that every case holds once, as `_flair.nii.gz` of BraTS; none where they differ."""
    ends: dict[str, list[str]] = defaultdict(list)
    for path, group in groups.items():
        ends[group].append(PurePosixPath(path).name.removeprefix(group))
    first = sorted(next(iter(ends.values()), []))
    alike = all(sorted(found) == first for found in ends.values())
    named = all(re.match(r"[_-][A-Za-z]", end) for end in first)
    return first if alike and named and 1 < len(first) <= _MOST_KINDS else []


def _name_their_patients(paths: Iterable[str]) -> bool:
    return any(PurePosixPath(path).suffix.casefold() in _NAMES_ITS_PATIENT for path in paths)


def _case_folders(labels: Mapping[str, str]) -> CaseGroups | None:
    """Return one group per case folder: of the level whose folders number cases or name the files in them."""
    parts = {path: path.split("/") for path in labels}
    shallow = min(len(found) for found in parts.values()) - 1
    for level in range(shallow):
        names = {found[level] for found in parts.values()}
        groups = {path: found[level] for path, found in parts.items()}
        # class folders are no cases
        if names & set(labels.values()) or not _groups_well(groups, labels, one_label=False):
            continue
        named_so = sum(found[-1].startswith(found[level]) for found in parts.values())
        numbered = all(re.search(r"\d", name) for name in names)
        certain = numbered and (names_of_cases(names) or 10 * named_so >= 9 * len(parts))
        if certain and not _visits(names):
            pattern = f"^(?:[^/]+/){{{level}}}([^/]+)/"
            return CaseGroups(groups, "the case folders", pattern, certain=True)
    return None


def _visits(names: Iterable[str]) -> bool:
    """Tell whether folders are called like parts of an examination, which repeat from patient to patient."""
    return all(re.fullmatch(r"(?i)(?:study|series|session|ses|visit|scan|view)[-_ .]?\w*", n) for n in names)


def _by_names(labels: Mapping[str, str], naming: _Naming) -> CaseGroups | None:
    """Return the groups that one way of naming gives, None where it does not apply."""
    read = _reader(naming.pattern)
    groups = {path: group for path in labels if (group := read(path))}
    if not groups or (naming.certain and 2 * len(groups) < _largest_class(labels)):
        return None
    if "left and right" in naming.source:
        groups = _both_sides(groups, read)
    if not _groups_well(groups, labels, one_label=naming.one_label):
        return None
    pattern = naming.pattern
    if len(groups) < len(labels):
        # `group_from` must match every path: one that has no such name is a group of its own
        pattern = f"^(?:.*?(?:{pattern})|.*?([^/]+)$)"
    enough = _enough_each(groups, labels)
    if not naming.certain and not enough:
        return None
    return CaseGroups(groups, naming.source, pattern, naming.certain and enough)


def _reader(pattern: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    return lambda path: first_group(compiled.search(path), "group")


def _largest_class(labels: Mapping[str, str]) -> int:
    return max(Counter(labels.values()).values())


def _both_sides(groups: Mapping[str, str], read: Callable[[str], str]) -> dict[str, str]:
    """Return the groups, or none where no name occurs with both of its sides."""
    sides: dict[str, set[str]] = defaultdict(set)
    for path, group in groups.items():
        rest = PurePosixPath(path).name[len(read(path)) :].lstrip("_- ").casefold()
        side = next(word for word in _SIDES if rest.startswith(word))
        sides[group].add({"od": "r", "os": "l"}.get(side, side[0]))  # oculus dexter, sinister
    both = sum(len(found) == 2 for found in sides.values())
    return dict(groups) if 2 * both >= len(sides) else {}


def _groups_well(groups: Mapping[str, str], labels: Mapping[str, str], *, one_label: bool) -> bool:
    """Tell whether there are several groups of several images, and (if it must be) of one class each."""
    counts = Counter(groups.values())
    inside = sum(count for count in counts.values() if count > 1)
    if len(counts) < _FEWEST_GROUPS or inside < _SHARE_GROUPED * len(labels):
        return False
    if not one_label:
        return True
    held: dict[str, set[str]] = defaultdict(set)
    for path, group in groups.items():
        held[group].add(labels[path])
    return all(len(found) == 1 for found in held.values())


def _enough_each(groups: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Tell whether each class is in two groups or more, so that a comparison stays possible."""
    held: dict[str, set[str]] = defaultdict(set)
    for path, label in labels.items():
        held[label].add(groups.get(path, path))
    return all(len(found) > 1 for found in held.values())
