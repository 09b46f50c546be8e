"""Classes that stand in front of file names (`Cov-clip1.jpg`), where the folders name none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

__all__ = ["prefix_advice"]

_PREFIX = r"(?:^|/)([A-Za-z]+)[-_ .(][^/]*$"
_MOST_CLASSES = 10


def prefix_advice(paths: Collection[str]) -> str:
    """Return the option that reads classes from the beginnings of the file names, with their counts; "" without any.

    >>> prefix_advice(["x/Cov-1.jpg", "x/Cov-2.jpg", "x/Reg-1.jpg", "x/Reg-2.jpg"])
    "The names begin with Cov (2), Reg (2): --label-from '(?:^|/)([A-Za-z]+)[-_ .(][^/]*$' makes these the classes."
    """
    found = [match[1] for path in paths if (match := re.search(_PREFIX, path))]
    counts = Counter(found)
    if len(found) < len(paths) or not 2 <= len(counts) <= _MOST_CLASSES or min(counts.values()) < 2:
        return ""
    listed = ", ".join(f"{name} ({n})" for name, n in sorted(counts.items()))
    return f"The names begin with {listed}: --label-from '{_PREFIX}' makes these the classes."
