"""File names that look like slices of one case."""

from __future__ import annotations

import re

__all__ = ["case_of"]

# The end of the name of one slice of a case, "_slice-012", read backwards: a pattern that has to find where the end
# begins takes the square of a name's length.
_SERIES_WORDS = ("slice", "frame", "img", "image", "view", "s", "z", "f", "im")
_SERIES_END = re.compile(
    rf"\d+[_\-]?(?:{'|'.join(word[::-1] for word in _SERIES_WORDS)})?[_\- .]+(?P<case>.*)",
    re.IGNORECASE | re.DOTALL,
)


def case_of(stem: str) -> str:
    """Return the part of a file's name before the number of the slice, "" where it does not look like one.

    >>> case_of("p012_slice3"), case_of("scan 7"), case_of("12"), case_of("photo")
    ('p012', 'scan', '', '')
    """
    found = _SERIES_END.match(stem[::-1])
    case = found["case"][::-1] if found else ""
    return case if re.search(r"[a-z0-9]", case, re.IGNORECASE) else ""
