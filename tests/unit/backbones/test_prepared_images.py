"""Prepared images are kept for the next network: no digit changes, nothing is read twice, memory has a limit."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.features.extract import extract
from headtohead.backbones.features.prepared_images import PreparedImages
from headtohead.core.records import Image, Sample
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.preprocess.recipe import get_recipe

VIT = with_input_size(resolve("scratch:test_vit"), 160)
CNN = resolve("scratch:test_efficientnet")
RECIPE = get_recipe("none")
SIDE, N = 40, 10
BYTES = SIDE * SIDE * 4  # of a prepared image


@pytest.fixture
def images(tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(3)
    for number in range(N):
        folder = tmp_path / "images" / ("sick" if number % 2 else "well")
        folder.mkdir(parents=True, exist_ok=True)
        plane = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
        pixels = plane if number % 3 else np.repeat(plane[..., None], 3, axis=2)
        Pillow.fromarray(pixels).save(folder / f"{number}.png")
    return load(str(tmp_path / "images"))


@pytest.mark.parametrize(("limit", "read"), [(N * BYTES, 0), (3 * BYTES + 1, N - 3), (0, N)])
def test_a_further_network_does_not_prepare_the_images_again(
    limit: int, read: int, images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = extract(images, CNN, RECIPE, cache=tmp_path / "plain")
    prepared = PreparedImages(limit)
    extract(images, VIT, RECIPE, cache=tmp_path / "a", prepared=prepared)
    seen, right = set[str](), Dataset.read

    def counted(self: Dataset, sample: Sample) -> Image:
        seen.add(sample.id)
        return right(self, sample)

    monkeypatch.setattr(Dataset, "read", counted)
    found = extract(images, CNN, RECIPE, cache=tmp_path / "b", prepared=prepared)
    assert len(seen) == read
    np.testing.assert_array_equal(found.rows, plain.rows)


def test_another_recipe_is_another_image(images: Dataset) -> None:
    prepared, sample = PreparedImages(), images.samples[0]
    whole = prepared.get(images, RECIPE, sample)
    assert prepared.get(images, RECIPE, sample) is whole and not whole.pixels.flags.writeable
    cut = prepared.get(images, get_recipe("classical"), sample)
    assert cut.box != whole.box or not np.array_equal(cut.pixels, whole.pixels)


def test_a_copy_for_another_process_is_empty(images: Dataset) -> None:
    prepared, sample = PreparedImages(), images.samples[0]
    whole = prepared.get(images, RECIPE, sample)
    copy = pickle.loads(pickle.dumps(prepared))
    again = copy.get(images, RECIPE, sample)
    assert again is not whole
    np.testing.assert_array_equal(again.pixels, whole.pixels)
