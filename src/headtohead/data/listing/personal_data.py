"""Keep who somebody is out of what is written: patients of DICOM files, and columns of tables.

Patients: the reader hashes a patient's id with a secret that lives as long as the process and is written
nowhere, enough to tell within one load which files belong together. What is written is a hash over the
contents of those files. So nobody can try ids against the output, and the same data give the same names on
every machine and after a resume.

Columns: only the column's name is looked at. Source of the kinds: 45 CFR 164.514(b)(2), the eighteen
identifiers of the HIPAA safe harbour, as far as they come in tables.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

from headtohead.core.records import Sample
from headtohead.data.dataset import GIVEN_GROUP

__all__ = ["KINDS", "is_identifier", "pseudonymise_patients"]

KINDS = ("patient", "series")
"""What a DICOM file is grouped by, in the order of preference; the first word of the group's name."""


def pseudonymise_patients(samples: Sequence[Sample]) -> list[Sample]:
    """Rename the groups that come from DICOM ids after the contents of their files.

    Args:
        samples: with groups "patient <hash>" or "series <hash>" where an id made them, and any other
            name otherwise; groups given with the data are left alone.

    Returns:
        The samples in their order.
    """
    files: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if _by_id(sample):
            files[sample.group].add(sample.sha256)
    names = {group: _name(group.partition(" ")[0], hashes) for group, hashes in files.items()}
    return [
        sample.model_copy(update={"group": names[sample.group]}) if _by_id(sample) else sample
        for sample in samples
    ]


def _by_id(sample: Sample) -> bool:
    # a file that stands alone may itself be called "patient …"
    given = GIVEN_GROUP in sample.extra or sample.group == sample.path
    return sample.format == "DICOM" and not given and sample.group.partition(" ")[0] in KINDS


def _name(kind: str, hashes: set[str]) -> str:
    whole = hashlib.sha256("\n".join([kind, *sorted(hashes)]).encode())
    return f"{kind} {whole.hexdigest()[:16]}"  # 64 bits: no two groups meet by chance


_ALWAYS_WORDS = """
dob birth birthday birthdate mrn ssn nhs nino address street city town zip zipcode postcode postal phone
telephone tel mobile fax email mail accession passport licence license insurance surname forename firstname
lastname fullname givenname familyname maiden initials uid uuid guid url ip date datetime timestamp
patientname patientid patientsname birthtime comment comments note notes
"""
_ALWAYS = frozenset(_ALWAYS_WORDS.split())
"""Words that make a column an identifier wherever they stand in its name."""

_PERSON_WORDS = """
patient patients subject person participant client case referring requesting performing reading physician
doctor dr radiologist operator technician nurse mother father parent first last full given family middle
sur legal hospital institution
"""
_PERSON = frozenset(_PERSON_WORDS.split())
_OF_A_PERSON = frozenset({"name", "names", "id", "ids", "identifier", "number", "no", "nr", "key", "code"})
"""What names somebody next to a word of `_PERSON`, or alone."""

_ALONE = frozenset({"name", "names", "id", "identifier", "patient", "person", "physician", "doctor"})


def is_identifier(column: str) -> bool:
    """Tell whether a column's name suggests that it identifies a person.

    >>> [is_identifier(name) for name in ("PatientName", "date_of_birth", "MRN", "e-mail", "name", "subject id")]
    [True, True, True, True, True, True]
    >>> [is_identifier(name) for name in ("sex", "age", "scanner", "file_name", "class name", "site_id")]
    [False, False, False, False, False, False]
    """
    # PatientName and MRNCode are two words each
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    words = re.findall(r"[^\W_]+", apart.casefold())
    joined = "".join(words)
    if not _ALWAYS.isdisjoint([*words, joined]):  # joined, for "e-mail"
        return True
    if len(words) == 1:
        return joined in _ALONE
    return not _PERSON.isdisjoint(words) and not _OF_A_PERSON.isdisjoint(words)
