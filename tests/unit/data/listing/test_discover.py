"""Listing a source: odd names, links, system files, repeated folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from headtohead.core.errors import (
    DataError,
    InsufficientDataError,
)
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.data.options import LoadOptions

Image = Callable[..., bytes]


Tree = Callable[[dict[str, bytes]], Path]


T = TypeVar("T")


class Ear:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []
        self.tracked: list[tuple[str, int | None]] = []

    def info(self, message: str) -> None:
        self.said.append(message)

    def warning(self, message: str) -> None:
        self.warned.append(message)

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        self.tracked.append((label, total))
        yield from items


def ids(dataset: Dataset) -> list[str]:
    return [sample.id for sample in dataset.samples]


def two_classes(image: Image, n: int = 3) -> dict[str, bytes]:
    return {f"{name}/{i}.png": image(i + 10 * (name == "yes")) for name in ("yes", "no") for i in range(n)}


def test_litter_is_left_out_and_counted(image: Image, tree: Tree) -> None:
    litter = {
        "Thumbs.db": b"x", "yes/.DS_Store": b"x", ".hidden/yes/a.png": image(8), "yes/notes.txt": b"hello",
        "__MACOSX/yes/0.png": image(9),
    }  # fmt: skip
    ear = Ear()
    data = load(str(tree(two_classes(image) | litter)), reporter=ear)
    assert len(data) == 6 and data.problems == ()
    assert any("5 files that are not images" in note for note in data.notes)
    assert ear.warned == [] and list(data.notes) == ear.said[:-1]


def test_doubled_archive_is_counted_once(image: Image, tree: Tree) -> None:
    once = two_classes(image) | {"yes/twin.png": image(10)}  # an ordinary duplicate of yes/0.png
    doubled = once | {f"brain_tumor_dataset/{name}": content for name, content in once.items()}
    data = load(str(tree(doubled)))
    assert ids(data) == sorted(once)
    assert data.classes == ("no", "yes") and data.positive == "yes"
    assert any("'brain_tumor_dataset' repeats 7 images" in note for note in data.notes)


def test_doubled_split_folders_and_sibling_copies(image: Image, tree: Tree) -> None:
    once = {
        f"{part}/{label}/{i}.png": image(100 * k + 10 * i + (label == "a"))
        for k, part in enumerate(("train", "test"))
        for label in "ab"
        for i in range(3)
    }
    files = {f"x/{n}": b for n, b in once.items()} | {f"x/x/{n}": b for n, b in once.items()}
    data = load(str(tree(files)))
    assert ids(data) == sorted(f"x/{name}" for name in once)


def test_sibling_copies_are_counted_once_but_equal_split_parts_are_not(image: Image, tmp_path: Path) -> None:
    once = two_classes(image)
    for root, tops in (("copies", ("first", "second")), ("parts", ("train", "test"))):
        for top in tops:
            for name, content in once.items():
                path = tmp_path / root / top / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    copies = load(str(tmp_path / "copies"))
    assert ids(copies) == sorted(f"first/{name}" for name in once) and copies.classes == ("no", "yes")
    parts = load(str(tmp_path / "parts"))
    assert len(parts) == 2 * len(once)  # a leak, for the folds to refuse


def test_further_images_of_a_doubled_folder_stay_with_their_label(image: Image, tree: Tree) -> None:
    once = two_classes(image)
    files = once | {f"copy/{n}": b for n, b in once.items()} | {"copy/yes/extra.png": image(77)}
    data = load(str(tree(files)))
    assert ids(data) == sorted([*once, "copy/yes/extra.png"])
    assert data.classes == ("no", "yes")
    assert any("1 further images in it stay: copy/yes/extra.png" in note for note in data.notes)


def test_a_folder_with_other_images_under_the_same_names_is_not_dropped(image: Image, tree: Tree) -> None:
    once = two_classes(image)
    source = str(tree(once | {f"other/{n}": image(500 + i) for i, n in enumerate(once)}))
    with pytest.raises(
        InsufficientDataError, match=r"3 classes, no \(3\), other \(6\), yes \(3\): .*Or 2 classes"
    ):
        load(source)
    data = load(source, LoadOptions(label_from="([^/]+)/[^/]+$"))
    assert len(data) == 12 and data.classes == ("no", "yes")


@pytest.mark.skipif(os.name != "posix", reason="file names as bytes")
def test_names_that_are_no_unicode_and_loops_of_links(image: Image, tree: Tree) -> None:
    root = tree(two_classes(image))
    Path(os.fsdecode(os.fsencode(str(root)) + b"/yes/bad\xff.png")).write_bytes(image(3))
    (root / "yes" / "loop").symlink_to(root, target_is_directory=True)
    (root / "yes" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "yes" / "linked.png").symlink_to(root / "no" / "0.png")
    data = load(str(root))
    assert len(data) == 7  # the loop is left, the linked image counts
    assert sorted(p.path for p in data.problems) == ["yes/bad\\udcff.png", "yes/gone.png"]


def test_two_links_to_one_folder_are_both_followed(image: Image, tree: Tree) -> None:
    root = tree({f"store/{name}": content for name, content in two_classes(image).items()})
    for part in ("train", "test"):
        (root / "linked" / part).mkdir(parents=True)
        for name in ("yes", "no"):
            (root / "linked" / part / name).symlink_to(root / "store" / name, target_is_directory=True)
    data = load(str(root / "linked"), LoadOptions(follow_links=True))
    assert [s.split for s in data.samples] == ["test"] * 6 + ["train"] * 6


def test_a_folder_that_cannot_be_listed_is_an_error(
    image: Image, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree(two_classes(image))
    scan = os.scandir

    def closed(path: str) -> Any:
        if str(path).endswith("yes"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(DataError, match=r"data/yes cannot be listed: Permission denied"):
        load(str(root))
