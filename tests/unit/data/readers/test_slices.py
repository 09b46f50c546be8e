"""Slices of a volume: which are picked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.errors import NoEffectError, UsageError
from headtohead.data.readers.slices import SliceOptions, choose


@given(total=st.integers(1, 400), wanted=st.integers(1, 500))
def test_slices_are_ascending_distinct_and_within_the_volume(total: int, wanted: int) -> None:
    for options in (SliceOptions(count=wanted), SliceOptions(middle=wanted)):
        numbers = choose(total, options)
        assert len(numbers) == min(wanted, total)
        assert numbers == sorted(set(numbers)) and numbers[0] >= 0 and numbers[-1] < total


def test_middle_slices_lie_around_the_middle_and_spread_ones_in_equal_parts() -> None:
    assert choose(9, SliceOptions(middle=3)) == [3, 4, 5]
    assert choose(12, SliceOptions(count=3)) == [2, 6, 10]
    assert choose(3, SliceOptions()) == [0, 1, 2]


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="expected one of axial, coronal, sagittal"):
        SliceOptions("oblique")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="expected at least 1"):
        SliceOptions(count=0)
    with pytest.raises(NoEffectError, match="give one"):
        SliceOptions(count=2, middle=2)
