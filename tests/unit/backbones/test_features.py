"""Features: one row an image, the same digits whatever was computed before, beside or after."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from PIL import Image

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.features import decision, identity
from headtohead.backbones.features import extract as features
from headtohead.backbones.features.extract import extract
from headtohead.backbones.features.inference import one_pass
from headtohead.backbones.features.options import ExtractionOptions
from headtohead.core.errors import PrecisionError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.preprocess.recipe import get_recipe

T = TypeVar("T")
VIT = with_input_size(resolve("scratch:test_vit"), 160)
CNN = resolve("scratch:test_efficientnet")
RECIPE = get_recipe("none")


class KilledError(Exception):
    """What stands for kill -9."""


class Listener:
    """A reporter that remembers, and that can stop the work after some pieces."""

    def __init__(self, pieces: int = 10**6) -> None:
        self.pieces, self.heard = pieces, list[str]()

    def info(self, message: str) -> None:
        self.heard.append(message)

    warning = info

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        for number, item in enumerate(items):
            if number >= self.pieces:
                raise KilledError
            yield item


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """44 distinct images of two classes and one copy."""
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(3)
    for number in range(44):
        folder = root / ("sick" if number % 2 else "well")
        folder.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (30 + number, 40, 3)[: 2 + number % 2], dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        if number == 6:
            Image.fromarray(pixels).save(folder / "copy.png", compress_level=1)
    return load(str(root))


def test_one_row_per_sample_and_one_pass_per_image(images: Dataset, tmp_path: Path) -> None:
    found = extract(images, VIT, RECIPE, cache=tmp_path)
    assert found.rows.shape == (45, 128)
    assert found.rows.dtype == np.float32
    assert found.how["computed"] == found.how["distinct_images"] == 44
    where = {sample.path: row for sample, row in zip(images.samples, found.rows, strict=True)}
    np.testing.assert_array_equal(where["well/copy.png"], where["well/6.png"])
    assert np.unique(found.rows, axis=0).shape[0] == 44


def test_rows_are_what_the_network_says_of_each_image_alone(images: Dataset, tmp_path: Path) -> None:
    from headtohead.backbones.features.input_transform import to_network_input
    from headtohead.backbones.load import load_backbone

    found = extract(images, CNN, RECIPE, ExtractionOptions(precision="fp32", seed=4), cache=tmp_path)
    network = load_backbone(CNN, seed=4)
    sample = images.samples[7]
    image = to_network_input(RECIPE.apply(images.read(sample)).pixels, CNN)
    with torch.inference_mode():
        alone = network(torch.from_numpy(image[None])).numpy()[0]
    np.testing.assert_allclose(found.rows[7], alone, rtol=1e-4, atol=1e-6)


def test_second_call_computes_nothing_and_loads_no_network(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = extract(images, VIT, RECIPE, cache=tmp_path)
    monkeypatch.setattr(features, "load_backbone", lambda *args, **options: pytest.fail("loaded again"))
    second = extract(images, VIT, RECIPE, cache=tmp_path)
    np.testing.assert_array_equal(first.rows, second.rows)
    assert second.how["computed"] == 0
    steady = set(first.how) - {"seconds", "images_per_second", "computed"}
    assert {key: first.how[key] for key in steady} == {key: second.how[key] for key in steady}


@pytest.mark.parametrize("record", [VIT, CNN], ids=["vit", "cnn"])
@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_same_digits_after_a_kill(
    record: Any, precision: Any, images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while two threads prepare and compute; the whole run has one."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    whole = extract(images, record, RECIPE, ExtractionOptions(precision=precision), cache=tmp_path / "whole")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with pytest.raises(KilledError):
        extract(
            images,
            record,
            RECIPE,
            ExtractionOptions(precision=precision),
            cache=tmp_path / "cut",
            reporter=Listener(5),
        )
    again = extract(images, record, RECIPE, ExtractionOptions(precision=precision), cache=tmp_path / "cut")
    assert 0 < again.how["computed"] < 44
    np.testing.assert_array_equal(whole.rows, again.rows)


def test_same_digits_whatever_was_cached_before(images: Dataset, tmp_path: Path) -> None:
    whole = extract(images, CNN, RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path / "whole")
    some = images.subset(sample.id for sample in images.samples[::3])
    extract(some, CNN, RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path / "parts")
    parts = extract(images, CNN, RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path / "parts")
    np.testing.assert_array_equal(whole.rows, parts.rows)


@pytest.mark.parametrize(("n_cores", "decoders"), [(2, 4), (6, 6), (64, 16)])
def test_a_device_is_fed_by_as_many_threads_as_there_are_cores(
    monkeypatch: pytest.MonkeyPatch, n_cores: int, decoders: int
) -> None:
    """Decoding is what a GPU waits for; four threads at most would keep it idle on a large machine."""
    monkeypatch.setenv("OMP_NUM_THREADS", str(n_cores))
    together = threading.Barrier(decoders)

    def prepare(number: int) -> Any:
        together.wait(timeout=120)  # breaks, and fails the test, where fewer threads are at work
        return np.full(3, number, np.float32)

    task: Any = SimpleNamespace(
        device=torch.device("meta"), prepare=prepare, options=SimpleNamespace(kind="last"), batch=1
    )
    monkeypatch.setattr(features, "one_pass", lambda network, images, kind, batch: images)
    keys = [str(number) for number in range(2 * decoders)]
    samples: Any = {key: int(key) for key in keys}
    network: Any = None
    found = list(features._passes(task, samples, [[key] for key in keys], network))
    assert [int(rows[0, 0]) for rows in found] == list(range(len(keys)))


def test_planted_dependence_on_the_batch_is_caught(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison above would see a network that normalises over its batch."""
    plain = one_pass
    monkeypatch.setattr(features, "one_pass", lambda *a: (rows := plain(*a)) - rows.mean(axis=0))
    whole = extract(images, CNN, RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path / "whole")
    some = images.subset(sample.id for sample in images.samples[::3])
    extract(some, CNN, RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path / "parts")
    parts = extract(images, CNN, RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path / "parts")
    assert not np.array_equal(whole.rows, parts.rows)


