"""Numbers with their nouns."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.formatting import format_percent, is_whole, pluralize


@pytest.mark.parametrize(
    ("n", "said"),
    [(0, "0 files are left out"), (1, "1 file is left out"), (2, "2 files are left out")],
)
def test_zero_and_many_are_plural(n: int, said: str) -> None:
    assert pluralize(n, "file", "is left out", "are left out") == said


def test_one_ending_serves_both_where_no_other_is_given() -> None:
    assert [pluralize(n, "row", "in all") for n in (1, 3)] == ["1 row in all", "3 rows in all"]


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_whole_texts_are_those_that_int_takes_for_a_count(text: str) -> None:
    if is_whole(text):
        assert 0 <= int(text) < 10**15


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**15 - 1))
def test_every_count_is_whole(n: int) -> None:
    assert is_whole(str(n)) and not is_whole(f" {n}") and not is_whole(f"{n}.0")


def test_sixteen_digits_are_too_many() -> None:
    assert is_whole("9" * 15) and not is_whole("9" * 16)


def test_per_cent_is_rounded_not_cut() -> None:
    assert [format_percent(x) for x in (0.0, 0.994, 0.996, 1.0)] == ["0 %", "99 %", "100 %", "100 %"]
    assert format_percent(1 / 3, 2) == "33.33 %"
