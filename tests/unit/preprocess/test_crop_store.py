"""Prepared images on disk: the digits of those in memory, made once, shared, whole or absent."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.core.progress import QUIET
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.preprocess import crop_store
from headtohead.preprocess.crop_store import CropStore
from headtohead.preprocess.recipe import get_recipe
from headtohead.training.data_loader import DatasetImages

SIDE = 32
RECORD = with_input_size(resolve("scratch:test_efficientnet"), SIDE)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Ten images of two classes, grey and in colour, one of them twice."""
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(5)
    for number in range(10):
        folder = root / ("sick" if number % 2 else "well")
        folder.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (40 + number, 50, 3)[: 2 + number % 2], dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    shutil.copyfile(root / "well" / "4.png", root / "well" / "copy.png")
    return load(str(root))


def images(dataset: Dataset, folder: Path, **more: Any) -> DatasetImages:
    return DatasetImages(dataset, RECORD, get_recipe("none"), crops=folder, **more)


def rows(found: DatasetImages, dataset: Dataset) -> list[Any]:
    return [found.pixels(index) for index in range(len(dataset.samples))]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop_store, "BLOCK_BYTES", 4 * 6 * SIDE * SIDE)


def test_digits_are_those_of_memory_and_of_each_use(dataset: Dataset, tmp_path: Path) -> None:
    memory, disk, fresh = (images(dataset, tmp_path, memory_limit=limit) for limit in (1 << 30, 0, 0))
    memory.prepare()
    disk.prepare()
    assert len(list(tmp_path.glob("*/crops-*.npy"))) == 3
    for one, two, three in zip(*(rows(found, dataset) for found in (memory, disk, fresh)), strict=True):
        assert one.dtype == two.dtype == np.float32
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)
    assert {row.ndim for row in rows(disk, dataset)} == {2, 3}
    assert not list(tmp_path.glob("*/*.tmp"))


def test_a_second_contender_prepares_nothing(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images(dataset, tmp_path, memory_limit=0).prepare()
    monkeypatch.setattr(DatasetImages, "_read", lambda *_: pytest.fail("prepared again"))
    second = images(dataset, tmp_path, memory_limit=0)
    second.prepare()
    second.prepare()
    assert len(rows(second, dataset)) == 11


def test_another_size_or_recipe_has_a_folder_of_its_own(dataset: Dataset, tmp_path: Path) -> None:
    images(dataset, tmp_path, memory_limit=0).prepare()
    DatasetImages(dataset, with_input_size(RECORD, 40), get_recipe("none"), 0, crops=tmp_path).prepare()
    DatasetImages(dataset, RECORD, get_recipe("classical"), 0, crops=tmp_path).prepare()
    assert len(list(tmp_path.iterdir())) == 3


def test_a_kill_leaves_whole_blocks_and_the_rest_is_made_later(tmp_path: Path) -> None:
    asked: list[int] = []

    def prepare(index: int) -> Any:
        asked.append(index)
        if index == 6:
            raise KeyboardInterrupt
        return np.full((SIDE, SIDE), index, np.float16)

    store = CropStore(tmp_path, [str(number) for number in range(10)], SIDE)
    with pytest.raises(KeyboardInterrupt):
        store.fill(prepare, QUIET)
    assert len(list(tmp_path.glob("crops-*.npy"))) == 1
    store.fill(lambda index: np.full((SIDE, SIDE), index, np.float16), QUIET)
    assert [int(store.get(index)[0, 0]) for index in range(10)] == list(range(10))


def test_without_space_it_is_said_and_each_use_prepares(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    said: list[str] = []
    found = images(dataset, tmp_path, memory_limit=0)
    found.prepare(SimpleNamespace(warning=said.append))
    assert "neither memory nor the disk" in said[0]
    np.testing.assert_array_equal(found.pixels(0), images(dataset, tmp_path).pixels(0))
