"""Masks without a telling name are left out aloud where each has its image, else warned of; images are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from headtohead.core.records import Image as Decoded
from headtohead.data.listing.evidence.mask_pixels import has_few_values
from headtohead.data.load import load, source_digest
from headtohead.data.options import LoadOptions

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


def mask(seed: int, size: tuple[int, int] = (9, 8)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 2, size, dtype=np.uint8) * 255
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "option"),
    [("{c}/outline/{i}.png", "--exclude 'outline'"), ("{c}/{i}_bw.png", "--exclude '*_bw.*'")],
    ids=["folder", "ending"],
)
def test_masks_are_named_with_the_option_that_leaves_them_out(
    tree: Tree, image: Image, name: str, option: str
) -> None:
    files = {f"{c}/{i}.png": image(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    files |= {name.format(c=c, i=i): mask(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    source = str(tree(files))
    data = load(source, LoadOptions(include=("*",)))
    [warning] = [note for note in data.notes if "look like masks" in note]
    assert warning.startswith("8 images have at most 4 grey values") and option in warning
    assert len(data) == 16
    pattern = option.split("'")[1]
    without = load(source, LoadOptions(exclude=(pattern,)))
    assert len(without) == 8 and not any("look like masks" in note for note in without.notes)


@pytest.mark.parametrize("name", ["{c}/outline/{i}.png", "{c}/{i}_bw.png"])
def test_masks_whose_images_lie_beside_them_are_left_out_aloud(tree: Tree, image: Image, name: str) -> None:
    files = {f"{c}/{i}.png": image(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    files |= {name.format(c=c, i=i): mask(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    source = str(tree(files))
    data = load(source)
    assert len(data) == 8 and any("8 images left out as masks" in note for note in data.notes)
    [left] = data.left_out
    assert left.n == 8 and left.why.startswith("masks") and left.per_class == {"a": 4, "b": 4}
    assert data.digest() == source_digest(source, LoadOptions())


def test_a_class_of_drawings_and_names_that_only_begin_alike_stay(tree: Tree, image: Image) -> None:
    files = {f"x/a/{i}.png": image(i) for i in range(6)} | {f"x/b/{i}.png": mask(i) for i in range(5)}
    files |= {f"y/{c}/{i}.png": image(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    files |= {f"y/{c}/{i}7x.png": mask(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    root = tree(files)
    assert len(load(str(root / "x"))) == 11
    data = load(str(root / "y"))
    assert len(data) == 16 and any("look like masks" in note for note in data.notes)


def test_masks_of_other_sizes_and_a_set_of_masks_alone_are_not_warned_of(tree: Tree, image: Image) -> None:
    files = {f"{c}/{i}.png": image(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    files |= {f"{c}/{i}_bw.png": mask(i, (5, 5)) for c in "ab" for i in range(4)}
    assert not any("look like masks" in note for note in load(str(tree(files))).notes)


def test_a_set_of_drawings_is_no_set_of_masks(tree: Tree) -> None:
    files = {f"{c}/{i}.png": mask(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    assert not any("look like masks" in note for note in load(str(tree(files))).notes)


@pytest.mark.parametrize(("values", "few"), [(1, False), (2, True), (4, True), (5, False), (200, False)])
def test_few_values(values: int, few: bool) -> None:
    pixels = (np.arange(100 * 100) % values).astype(np.uint8).reshape(100, 100)
    assert has_few_values(Decoded(pixels=pixels, bit_depth=8, mode="L", format="PNG", history=())) is few
