"""Cells of CSV files that a spreadsheet would take for formulas, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["guard_cell", "guard_row", "unguard_cell"]

# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection"); a plain number is none.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")  # with apostrophes before it, so that taking one away is the way back
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")


def guard_cell(cell: str) -> str:
    """Return a cell with an apostrophe in front where a spreadsheet would run it (CWE-1236).

    >>> guard_cell("=cmd|' /C calc'!A0"), guard_cell("-1.5"), guard_cell("yes"), guard_cell("'=x")
    ("'=cmd|' /C calc'!A0", '-1.5', 'yes', "''=x")
    """
    return f"'{cell}" if _is_formula(cell) else cell


def unguard_cell(cell: str) -> str:
    """Return what `guard_cell` was given.

    >>> unguard_cell("'=x"), unguard_cell("'n' roll"), unguard_cell("-1.5")
    ('=x', "'n' roll", '-1.5')
    """
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def guard_row(cells: Iterable[object]) -> list[object]:
    """Return the cells of a row, those that are text guarded."""
    return [guard_cell(cell) if isinstance(cell, str) else cell for cell in cells]


def _is_formula(cell: str) -> bool:
    return bool(_FORMULA.match(cell)) and not _NUMBER.fullmatch(cell)
