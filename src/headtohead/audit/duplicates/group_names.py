"""Names of groups: the patient's where one is given, else a number that depends on ids alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from headtohead.core.records import Sample

__all__ = ["given_groups", "name_groups"]

_SHOWN = 3  # samples named in one group before "+n more"


def given_groups(samples: Iterable[Sample]) -> dict[str, list[str]]:
    """Return group name -> sample ids for the groups that came with the data.

    A sample whose group is its own id was given none.
    """
    found: dict[str, list[str]] = {}
    for sample in samples:
        if sample.group not in {"", sample.id}:
            found.setdefault(sample.group, []).append(sample.id)
    return found


def name_groups(components: Iterable[Sequence[str]], given: dict[str, list[str]]) -> dict[str, str]:
    """Return sample id -> group name.

    Args:
        components: sample ids that belong together.
        given: names that came with the data.

    >>> name_groups([["b", "c"], ["a"]], {})
    {'a': 'g0001', 'b': 'g0002', 'c': 'g0002'}
    >>> name_groups([["a", "b"], ["c"]], {"p7": ["b"]})
    {'a': 'p7', 'b': 'p7', 'c': 'g0002'}
    """
    # a patient called g0007 must not be taken for the seventh scene found
    prefix = "scene-g" if any(re.fullmatch(r"g\d+", name) for name in given) else "g"
    owner = {one: name for name, ids in given.items() for one in ids}
    named: dict[str, str] = {}
    for number, ids in enumerate(sorted(sorted(one) for one in components), start=1):
        owners = sorted({owner[one] for one in ids if one in owner})
        rest = f"+{len(owners) - 1} more" if len(owners) > _SHOWN else ""
        shown = owners[:1] if rest else owners
        named |= dict.fromkeys(ids, "+".join(shown) + rest if owners else f"{prefix}{number:04d}")
    return named
