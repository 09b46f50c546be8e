"""The level of the classes, for any names of folders."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headtohead.data.listing.class_level import names_of_cases, read_levels

NAMES = st.sampled_from(
    ["train", "test", "val", "yes", "no", "patient001", "part_1", "images", "masks", "a", "1"]
)
PATHS = st.lists(st.lists(NAMES, min_size=0, max_size=4), min_size=1, max_size=12)


@given(PATHS)
def test_every_path_is_labelled_or_set_aside_never_both_and_never_a_split(folders: list[list[str]]) -> None:
    parts = {"/".join([*folder, f"{i}.png"]): [*folder, f"{i}.png"] for i, folder in enumerate(folders)}
    found = read_levels(parts)
    assert set(found.labels) | set(found.aside) == set(parts)
    assert not set(found.labels) & set(found.aside)
    assert set(found.splits) <= set(found.labels) and set(found.groups) <= set(found.labels)
    assert all(label in parts[path][:-1] for path, label in found.labels.items())


def test_the_order_of_paths_does_not_matter() -> None:
    parts = {f"{s}/{c}/{i}": [s, c, str(i)] for s in ("train", "test") for c in "ab" for i in range(3)}
    turned = dict(reversed(list(parts.items())))
    assert read_levels(parts).labels == read_levels(turned).labels


def test_grades_are_classes_and_case_numbers_are_not() -> None:
    assert not names_of_cases([f"grade_{i}" for i in range(9)])
    assert not names_of_cases([str(i) for i in range(11)])
    assert names_of_cases([f"sub-CLNC{i:04}" for i in range(3)])
    assert names_of_cases([f"Mass-Training_P_{i:05}_LEFT_CC" for i in range(3)])
