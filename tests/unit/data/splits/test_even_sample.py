"""A few items are taken from all of a list, also where it stands class by class."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from headtohead.data.splits.even_sample import evenly_spaced


@given(st.integers(0, 300), st.integers(1, 60))
def test_items_are_taken_over_the_whole_list_in_even_steps(n: int, most: int) -> None:
    found = evenly_spaced(range(n), most)
    assert len(found) == min(n, most) and list(found) == sorted(set(found))
    if n > most:
        steps = [b - a for a, b in itertools.pairwise([*found, n])]
        assert found[0] == 0 and max(steps) - min(steps) <= 1


def test_of_images_that_stand_class_by_class_each_class_is_among_those_looked_at() -> None:
    """The planted defect: a step of whole items takes the first 40 of 79, all of one class."""
    labels = ["no"] * 40 + ["yes"] * 39
    assert set(labels[:: len(labels) // 40][:40]) == {"no"}
    assert sorted(evenly_spaced(labels, 40)).count("yes") in (19, 20)
