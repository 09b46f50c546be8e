"""Folder layouts as pure lists of paths: what a doubled folder is, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from headtohead.data.listing.folder_layout import drop_repeated_folders, labels_from_folders

NAMES = st.text(alphabet="abcxyz ._-0", min_size=1, max_size=4).filter(lambda name: name.strip(".") == name)
TREES = st.dictionaries(
    st.tuples(NAMES, NAMES, NAMES).map("/".join), st.integers(0, 3), min_size=3, max_size=12
).filter(lambda tree: len({path.split("/")[0] for path in tree}) > 1)


@settings(max_examples=80, deadline=None)
@given(tree=TREES, copy=NAMES)
def test_a_copy_inside_is_dropped_whole_and_nothing_else(tree: dict[str, int], copy: str) -> None:
    assume(copy not in {part for path in tree for part in path.split("/")})
    alone = labels_from_folders(tree, lambda a, b: tree[a] == tree[b])
    doubled = tree | {f"{copy}/{path}": content for path, content in tree.items()}
    both = labels_from_folders(doubled, lambda a, b: doubled[a] == doubled[b])
    assert both.entries == alone.entries and both.problems == alone.problems


@settings(max_examples=80, deadline=None)
@given(tree=TREES)
def test_images_that_all_differ_are_all_kept(tree: dict[str, int]) -> None:
    places, _ = drop_repeated_folders(tree, lambda a, b: False)
    assert places == {path: path for path in sorted(tree)}


@pytest.mark.parametrize(
    ("paths", "labels"),
    [
        (["a/1", "b/2"], ["a", "b"]),
        (["data/a/1", "data/b/2"], ["a", "b"]),
        (["d/e/a/x/1", "d/e/b/2"], ["a", "b"]),
        (["train/a/1", "train/b/2"], ["a", "b"]),
        (["set/Train/a/1", "set/VAL/b/2"], ["a", "b"]),
        (["a/train/1", "b/test/2"], ["a", "b"]),
        (["train/1", "a/2", "b/3"], ["a", "b", "train"]),
    ],
)
def test_where_the_class_folder_is(paths: list[str], labels: list[str]) -> None:
    placed = labels_from_folders(paths, lambda a, b: False)
    assert sorted({entry.label for entry in placed.entries}) == labels and not placed.problems


def test_what_lies_beside_split_folders_is_left_out_aloud() -> None:
    placed = labels_from_folders(["train/a/1", "test/a/2", "runs/a/3"], lambda a, b: False)
    assert {(entry.label, entry.split) for entry in placed.entries} == {("a", "train"), ("a", "test")}
    assert [problem.path for problem in placed.problems] == ["runs/a/3"]
    assert any("'runs' (1 images)" in note for note in placed.notes)


def test_a_lone_split_word_beside_other_folders_is_a_class_like_any() -> None:
    placed = labels_from_folders(["test/1", "healthy/2", "ill/3"], lambda a, b: False)
    assert {entry.label for entry in placed.entries} == {"test", "healthy", "ill"}
    assert {entry.split for entry in placed.entries} == {None}


def test_images_straight_in_a_split_folder_have_no_label() -> None:
    placed = labels_from_folders(["train/a/1", "train/b/1", "test/1.png"], lambda a, b: False)
    assert [(p.path, p.reason) for p in placed.problems] == [
        ("test/1.png", "lies in 'test', not in a class folder")
    ]
