"""Images on their way into a training: made ahead without a change of order, kept small, named by content."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headtohead.backbones.catalog import resolve
from headtohead.core.errors import UnknownNameError
from headtohead.core.records import Image
from headtohead.preprocess.crop_store import CropStore
from headtohead.preprocess.recipe import get_recipe
from headtohead.training.data_loader import DatasetImages, batches, get_augmenter, unchanged

RECORD = resolve("efficientnet-lite0").model_copy(
    update={"input_size": 16, "mean": (0.4, 0.5, 0.6), "std": (0.2, 0.25, 0.5)}
)


class Counting:
    """Images that are filled with their index; remembers which were asked for, and by which threads."""

    def __init__(self, slow: bool = False) -> None:
        self.asked: list[int] = []
        self.threads: set[str] = set()
        self.slow = slow

    def pixels(self, index: int) -> Any:
        self.asked.append(index)
        self.threads.add(threading.current_thread().name)
        if self.slow and index % 2 == 0:
            time.sleep(0.002)
        return np.full((2, 2), index, np.float32)

    def normalise(self, pixels: Any) -> Any:
        return np.repeat(pixels[None], 3, axis=0)

    def number(self, index: int) -> int:
        return index


ORDER = [np.array([2, 0]), np.array([1, 3]), np.array([4])]
INDICES = np.array([10, 11, 12, 13, 14])


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_come_in_order_whatever_the_threads_do(workers: int) -> None:
    source: Any = Counting(slow=True)
    found = list(batches(source, INDICES, ORDER, lambda place, pixels: pixels + 100 * place, workers))
    assert [batch.places.tolist() for batch in found] == [[2, 0], [1, 3], [4]]
    assert [batch.inputs[:, 0, 0, 0].tolist() for batch in found] == [[212, 10], [111, 313], [414]]
    assert all(batch.inputs.shape[1:] == (3, 2, 2) for batch in found)
    assert all(name.startswith("images") for name in source.threads) == (workers > 0)


def test_without_threads_a_batch_is_made_when_it_is_asked_for() -> None:
    source: Any = Counting()
    stream = batches(source, INDICES, ORDER, unchanged, 0)
    assert source.asked == []
    next(stream)
    assert source.asked == [12, 10]


@pytest.mark.parametrize("workers", [1, 2])
def test_few_batches_are_made_ahead_so_that_memory_does_not_grow(workers: int) -> None:
    source: Any = Counting()
    order = [np.array([i % 5]) for i in range(40)]
    stream = batches(source, INDICES, order, unchanged, workers)
    next(stream)
    time.sleep(0.03)
    assert len(source.asked) <= workers + 2
    stream.close()  # type: ignore[attr-defined]
    n = len(source.asked)
    time.sleep(0.01)
    assert len(source.asked) == n, "nothing is made for a training that ended"


def test_an_error_in_a_thread_reaches_the_training() -> None:
    def broken(place: int, pixels: Any) -> Any:
        raise ValueError(f"place {place}")

    with pytest.raises(ValueError, match="place 2"):
        list(batches(Counting(), INDICES, ORDER, broken, 2))


def sample(number: int) -> Any:
    return SimpleNamespace(
        id=f"s{number}", pixel_hash=f"p{number}", path=f"{number}.png", frame=None, format="PNG"
    )


class Images:
    """A data set of noise that counts its reads; image 1 is in colour."""

    def __init__(self, n: int = 4) -> None:
        self.samples = [sample(i) for i in range(n)]
        self.reads: list[str] = []

    def read(self, one: Any) -> Any:
        self.reads.append(one.id)
        rng = np.random.default_rng(int(one.id[1:]))
        shape = (24, 24, 3) if one.id == "s1" else (24, 24)
        return SimpleNamespace(pixels=rng.integers(0, 256, shape).astype(np.uint8))


class Whole:
    """A recipe that changes nothing."""

    def __init__(self, digest: str = "whole") -> None:
        self._digest = digest

    def apply(self, image: Any) -> Any:
        return SimpleNamespace(pixels=image.pixels.astype(np.float32) / 255)

    def digest(self) -> str:
        return self._digest


def images(limit: int = 2**31, data: Any = None, **more: Any) -> tuple[Any, DatasetImages]:
    found: Any = data or Images()
    recipe: Any = more.pop("recipe", Whole())
    return found, DatasetImages(found, more.pop("record", RECORD), recipe, limit, **more)


def test_images_are_read_once_and_kept_in_half_precision() -> None:
    data, source = images()
    source.prepare()
    assert sorted(data.reads) == ["s0", "s1", "s2", "s3"]
    first = source.pixels(0)
    source.prepare()
    assert len(data.reads) == 4 and first.dtype == np.float32 and first.shape == (16, 16)
    assert source.pixels(1).shape == (16, 16, 3), "colour keeps its planes"
    assert np.array_equal(first, first.astype(np.float16).astype(np.float32))
    assert first.min() >= 0 and first.max() <= 1
    assert source.bytes_in_memory == 4 * 3 * 2 * 16 * 16


def test_pixels_are_those_that_the_network_would_get_without_a_training() -> None:
    from headtohead.backbones.features.input_transform import to_network_input

    data, source = images()
    for index in (0, 1):
        expected = to_network_input(Whole().apply(data.read(data.samples[index])).pixels, RECORD)
        found = source.normalise(source.pixels(index))
        assert found.shape == (3, 16, 16) and found.dtype == np.float32
        inside = np.abs(expected) < 100
        np.testing.assert_allclose(found[inside], np.asarray(expected)[inside], atol=0.02)


def test_normalisation_is_that_of_the_weights_channel_by_channel() -> None:
    _, source = images()
    grey = source.normalise(np.full((16, 16), 0.5, np.float32))
    np.testing.assert_allclose(grey[:, 0, 0], [0.5, 0.0, -0.2], atol=1e-6)
    colour = source.normalise(np.stack([np.full((4, 4), v, np.float32) for v in (0.4, 0.75, 0.1)], axis=-1))
    np.testing.assert_allclose(colour[:, 3, 3], [0.0, 1.0, -1.0], atol=1e-6)


def test_what_does_not_fit_lies_on_disk_and_serves_the_next_training(tmp_path: Path) -> None:
    kept = images()[1]
    data, source = images(limit=0, crops=tmp_path)
    assert source.bytes_in_memory == 0
    source.prepare()
    assert sorted(data.reads) == ["s0", "s1", "s2", "s3"] and list(tmp_path.iterdir())
    for index in range(4):
        assert np.array_equal(source.pixels(index), kept.pixels(index))
    again, other = images(limit=0, crops=tmp_path)
    other.prepare()
    assert again.reads == [] and np.array_equal(other.pixels(1), kept.pixels(1))
    source.prepare()
    assert len(data.reads) == 4


@pytest.mark.parametrize(
    "change",
    [{"recipe": Whole("other")}, {"record": RECORD.model_copy(update={"mean": (0.0, 0.0, 0.0)})},
     {"record": RECORD.model_copy(update={"std": (1.0, 1.0, 1.0)})},
     {"record": RECORD.model_copy(update={"interpolation": "bilinear"})},
     {"record": RECORD.model_copy(update={"input_size": 8})}],
)  # fmt: skip
def test_crops_of_other_settings_are_not_used(tmp_path: Path, change: dict[str, Any]) -> None:
    images(limit=0, crops=tmp_path)[1].prepare()
    data, source = images(limit=0, crops=tmp_path, **change)
    source.prepare()
    assert len(data.reads) == 4 and len(list(tmp_path.iterdir())) == 2


def test_without_room_each_image_is_prepared_on_each_use_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Any
) -> None:
    monkeypatch.setattr(CropStore, "has_space", lambda _: False)
    data, source = images(limit=0, crops=tmp_path)
    source.prepare(listener)
    assert data.reads == [] and "each is prepared on each use, which is slow" in listener.warnings[0]
    assert np.array_equal(source.pixels(2), source.pixels(2)) and data.reads == ["s2", "s2"]


def test_a_sample_has_its_number_whatever_its_place() -> None:
    data = Images()
    first = [images(data=data)[1].number(i) for i in range(4)]
    turned = Images()
    turned.samples = turned.samples[::-1]
    assert [images(data=turned)[1].number(i) for i in range(4)] == first[::-1]
    assert len(set(first)) == 4 and all(0 <= number < 2**63 for number in first)


def test_a_real_recipe_goes_the_same_way() -> None:
    data = Images(1)
    data.read = lambda one: Image(np.full((20, 20), 128, np.uint8), 8, "L", "PNG")  # type: ignore[method-assign]
    _, source = images(data=data, recipe=get_recipe("none"))
    np.testing.assert_allclose(source.pixels(0), 128 / 255, atol=2e-3)


def test_presets_are_found_by_name_and_the_nearest_is_told() -> None:
    assert (get_augmenter("none").name, get_augmenter("none").flips) == ("none", False)
    assert {get_augmenter(name).name for name in ("auto", "light")} == {"light"}
    with pytest.raises(
        UnknownNameError, match=r"^Unknown augmentation preset 'ligth'; did you mean 'light'\?"
    ):
        get_augmenter("ligth")