def test_what_changes_a_row_changes_the_folder(images: Dataset, tmp_path: Path) -> None:
    few = images.subset(sample.id for sample in images.samples[:9])
    calls: list[dict[str, Any]] = [
        {}, {"seed": 1}, {"precision": "auto"}, {"aspect": "pad"}, {"kind": "layers"}, {"batch": 2},
    ]  # fmt: skip
    for options in calls:
        extract(few, VIT, RECIPE, ExtractionOptions(**({"precision": "fp32"} | options)), cache=tmp_path)
    extract(few, VIT, get_recipe("classical"), ExtractionOptions(precision="fp32"), cache=tmp_path)
    extract(few, with_input_size(VIT, 96), RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path)
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == len(calls) + 2


def test_processor_and_image_libraries_change_the_folder(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = images.subset(sample.id for sample in images.samples[:3])

    def folders(precision: Any = "auto") -> int:
        extract(few, VIT, RECIPE, ExtractionOptions(precision=precision), cache=tmp_path)
        return len([path for path in tmp_path.iterdir() if path.is_dir()])

    monkeypatch.setattr(identity, "fast_precision", lambda device: "fp32")
    assert folders() == 1 and folders("fp32") == 2
    monkeypatch.setattr(identity, "fast_precision", lambda device: "bf16")
    assert folders("fp32") == 2, "fp32 is fp32 on both"
    assert folders() == 3
    monkeypatch.setattr(identity, "version", lambda name: "99" if name == "pillow" else version(name))
    assert folders() == 4


def test_a_damaged_cache_is_said_and_computed_again(images: Dataset, tmp_path: Path) -> None:
    first = extract(images, VIT, RECIPE, cache=tmp_path)
    piece = next(tmp_path.glob("*/rows-*.npy"))
    piece.write_bytes(piece.read_bytes()[:-300])
    listener = Listener()
    again = extract(images, VIT, RECIPE, cache=tmp_path, reporter=listener)
    assert any("damaged" in sentence for sentence in listener.heard)
    np.testing.assert_array_equal(first.rows, again.rows)


class TestPrecision:
    @pytest.fixture(autouse=True)
    def _fast(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decision, "fast_precision", lambda device: "bf16")

    def test_auto_takes_what_agrees(self, images: Dataset, tmp_path: Path) -> None:
        found = extract(images, VIT, RECIPE, cache=tmp_path)
        assert found.how["precision"] == "bf16"
        assert found.how["check"]["n_images"] == 8
        assert 0 < found.how["check"]["relative_error"] < 0.05

    def test_auto_goes_back_to_fp32_and_says_so(
        self, images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("headtohead.backbones.features.precision.MAX_RELATIVE_ERROR", 1e-9)
        listener = Listener()
        found = extract(images, VIT, RECIPE, cache=tmp_path, reporter=listener)
        assert found.how["precision"] == "fp32"
        assert any("Going on in fp32" in sentence for sentence in listener.heard)
        plain = extract(images, VIT, RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path)
        np.testing.assert_array_equal(found.rows, plain.rows)

    def test_asked_for_and_not_in_agreement_is_refused(
        self, images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("headtohead.backbones.features.precision.MAX_RELATIVE_ERROR", 1e-9)
        with pytest.raises(PrecisionError, match="relative error"):
            extract(images, VIT, RECIPE, ExtractionOptions(precision="bf16"), cache=tmp_path)


def test_maps_keep_their_shape(images: Dataset, tmp_path: Path) -> None:
    few = images.subset(sample.id for sample in images.samples[:3])
    found = extract(few, CNN, RECIPE, ExtractionOptions(kind="map"), cache=tmp_path)
    channels, height, width = found.how["shape"]
    assert found.rows.shape == (3, channels * height * width)


def test_how_tells_where_the_rows_come_from(images: Dataset, tmp_path: Path) -> None:
    how = extract(images, VIT, RECIPE, ExtractionOptions(seed=7), cache=tmp_path).how
    assert how["weights"]["pretraining"] == "none (random weights, seed 7)"
    assert how["recipe_digest"] == RECIPE.digest()
    assert how["device"] == "cpu"
    assert how["images_per_second"] > 0
    assert str(tmp_path) not in str(how)


@pytest.mark.parametrize("options", [{"kind": "all"}, {"batch": 0}, {"device": "tpu9"}])
def test_settings_that_mean_nothing_are_refused(
    options: dict[str, Any], images: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        extract(images, VIT, RECIPE, ExtractionOptions(**options), cache=tmp_path)


def test_digits_do_not_depend_on_the_number_of_threads(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, found = torch.get_num_threads(), []
    for threads in (1, 3):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        torch.set_num_threads(threads)
        found.append(
            extract(
                images, CNN, RECIPE, ExtractionOptions(precision="fp32"), cache=tmp_path / str(threads)
            ).rows
        )
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
