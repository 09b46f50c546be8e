"""Limits on tables, looked at before a table is taken apart; names of columns, each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from headtohead.core.errors import ManifestError
from headtohead.core.safety.limits import limit as most
from headtohead.core.safety.limits import raise_hint

__all__ = ["check_cells", "check_size", "check_text", "repeated_names"]


def check_size(name: str, n_bytes: int) -> None:
    """Refuse a table of more bytes than the limit.

    Raises:
        ManifestError: names the limit.
    """
    if n_bytes > most("table-bytes"):
        raise ManifestError(f"{name} has {n_bytes:,} bytes; {raise_hint('table-bytes')}.")


def check_cells(name: str, n_rows: int, n_columns: int) -> None:
    """Refuse a table with more rows, columns or cells than the limits.

    Raises:
        ManifestError: names the limit.
    """
    for kind, count in (("rows", n_rows), ("columns", n_columns), ("cells", n_rows * n_columns)):
        if count > most(f"table-{kind}"):
            raise ManifestError(f"{name} has {count:,} {kind}; {raise_hint(f'table-{kind}')}.")


def check_text(name: str, text: str, marks: str) -> None:
    """Refuse text that may hold more cells than the limit.

    Args:
        name: of the file, for messages.
        text: of the table.
        marks: the characters that stand between cells or records; each may begin another cell.

    Raises:
        ManifestError: names the limit.
    """
    count = sum(text.count(mark) for mark in marks)
    if count > most("table-cells"):
        raise ManifestError(f"{name} has about {count:,} cells; {raise_hint('table-cells')}.")


def repeated_names(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, sorted.

    >>> repeated_names(["a", "b", "a"])
    ['a']
    """
    return sorted(name for name, count in Counter(names).items() if count > 1)
