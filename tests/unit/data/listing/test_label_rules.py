"""Labels and groups from paths, renamed and dropped labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import (
    DataError,
    InsufficientDataError,
    UnknownNameError,
    UsageError,
)
from headtohead.data.load import LoadOptions, load, source_digest

Image = Callable[..., bytes]


Tree = Callable[[dict[str, bytes]], Path]


def two_classes(image: Image, n: int = 3) -> dict[str, bytes]:
    return {f"{name}/{i}.png": image(i + 10 * (name == "yes")) for name in ("yes", "no") for i in range(n)}


def test_labels_and_groups_from_the_path(image: Image, tree: Tree) -> None:
    root = tree(
        {
            f"p{p:03d}_slice{i}_{c}.png": image(100 * p + i)
            for p, c in ((1, "ill"), (2, "well"))
            for i in range(2)
        }
    )
    options = LoadOptions(label_from=r"_(?P<label>[a-z]+)\.png$", group_from=r"(p\d+)_", positive="ill")
    data = load(str(root), options)
    assert data.classes == ("well", "ill")
    assert {s.group for s in data.samples} == {"p001", "p002"}
    assert source_digest(str(root), options) == data.digest()


def test_patterns_that_match_nothing_or_not_all(image: Image, tree: Tree) -> None:
    root = str(tree(two_classes(image) | {"yes/odd.png": image(70)}))
    with pytest.raises(DataError, match="matches none of 7 paths"):
        load(root, LoadOptions(label_from=r"(tumou?r)"))
    partly = load(root, LoadOptions(label_from=r"^(yes|no)/\d"))
    assert [problem.path for problem in partly.problems] == ["yes/odd.png"]
    with pytest.raises(DataError, match=r"does not match 1 of 7 paths: yes/odd\.png"):
        load(root, LoadOptions(group_from=r"/(\d)"))
    with pytest.raises(UsageError, match="no group in parentheses"):
        load(root, LoadOptions(group_from=r"\d"))
    with pytest.raises(UsageError, match="not a regular expression"):
        load(root, LoadOptions(label_from="("))


def test_map_and_drop_labels(image: Image, tree: Tree) -> None:
    root = str(tree({f"{c}/{i}.png": image(10 * k + i) for k, c in enumerate("abcd") for i in range(2)}))
    data = load(root, LoadOptions(map_labels={"a": "yes", "b": "yes", "c": "no"}, drop=frozenset({"d"})))
    assert data.classes == ("no", "yes") and len(data) == 6
    assert any("Dropped: 2 of 'd'" in note for note in data.notes)
    with pytest.raises(UnknownNameError, match="label in map_labels 'e'"):
        load(root, LoadOptions(map_labels={"e": "yes"}))
    with pytest.raises(UnknownNameError, match="label in drop 'a'"):
        load(root, LoadOptions(map_labels={"a": "yes"}, drop=frozenset({"a"})))
    with pytest.raises(InsufficientDataError, match="only 'a'"):
        load(root, LoadOptions(drop=frozenset("bcd")))
