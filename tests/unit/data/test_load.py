"""Class folders, split folders, doubled folders, odd files: what is found, left out, and said."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from headtohead.core.errors import (
    ChangedDataError,
    DataError,
    InsufficientDataError,
    NoEffectError,
    UnreadableError,
    UsageError,
)
from headtohead.data.dataset import Dataset
from headtohead.data.load import LoadOptions, load, source_digest

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


def test_names_of_any_case_and_content_over_suffix(image: Image, tree: Tree) -> None:
    root = tree(
        {
            "no/1 no.jpeg": image(1, "JPEG"),
            "no/B.JPG": image(2, "PNG"),
            "yes/deep/er/c.png": image(3),
            "yes/Y92.jpg": image(4, "JPEG"),
            "yes/Y92.png": image(5),
            "yes/no suffix": image(6),
        }
    )
    data = load(str(root))
    assert ids(data) == [
        "no/1 no.jpeg",
        "no/B.JPG",
        "yes/Y92.jpg",
        "yes/Y92.png",
        "yes/deep/er/c.png",
        "yes/no suffix",
    ]
    assert [s.label for s in data.samples] == ["no", "no", "yes", "yes", "yes", "yes"]
    facts = data.samples[1]
    assert (facts.format, facts.suffix, facts.width, facts.height, facts.bit_depth) == (
        "PNG",
        ".jpg",
        8,
        9,
        8,
    )
    assert facts.group == facts.id and facts.split is None and facts.frame is None
    assert data.read(facts).size == (9, 8)


def test_broken_files_are_named_once_and_the_run_goes_on(image: Image, tree: Tree) -> None:
    broken = {f"yes/broken{i:02d}.png": image(1)[:40] for i in range(12)} | {"no/empty.jpg": b""}
    ear = Ear()
    root = tree(two_classes(image) | broken)
    data = load(str(root), reporter=ear)
    assert len(data) == 6
    assert {problem.path for problem in data.problems} == set(broken)
    assert "13 files" in ear.warned[0] and "and 3 more" in ear.warned[0]
    assert len(ear.warned) == 2 and "12 of them are of class 'yes'" in ear.warned[1]
    with pytest.raises(DataError, match=r"yes/broken11\.png") as caught:
        load(str(root), LoadOptions(strict=True))
    assert all(name in str(caught.value) for name in broken)


def test_no_images_one_class_and_no_folder(image: Image, tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file or folder"):
        load(str(tmp_path / "nowhere"))
    root = tree({"readme.txt": b"nothing"})
    with pytest.raises(InsufficientDataError, match="No usable images"):
        load(str(root))
    (root / "a.png").write_bytes(image(1))
    (root / "labels.csv").write_text("path,label\na.png,yes\n")
    with pytest.raises(InsufficientDataError, match=r"not in a class folder.*point at .*labels\.csv"):
        load(str(root))
    (root / "yes").mkdir()
    (root / "yes" / "b.png").write_bytes(image(2))
    with pytest.raises(InsufficientDataError, match="only 'yes'"):
        load(str(root))


def test_images_outside_class_folders_are_problems(image: Image, tree: Tree) -> None:
    data = load(str(tree(two_classes(image) | {"montage.png": image(99)})))
    assert [(p.path, "not in a class folder" in p.reason) for p in data.problems] == [("montage.png", True)]


@pytest.mark.parametrize("words", [("train", "val", "test"), ("Training", "valid", "TESTING")])
def test_split_folders(image: Image, tree: Tree, words: tuple[str, str, str]) -> None:
    files = {f"set/{word}/{c}/{i}.png": image(7 * k + i + 50 * (c == "b"))
             for k, word in enumerate(words) for c in "ab" for i in range(2)}  # fmt: skip
    data = load(str(tree(files)))
    assert data.classes == ("a", "b")
    assert {(s.path.split("/")[1], s.split) for s in data.samples} == set(
        zip(words, ("train", "val", "test"), strict=True)
    )
    assert any("4 train, 4 val, 4 test" in note for note in data.notes)


def test_options_without_effect_are_refused(image: Image, tree: Tree) -> None:
    root = str(tree(two_classes(image)))
    for options in (
        LoadOptions(columns={"path": "x"}),
        LoadOptions(pages="all"),
        LoadOptions(slices="middle"),
    ):
        with pytest.raises(NoEffectError, match="no effect"):
            load(root, options)


def test_odd_classes_are_hinted_at(image: Image, tree: Tree) -> None:
    source = tree({f"patient{i}/a.png": image(i) for i in range(6)})
    with pytest.raises(
        InsufficientDataError, match=r"number patients or cases.*--label-from '\^\(\[\^/\]\+\)/'"
    ):
        load(str(source))
    for i in range(6):
        (source / f"patient{i}").rename(source / f"{chr(97 + i)}x")
    assert any("perhaps the folders are patients" in note for note in load(str(source)).notes)


def test_classes_that_differ_in_case_only_are_hinted_at(image: Image, tree: Tree) -> None:
    files = {f"{c}/{i}.png": image(i + ord(c[0])) for c in ("Yes", "yes ", "no") for i in range(3)}
    assert any("differ in case" in note for note in load(str(tree(files))).notes)


def test_order_and_digits_do_not_depend_on_workers_or_disk_order(
    image: Image, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(tree(two_classes(image, 12)))
    one = load(root, LoadOptions(workers=1))
    walk = os.walk

    def backwards(*args: Any, **options: Any) -> Iterator[tuple[str, list[str], list[str]]]:
        for where, folders, names in walk(*args, **options):
            yield where, folders, names[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    ear = Ear()
    many = load(root, LoadOptions(workers=7), reporter=ear)
    assert one.samples == many.samples
    assert ear.tracked == [("reading images", 24)]
    with pytest.raises(UsageError, match="workers"):
        load(root, LoadOptions(workers=0))


def test_digest_tells_changes_without_decoding(
    image: Image, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree(two_classes(image) | {"no/broken.png": b"\x89PNG\r\n\x1a\n broken"})
    before = load(str(root))
    with monkeypatch.context() as patch:
        patch.setattr("headtohead.data.readers.read_image", lambda *a, **k: pytest.fail("decoded"))
        assert source_digest(str(root)) == before.digest()
    assert before.with_groups({"no/0.png": "g"}).digest() == before.digest()
    (root / "no/0.png").write_bytes(image(1234))
    changed = load(str(root))
    assert source_digest(str(root)) == changed.digest() != before.digest()
    with pytest.raises(ChangedDataError, match=r"no/0\.png"):
        before.read(before.samples[0])
    (root / "no/broken.png").unlink()
    assert source_digest(str(root)) != changed.digest()


def test_a_file_that_went_away_is_named(image: Image, tree: Tree) -> None:
    root = tree(two_classes(image))
    data = load(str(root))
    (root / "no/0.png").unlink()
    with pytest.raises(UnreadableError, match=r"no/0\.png"):
        data.read(data.samples[0])


def test_same_pixels_in_other_bytes_share_the_pixel_hash(image: Image, tree: Tree) -> None:
    files = two_classes(image) | {
        "yes/a.png": image(5),
        "yes/b.bmp": image(5, "BMP"),
        "yes/c.png": image(5, size=(8, 9)),
    }
    by_id = {s.id: s for s in load(str(tree(files))).samples}
    assert by_id["yes/a.png"].pixel_hash == by_id["yes/b.bmp"].pixel_hash != by_id["yes/c.png"].pixel_hash
    assert by_id["yes/a.png"].sha256 != by_id["yes/b.bmp"].sha256


def test_the_real_images(brain_mri: Path) -> None:
    data = load(str(brain_mri))
    assert len(data) == 253 and data.problems == ()
    assert data.classes == ("no", "yes") and data.positive == "yes"
    assert list(data.labels()).count(1) == 155
    assert sum(s.suffix == ".jpg" and s.format == "PNG" for s in data.samples) == 6
    assert len({s.pixel_hash for s in data.samples}) == 253 - 25
    assert source_digest(str(brain_mri)) == data.digest()


def test_a_file_beyond_any_image_is_not_read(
    image: Image, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree(two_classes(image))
    with (root / "yes" / "huge.png").open("wb") as file:
        file.truncate(3 << 30)  # sparse on disk
    read = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: pytest.fail("read") if path.name == "huge.png" else read(path)
    )
    data = load(str(root))
    assert [p.path for p in data.problems] == ["yes/huge.png"] and "limit" in data.problems[0].reason
