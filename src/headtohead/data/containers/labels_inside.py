"""Labels and patients that MATLAB files carry inside, as the figshare brain tumour set does (`cjdata`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from headtohead.core.errors import UnreadableError
from headtohead.core.formatting import pluralize
from headtohead.data.entry import Entry
from headtohead.data.file_problems import FileProblem
from headtohead.data.readers.array_files.array_file import ArrayFile
from headtohead.data.readers.array_files.matlab import open_matlab
from headtohead.data.readers.errors import decoding_errors
from headtohead.data.storage.store import Store

__all__ = ["LabelledFiles", "labels_inside"]

_LABEL = re.compile(r"(^|/)(label|class|target|diagnosis)$", re.IGNORECASE)
_PATIENT = re.compile(r"(^|/)(pid|patient_?id|patient|subject_?id|subject)$", re.IGNORECASE)
_TUMOURS = (
    "In the figshare brain tumour set (cjdata) 1 is meningioma, 2 glioma and 3 pituitary tumour: to name them, add "
    "--map-labels 1=meningioma,2=glioma,3=pituitary."
)


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """Images whose files hold their labels."""

    entries: tuple[Entry, ...]
    problems: tuple[FileProblem, ...]
    notes: tuple[str, ...]
    groups_from: str


def labels_inside(store: Store, paths: Iterable[str]) -> LabelledFiles | None:
    """Return the files with the labels and patients inside them, or None where they hold none.

    Patients are named after their first file, not by their id.

    Args:
        store: holds the files.
        paths: of all images; nothing is done unless all are MATLAB files.
    """
    names = sorted(paths)
    if not names or not all(name.lower().endswith(".mat") for name in names):
        return None
    entries: list[Entry] = []
    problems: list[FileProblem] = []
    patients: dict[str, str] = {}
    keys: set[str] = set()
    for name in names:
        try:
            file = _opened(store, name)
            key, label = _text(file, _LABEL)
            _, patient = _text(file, _PATIENT)
        except UnreadableError as error:
            problems.append(FileProblem(name, str(error)))
            continue
        if not label:
            problems.append(FileProblem(name, f"it holds no label; it holds {_held(file)}"))
            continue
        keys.add(key)
        group = f"patient of {patients.setdefault(patient, name)}" if patient else None
        entries.append(Entry(name, label=label, group=group))
    if not entries:
        return None
    notes = [
        f"Labels are read from {_joined(keys)} in {pluralize(len(entries), 'MATLAB file')}, not from folders."
    ]
    if patients:
        known = sum(entry.group is not None for entry in entries)
        notes.append(
            f"{pluralize(len(patients), 'patient')} are named in {known} of these files: they are the groups."
        )
    labels = {entry.label for entry in entries}
    if any(key.startswith("cjdata/") for key in keys) and labels <= {"1", "2", "3"}:
        notes.append(_TUMOURS)
    return LabelledFiles(
        tuple(entries), tuple(problems), tuple(notes), "the patient ids in the files" if patients else ""
    )


def _opened(store: Store, name: str) -> ArrayFile:
    with decoding_errors("it is no readable MATLAB file"):
        return open_matlab(store.read(name))


def _text(file: ArrayFile, pattern: re.Pattern[str]) -> tuple[str, str]:
    """Return name and value of the only single number or text of such a name; both "" where there is none."""
    found = [
        name
        for name, stored in file.arrays.items()
        if pattern.search(name) and (stored.is_text or (stored.is_numeric and stored.n_values == 1))
    ]
    if len(found) != 1:
        return "", ""
    value = file.whole(found[0]).ravel()[0]
    if isinstance(value, bytes):
        return found[0], value.decode("utf-8", "replace").strip()
    if isinstance(value, str):
        return found[0], value.strip()
    return found[0], f"{float(value):.12g}"  # MATLAB's numbers are doubles: 1.0 is the class 1


def _held(file: ArrayFile) -> str:
    return ", ".join(list(file.arrays)[:8]) or "nothing that is read"


def _joined(keys: set[str]) -> str:
    return " and ".join(sorted(keys))
