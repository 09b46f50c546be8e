"""What was understood of a data set, as `audit.json` keeps it, in rows: terminal and report show the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["ALONE", "count_left_out", "data_rows", "mode_words"]

ALONE = "each file alone"
"""Where groups come from that nothing gives."""

_MODES = {
    "L": "grey",
    "I;16": "grey of 16 bits",
    "1": "black and white",
    "P": "palette",
    "LA": "grey with transparency",
    "RGBA": "RGB with transparency",
}
# More classes than this fill a screen.
_MOST_CLASSES = 20


def data_rows(record: Mapping[str, Any], positive_doubt: str = "") -> list[tuple[str, str]]:
    """Return (what, text) rows of the record `data` of `audit.json`.

    Args:
        record: with the keys classes, positive, split, n_samples, n_groups, groups_from and left_out.
        positive_doubt: why the positive class is a guess, "" where it is known.

    >>> record = {"classes": {"no": 3, "yes": 2}, "positive": "yes", "split": None, "n_samples": 5, "n_groups": 5,
    ...           "groups_from": "each file alone", "left_out": []}
    >>> data_rows(record)[1]
    ('classes', 'no 3, yes 2')
    """
    classes = record["classes"]
    rows = [
        ("images", f"{record['n_samples']} in {_classes(len(classes))}"),
        ("classes", _counts(classes)),
    ]
    if record["positive"] is not None:
        guess = f" (a guess: {positive_doubt})" if positive_doubt else ""
        rows.append(("positive", f"{record['positive']}{guess}"))
    rows.append(("split", _counts(record["split"]) if record["split"] else "none in the data"))
    rows.append(("groups", _groups(record)))
    rows += [("left out", _left_out(one)) for one in record["left_out"]] or [("left out", "nothing")]
    return rows


def mode_words(mode: str) -> str:
    """Return the colour mode of a file, as Pillow calls it, in words.

    >>> mode_words("L"), mode_words("RGB")
    ('grey', 'RGB')
    """
    return _MODES.get(mode, mode)


def _groups(record: Mapping[str, Any]) -> str:
    """Return how many groups there are and where they come from, also after the search for copies has joined some."""
    source, n = record["groups_from"], record["n_groups"]
    if source != ALONE:
        return f"{n}, from {source}"
    joined = n < record["n_samples"]
    return (
        f"{n}: images found to belong together form one group; every other image is a group of its own"
        if joined
        else f"{n}, {source}"
    )


def _classes(n: int) -> str:
    return "1 class" if n == 1 else f"{n} classes"


def _counts(counts: Mapping[str, int]) -> str:
    shown = [f"{name} {n}" for name, n in list(counts.items())[:_MOST_CLASSES]]
    rest = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _left_out(one: Mapping[str, Any]) -> str:
    return count_left_out(one["n"], one["why"]) + (
        f": {_counts(one['per_class'])}" if one["per_class"] else ""
    )


def count_left_out(n: int, why: str) -> str:
    """Return a count with the reason, in the singular for one file.

    >>> count_left_out(1, "files that could not be read"), count_left_out(2, "files that are not images")
    ('1 file that could not be read', '2 files that are not images')
    """
    if n != 1:
        return f"{n} {why}"
    for many, single in (("files", "file"), ("images", "image"), ("masks", "mask"), ("rows", "row")):
        # Up to two words may stand before the noun ("2 DICOM files").
        why = re.sub(rf"^((?:\S+ ){{0,2}}?){many}\b", rf"\1{single}", why)
    for many, single in (
        ("that do not", "that does not"),
        ("which are not", "which is not"),
        ("that are not images", "that is not an image"),
    ):
        why = why.replace(many, single)
    return f"1 {why}"
