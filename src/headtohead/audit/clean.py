"""A manifest without what was decided against; the original files are never touched."""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import InsufficientDataError, ManifestError, UsageError
from headtohead.core.records import Sample
from headtohead.core.safety.spreadsheet import guard_row, unguard_cell
from headtohead.data.dataset import SLICE_AXIS
from headtohead.data.listing.table_reader import matches_role

if TYPE_CHECKING:
    from headtohead.audit.duplicates import Grouping
    from headtohead.data.dataset import Dataset

__all__ = ["CleanPlan", "Dropped", "Keep", "check_replaceable", "plan_clean", "read_decisions", "write_clean"]

Keep = Literal["grouped", "one-per-group"]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that is left out, and why."""

    path: str
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class CleanPlan:
    """What stays (sample and its group), and what is left out."""

    root: str
    kept: tuple[tuple[Sample, str], ...]
    dropped: tuple[Dropped, ...]

    @property
    def n_groups(self) -> int:
        """Number of groups that stay."""
        return len({group for _, group in self.kept})


def plan_clean(
    dataset: Dataset, grouping: Grouping, *, keep: Keep = "grouped", without: Mapping[str, str] | None = None
) -> CleanPlan:
    """Decide which samples stay.

    Unreadable files go. A group whose members carry different labels goes whole: which label is
    right cannot be seen in the pixels. Groups that came with the data (patients) are no copies
    and keep all members, whatever `keep` says; only copies found in the pixels are thinned.

    Args:
        dataset: the samples.
        grouping: duplicate groups.
        keep: "grouped" keeps all members with their group; "one-per-group" the largest image of
            each set of copies (then the one with more bytes, then the first by id).
        without: path -> reason, what a reviewer decided.

    Raises:
        InsufficientDataError: fewer than two classes would be left.
    """
    decided = dict(without or {})
    dropped = [Dropped(p.path, "", f"unreadable: {p.reason}") for p in dataset.problems]
    gone = {s.id: f"reviewer: {decided[s.path]}" for s in dataset.samples if s.path in decided}
    open_ids = {s.id for s in dataset.samples} - set(gone)
    copies = _copies(dataset, grouping, open_ids)
    for members in copies:
        gone |= _contradicting(members)
        # a contradicting scene is gone whole, so its first member tells
        if keep == "one-per-group" and members[0].id not in gone:
            best = min(members, key=lambda s: (-s.width * s.height, -s.n_bytes, s.id))
            gone |= {s.id: f"copy of {best.path}" for s in members if s.id != best.id}
    dropped += [Dropped(s.path, s.label, gone[s.id]) for s in dataset.samples if s.id in gone]
    kept = tuple((s, grouping.groups[s.id]) for s in dataset.samples if s.id not in gone)
    if len({s.label for s, _ in kept}) < 2:
        raise InsufficientDataError(
            "After leaving these files out fewer than two classes remain; leave out fewer."
        )
    return CleanPlan(dataset.root, kept, tuple(dropped))


def _copies(dataset: Dataset, grouping: Grouping, ids: set[str]) -> list[list[Sample]]:
    """Return sets of verified copies (exact and near), by joining the pairs."""
    parent = {i: i for i in ids}

    def top(i: str) -> str:
        while parent[i] != i:
            parent[i] = parent[parent[i]]  # path halving (Tarjan and van Leeuwen 1984)
            i = parent[i]
        return i

    # the smaller id becomes the root, so sets do not depend on the order of pairs
    for pair in grouping.pairs:
        if pair.a in ids and pair.b in ids and grouping.groups[pair.a] == grouping.groups[pair.b]:
            parent[max(top(pair.a), top(pair.b))] = min(top(pair.a), top(pair.b))
    equal: dict[str, str] = {}
    for s in dataset.samples:
        if s.id in ids:
            first = equal.setdefault(s.pixel_hash, s.id)
            parent[max(top(s.id), top(first))] = min(top(s.id), top(first))
    held: dict[str, list[Sample]] = defaultdict(list)
    for s in dataset.samples:
        if s.id in ids:
            held[top(s.id)].append(s)
    return [members for members in held.values() if len(members) > 1]


def _contradicting(members: list[Sample]) -> dict[str, str]:
    labels = sorted({s.label for s in members})
    if len(labels) < 2:
        return {}
    return {s.id: f"the same scene is labelled {' and '.join(labels)}" for s in members}


def read_decisions(path: Path, dataset: Dataset) -> dict[str, str]:
    """Read a reviewer's list of files to leave out.

    Args:
        path: CSV with the columns path and reason; paths as in groups.csv.
        dataset: every path must be in it.

    Raises:
        UsageError: there is no such file.
        ManifestError: a column is missing, a reason is empty, or a path is unknown.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}; expected a CSV with the columns path and reason.")
    with path.open(newline="", encoding="utf-8-sig") as stream:  # Excel begins a CSV with a byte order mark
        table = csv.DictReader(stream)
        columns = table.fieldnames or []
        if not {"path", "reason"} <= set(columns):
            raise ManifestError(f"{path.name} has the columns {list(columns)}; expected path and reason.")
        found = {unguard_cell(row["path"] or ""): (row["reason"] or "").strip() for row in table}
    unknown = sorted(set(found) - {s.path for s in dataset.samples})
    if unknown:
        raise ManifestError(
            f"{path.name} names {len(unknown)} files that are not in the data: {unknown[:5]}."
        )
    empty = sorted(name for name, reason in found.items() if not reason)
    if empty:
        raise ManifestError(f"{path.name} gives no reason for {empty[:5]}; say why each file is left out.")
    return found


