"""1xx, last: what may tell who the patients are, in the pixels or in the names of files and folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed
from headtohead.audit.checks.files import by_class
from headtohead.audit.context import AuditContext
from headtohead.core.formatting import pluralize

__all__ = ["CHECKS", "personal_kinds"]

# Only forms that hardly anything else has: a class `Dr_Severe` or a number of eight digits is no name and no birthday.
_FORMS = {
    "a name as DICOM writes it (NAME^FIRST)": re.compile(r"[^\W\d_]{2,}\^[^\W\d_]{2,}"),
    "a name after its comma (Name, First)": re.compile(
        r"(?:^|_)[A-ZÀ-Þ][a-zà-ÿ]+(?:-[A-ZÀ-Þ][a-zà-ÿ]+)?, ?[A-ZÀ-Þ][a-zà-ÿ]+"
    ),
    "a name after its title (Dr. Name, Mrs Name)": re.compile(
        r"\b(?:Dr\.|Prof\.|Mr\.?|Mrs\.?|Herr|Frau|Mme\.?|Sra?\.)[ _][A-ZÀ-Þ][a-zà-ÿ]{2,}"
    ),
    "a date of birth (born, dob, geb.)": re.compile(
        r"(?:\b|_)(?:born|birth(?:date|day)?|dob|geb(?:oren)?)[^\w]?[ _]?"
        r"(?:\d{4}[-._]?\d{2}[-._]?\d{2}|\d{2}[-._]\d{2}[-._]\d{4})(?!\d)",
        re.IGNORECASE,
    ),
}


def personal_kinds(path: str, label: str) -> Iterator[str]:
    """Yield what a path inside the data seems to tell of a person; a folder that names the class is left out.

    >>> list(personal_kinds("yes/MUELLER^ANNA/1.png", "yes"))
    ['a name as DICOM writes it (NAME^FIRST)']
    >>> list(personal_kinds("Pneumonia, Viral/patient12_20190504.png", "Pneumonia, Viral"))
    []
    """
    parts = [part for part in PurePosixPath(path).parts if part != label]
    for kind, form in _FORMS.items():
        if any(form.search(part) for part in parts):
            yield kind


def declared_letters(context: AuditContext) -> Observation:
    """Name DICOM files whose header says that letters are burnt into the image."""
    stated = {
        p.id: p.facts["burned_in_annotation"]
        for p in context.images.read
        if "burned_in_annotation" in p.facts
    }
    if not stated:
        return not_applicable("no header says whether letters are burnt in")
    burnt = [name for name, value in stated.items() if value == "yes"]
    if not burnt:
        return passed("every header that says so has no letters burnt in", stated=len(stated))
    return issue(
        f"{pluralize(len(burnt), 'image')} of {len(stated)} hold burnt-in letters by their header (BurnedInAnnotation)",
        "They may name the patient, and reach the thumbnails of pages: look at them before anything is passed on. "
        "Cover the letters in all classes alike, or leave the images out.",
        samples=burnt,
        by_class=by_class(context, burnt),
    )


def personal_names(context: AuditContext) -> Observation:
    """Count paths that seem to name a person."""
    found: dict[str, list[str]] = {}
    for sample in context.samples:
        for kind in personal_kinds(sample.path, sample.label):
            found.setdefault(kind, []).append(sample.id)
    if not found:
        return passed("no name of a file or folder looks like that of a person")
    told = {name: None for names in found.values() for name in names}
    return issue(
        f"{pluralize(len(told), 'file')} may name a person in the path: "
        + "; ".join(f"{kind} {len(names)}" for kind, names in found.items()),
        "Names of files and folders stand in every table and page. Rename them before the study, also the folders.",
        samples=told,
        kinds={kind: len(names) for kind, names in found.items()},
    )


CHECKS = (
    Check(
        "H2H132",
        "Letters burnt in, by the header",
        "warning",
        declared_letters,
        "DICOM files with BurnedInAnnotation YES: they may show the patient's name.",
    ),
    Check(
        "H2H133",
        "Persons named in paths",
        "warning",
        personal_names,
        "Names as DICOM writes them, names after a title or comma, and dates of birth in names of files and folders.",
    ),
)
