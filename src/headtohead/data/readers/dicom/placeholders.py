"""Placeholders used as patient ids ("ANON", zeros); needs no DICOM library."""

from __future__ import annotations

__all__ = ["PLACEHOLDER", "is_placeholder"]

PLACEHOLDER = "patient_placeholder"
"""The fact ("yes") that a file's patient id is empty or a placeholder; there is no `patient` then."""

_WORDS = """anon anonym anonymous anonymouspatient anonymized anonymised anonpatient unknown unknownpatient
    unnamed none null nil na nan noid nopatientid notavailable notspecified undefined empty deidentified
    removed redacted deleted hidden masked patient patientid patientname subject name test testpatient dummy"""
_PLACEHOLDERS = frozenset(_WORDS.split())


def is_placeholder(value: str) -> bool:
    """Tell whether a patient id is a placeholder: empty, a known word, zeros, x's, no letter or digit at all.

    Such an id is the same on files of many patients and would make one group of them.

    >>> [is_placeholder(value) for value in ("", "ANON", "anonymous^", "000", "XXXX", "-")]
    [True, True, True, True, True, True]
    >>> [is_placeholder(value) for value in ("p012", "7", "ANON-0031", "10")]
    [False, False, False, False]
    """
    plain = "".join(c for c in value.casefold() if c.isalnum())
    return plain in _PLACEHOLDERS or set(plain) <= {"0"} or set(plain) <= {"x"}
