"""Numbers with their nouns, and texts that are numbers."""

from __future__ import annotations

__all__ = ["format_percent", "is_whole", "pluralize"]


def pluralize(n: int, noun: str, rest: str = "", rest_of_many: str = "") -> str:
    """Return a count with its noun, and what is said of one or of many.

    >>> pluralize(1, "group"), pluralize(3, "group")
    ('1 group', '3 groups')
    >>> pluralize(1, "file", "is left out", "are left out")
    '1 file is left out'
    """
    said = rest if n == 1 else rest_of_many or rest
    return f"{n} {noun}{'' if n == 1 else 's'}{' ' if said else ''}{said}"


def format_percent(share: float, digits: int = 0) -> str:
    """Return a share in per cent.

    >>> format_percent(0.95), format_percent(0.0125, 1)
    ('95 %', '1.2 %')
    """
    return f"{100 * share:.{digits}f} %"


def is_whole(text: str) -> bool:
    """Tell whether a text is a whole number from 0 of at most 15 digits, which `int` takes.

    `str.isdigit` is true of "²", which `int` refuses, as it refuses more than 4,300 digits.

    >>> [is_whole(text) for text in ("012", "²", "9" * 5000, "-1", "")]
    [True, False, False, False, False]
    """
    return text.isdecimal() and len(text) <= 15
