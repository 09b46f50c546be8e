"""Columns of a table that look as if they name a person: they are not carried into a run unless asked for.

Only the column's name is looked at. Source of the kinds: 45 CFR 164.514(b)(2), the eighteen identifiers of
the HIPAA safe harbour, as far as they come in tables.
"""

from __future__ import annotations

import re

__all__ = ["is_identifier"]

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
    """Tell whether a column's name is one under which tables keep who somebody is.

    >>> [is_identifier(name) for name in ("PatientName", "date_of_birth", "MRN", "e-mail", "name", "subject id")]
    [True, True, True, True, True, True]
    >>> [is_identifier(name) for name in ("sex", "age", "scanner", "file_name", "class name", "site_id")]
    [False, False, False, False, False, False]
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    words = re.findall(r"[^\W_]+", apart.casefold())
    joined = "".join(words)
    if not _ALWAYS.isdisjoint([*words, joined]):
        return True
    if len(words) == 1:
        return joined in _ALONE
    return not _PERSON.isdisjoint(words) and not _OF_A_PERSON.isdisjoint(words)
