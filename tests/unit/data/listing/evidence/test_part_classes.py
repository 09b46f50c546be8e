"""Classes of the parts of a split: what is missing where, and the option that joins two names."""

from __future__ import annotations

from headtohead.data.listing.evidence.part_classes import part_differences


def test_equal_parts_have_no_difference() -> None:
    assert part_differences([("train", "a"), ("train", "b"), ("test", "b"), ("test", "a"), (None, "c")]) == []


def test_a_class_of_each_part_alone_is_named() -> None:
    [found] = part_differences([("train", "a"), ("train", "b"), ("val", "a"), ("val", "d")])
    assert (found.part, found.only_there, found.only_in_train, found.renames) == ("val", ("d",), ("b",), {})
    assert "--map-labels" not in str(found)


def test_a_longer_name_is_joined_to_the_shorter_whichever_part_has_it() -> None:
    [found] = part_differences([("train", "cyst"), ("test", "Cyst_left"), ("train", "no"), ("test", "no")])
    assert str(found).endswith("If they are the same classes: --map-labels 'Cyst_left=cyst'.")


def test_without_a_train_part_nothing_is_compared() -> None:
    assert part_differences([("val", "a"), ("test", "b")]) == []