def check_replaceable(out: Path) -> Path:
    """Return where the manifest goes, unless a file is there that `clean` did not write.

    Raises:
        UsageError: it is another file; a manifest of `clean` has the list of what was left out beside it.
    """
    if out.is_file() and not out.with_name(f"{out.stem}.dropped.csv").is_file():
        raise UsageError(
            f"{out} exists and was not written by clean (no {out.stem}.dropped.csv is beside it), so it is not "
            "replaced. Choose another --out."
        )
    return out


def write_clean(plan: CleanPlan, out: Path) -> Path:
    """Write the manifest `path,label,group` (with `frame`, `split` and further columns where there are any).

    Paths are written relative to the manifest's own folder, so that `headtohead compare NEW.csv` finds them.

    Args:
        plan: of `plan_clean`.
        out: the CSV to write; `<stem>.dropped.csv` is put next to it.

    Returns:
        the path of the list of what was left out.

    Raises:
        UsageError: the manifest would lie over a file of the data, the data is not a folder, or slices are not
            axial.
    """
    root = Path(plan.root)
    if not root.is_dir():
        raise UsageError(
            f"A manifest can only point into a folder; {plan.root} is no local folder. Unpack or download it first."
        )
    if any(SLICE_AXIS in s.extra for s, _ in plan.kept):
        raise UsageError(
            "These slices are not axial, and the column frame of a manifest counts axial slices. Clean with axial "
            "slices, or keep the source as it is and give groups back with --groups."
        )
    if any((root / s.path).resolve() == out.resolve() for s, _ in plan.kept):
        raise UsageError(f"{out} is a file of the data itself; choose another name for the manifest.")
    target = out.with_name(f"{out.stem}.dropped.csv")
    write_atomic(out, _manifest(plan, root, out))
    write_atomic(
        target, _table([("path", "label", "reason"), *((d.path, d.label, d.reason) for d in plan.dropped)])
    )
    return target


def _manifest(plan: CleanPlan, root: Path, out: Path) -> str:
    framed = any(s.frame is not None for s, _ in plan.kept)
    split = any(s.split is not None for s, _ in plan.kept)
    heads = ["path", "label", "group", *(["frame"] if framed else []), *(["split"] if split else [])]
    base = os.path.relpath(root.resolve(), out.resolve().parent)
    known = {name for s, _ in plan.kept for name in s.extra}
    # names with a colon are the listing's own facts; a column named like a role would be read as that role
    further = sorted(name for name in known if ":" not in name and not matches_role(name))
    rows = []
    for s, group in plan.kept:
        row = [(Path(base) / s.path).as_posix(), s.label, group]
        row += ["" if s.frame is None else str(s.frame)] if framed else []
        row += [s.split or ""] if split else []
        rows.append([*row, *(s.extra.get(name, "") for name in further)])
    return _table([[*heads, *further], *rows])


def _table(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(guard_row, rows))
    return text.getvalue()
