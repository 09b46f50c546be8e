"""Files that are left out with their reasons, and shortened lists for messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["FileProblem", "truncate_list"]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that is left out, and why.

    Attributes:
        path: relative to the data's root, with forward slashes.
        reason: one sentence.
        entry: the line that the file would have in the digest, so that the digest of the images
            on disk can be compared without decoding any; empty where the file has no label either.
    """

    path: str
    reason: str
    entry: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def truncate_list(items: Iterable[object], keep: int = 10) -> str:
    """Join items with commas, the first `keep` and the number of the others.

    >>> truncate_list(["a", "b", "c"], keep=2)
    'a, b and 1 more'
    """
    names = [str(item) for item in items]
    rest = len(names) - keep
    return ", ".join(names[:keep]) + (f" and {rest} more" if rest > 0 else "")
