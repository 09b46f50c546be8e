"""Layouts and tables of public data sets as they are shipped: the right classes, or a refusal that says what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.planting.layouts import READ, REFUSED, Layout, each

from headtohead.core.errors import HeadToHeadError
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.summary import data_record

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


def opened(layout: Layout, tree: Tree, image: Image, **options: object) -> Dataset:
    paths, texts = layout
    files = {path: image(seed) for seed, path in enumerate(paths)}
    source = tree(files | {path: text.encode() for path, text in texts.items()})
    return load(str(source), LoadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(READ))
def test_classes_are_those_that_are_meant(kind: str, tree: Tree, image: Image) -> None:
    layout, counts, words = READ[kind]
    data = opened(layout, tree, image)
    assert Counter(sample.label for sample in data.samples) == counts
    assert words in " ".join(data.notes)
    record = data_record(data)
    assert record["classes"] == counts and record["n_samples"] == sum(counts.values())


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_what_is_not_clear_is_asked_for(kind: str, tree: Tree, image: Image) -> None:
    layout, words = REFUSED[kind]
    with pytest.raises(HeadToHeadError, match=words):
        opened(layout, tree, image)


def test_patients_that_hold_the_class_folders_are_groups(tree: Tree, image: Image) -> None:
    data = opened(READ["patients over classes"][0], tree, image)
    assert set(data.groups()) == {"8863", "8900", "8937"}


def test_splits_below_a_label_from_survive(tree: Tree, image: Image) -> None:
    paths = [f"d/{split}/{c}-{i}.png" for split in ("train", "test") for c in "ab" for i in range(2)]
    data = opened((paths, {}), tree, image, label_from="/([ab])-")
    assert Counter((sample.label, sample.split) for sample in data.samples) == {
        (c, split): 2 for c in "ab" for split in ("train", "test")
    }


def test_the_advice_of_a_refusal_works(tree: Tree, image: Image) -> None:
    layout = REFUSED["one class with folders inside"][0]
    assert opened(layout, tree, image, label_from="^([^/]+)/").classes == ("normal", "cancer")
    data = opened(layout, tree, image, label_from="([^/]+)/[^/]+$")
    assert data.classes == ("benign", "malignant", "normal")


def test_images_lost_from_one_class_are_told_by_class(tree: Tree, image: Image) -> None:
    layout = (each("a", "b"), {f"b/{i}.HEIC": "heic" for i in range(4)})
    assert "4 HEIC files, which are not read" in (notes := " ".join(opened(layout, tree, image).notes))
    assert "(b 4)" in notes
