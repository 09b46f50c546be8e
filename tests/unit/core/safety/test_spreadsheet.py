"""Cells that a spreadsheet would run, and the way back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.safety.spreadsheet import guard_cell, guard_row, unguard_cell


@given(st.text(st.sampled_from("'=+-@\t\r1.,ea ")) | st.text())
def test_every_cell_comes_back(cell: str) -> None:
    assert unguard_cell(guard_cell(cell)) == cell


@given(st.text(st.sampled_from("'=+-@\t\rcmd1.")))
def test_no_formula_is_left(cell: str) -> None:
    shown = guard_cell(cell)
    if shown[:1] in ("=", "@", "\t", "\r"):
        raise AssertionError(shown)
    if shown[:1] in ("+", "-"):
        float(shown.replace(",", "."))


def test_numbers_stay_numbers() -> None:
    assert guard_row(["-1.5", "+2", "1e-3", -3, None, "=1+1"]) == ["-1.5", "+2", "1e-3", -3, None, "'=1+1"]
