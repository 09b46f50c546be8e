"""Each image is decoded once; a second study on the same images reads the summaries back."""

from __future__ import annotations

import gc
import shutil
import sqlite3
import subprocess
import sys
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.planting.listener import Listener

from headtohead.api.studies import compare
from headtohead.audit import image_index, measuring
from headtohead.audit.audit import audit
from headtohead.audit.image_index import ImageIndex
from headtohead.audit.summary_store import SummaryStore, pack, unpack
from headtohead.core.errors import ProcessLostError
from headtohead.core.records import Image, Sample
from headtohead.data.dataset import Dataset
from headtohead.data.demo import make_demo
from headtohead.data.load import load
from headtohead.data.storage.folder import FolderStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("index") / "scans"
    make_demo(place, n=40)
    for spare in sorted(path for path in place.rglob("*") if path.is_file())[::2]:
        spare.unlink()
    return place


class Counting:
    """A dataset that counts what is decoded."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self.decoded = dataset, Counter[str]()

    @property
    def samples(self) -> tuple[Sample, ...]:
        return self._dataset.samples

    def read(self, sample: Sample) -> Image:
        self.decoded[sample.id] += 1
        return self._dataset.read(sample)


def everything(index: ImageIndex) -> tuple[Any, ...]:
    """Ask an index for all that audit, search, recipe and report need."""
    summaries = index.summaries()
    groups = index.groups()
    points = [index.keypoints(sample).descriptors.sum() for sample in index.samples]
    looks = list(index.appearances(index.samples))
    small = [index.thumbnail(sample) for sample in index.samples]
    return summaries.value("foreground").tolist(), groups, points, looks, small


def test_each_image_is_decoded_once_without_a_store(folder: Path) -> None:
    source = Counting(load(str(folder)))
    everything(ImageIndex(source, workers=2))
    assert set(source.decoded.values()) == {1} and len(source.decoded) == len(source.samples)


def test_what_was_dropped_is_read_back_or_made_again(folder: Path, tmp_path: Path) -> None:
    dataset = load(str(folder))
    for store, decoded in ((SummaryStore(tmp_path / "images.sqlite"), 0), (None, 1)):
        source = Counting(dataset)
        index = ImageIndex(source, store=store, workers=2)
        sample = dataset.samples[0]
        before = index.keypoints(sample).descriptors.tobytes()
        looks = repr(list(index.appearances(dataset.samples[:5])))
        index.run()
        source.decoded.clear()
        index.free_memory()
        assert index.keypoints(sample).descriptors.tobytes() == before
        assert repr(list(index.appearances(dataset.samples[:5]))) == looks
        assert source.decoded == ({sample.id: 1} if decoded else {})


def test_measures_that_are_stored_take_no_memory_once_they_are_dropped(folder: Path, tmp_path: Path) -> None:
    index = ImageIndex(load(str(folder)), store=SummaryStore(tmp_path / "images.sqlite"))
    measured = index.summaries().items[0]
    assert measured is not None
    kept = weakref.ref(measured.scene)
    del measured
    index.free_memory()
    gc.collect()
    assert kept() is None


def test_a_second_study_decodes_nothing_and_says_the_same(folder: Path, tmp_path: Path) -> None:
    dataset, store = load(str(folder)), SummaryStore(tmp_path / "images.sqlite")
    first = everything(ImageIndex(dataset, store=store, workers=2))
    source = Counting(dataset)
    again = everything(ImageIndex(source, store=SummaryStore(tmp_path / "images.sqlite"), workers=1))
    assert not source.decoded
    assert repr(again) == repr(first) == repr(everything(ImageIndex(dataset)))


def test_the_audit_is_the_same_from_the_store(folder: Path, tmp_path: Path) -> None:
    dataset, store = load(str(folder)), SummaryStore(tmp_path / "images.sqlite")
    records = [audit(dataset, index=ImageIndex(dataset, store=store)).record() for _ in range(2)]
    assert repr(records[0]) == repr(records[1]) == repr(audit(dataset).record())


@pytest.mark.parametrize(
    "damage", ["content = zeroblob(20)", "content = substr(content, 1, 100)", "digest = x'00'"]
)
def test_a_damaged_row_is_computed_again(folder: Path, tmp_path: Path, damage: str) -> None:
    dataset, path = load(str(folder)), tmp_path / "images.sqlite"
    first = everything(ImageIndex(dataset, store=SummaryStore(path)))
    with sqlite3.connect(path) as database:
        database.execute(f"UPDATE rows SET {damage}")
    source = Counting(dataset)
    assert repr(everything(ImageIndex(source, store=SummaryStore(path)))) == repr(first)
    assert source.decoded


def test_other_pixels_under_one_name_are_measured_anew(folder: Path, tmp_path: Path) -> None:
    store = SummaryStore(tmp_path / "images.sqlite")
    dataset = load(str(folder))
    everything(ImageIndex(dataset, store=store))
    changed = dataset.samples[0].model_copy(update={"pixel_hash": "0" * 64})
    source = Counting(dataset)
    ImageIndex(source, store=store)._measure(changed)
    assert source.decoded == {changed.id: 1}


def test_a_store_that_cannot_be_written_changes_no_result(folder: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    dataset = load(str(folder))
    assert repr(everything(ImageIndex(dataset, store=SummaryStore(blocked / "images.sqlite")))) == repr(
        everything(ImageIndex(dataset))
    )


def test_the_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    SummaryStore(tmp_path / "kept" / "images.sqlite").put("a", "b", b"c")
    assert (tmp_path / "kept" / "images.sqlite").stat().st_mode & 0o077 == 0


def test_packed_arrays_come_back() -> None:
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "a": np.arange(6, dtype=np.float16).reshape(2, 3),
        "none": np.zeros((0, 128), np.uint8),
    }
    back = unpack(pack({"x": 0.1, "nan": float("nan")}, arrays))
    assert back is not None
    facts, found = back
    assert facts["x"] == 0.1 and np.isnan(facts["nan"])
    for name, array in arrays.items():
        assert np.array_equal(found[name], array) and found[name].dtype == array.dtype
    assert unpack(b"no such thing") is None


def test_a_study_decodes_each_image_at_most_twice_before_the_network(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "home"))
    decoded: Counter[str] = Counter()
    plain = FolderStore.image

    def counted(self: FolderStore, path: str, *args: Any, **options: Any) -> Image:
        decoded[path] += 1
        return plain(self, path, *args, **options)

    class ReachedError(Exception):
        """The study came as far as the network."""

    def network(*args: Any, **options: Any) -> None:
        raise ReachedError

    monkeypatch.setattr(FolderStore, "image", counted)
    monkeypatch.setattr("headtohead.backbones.features.extract.extract", network)
    for run, most in (("first", 2), ("second", 1)):
        decoded.clear()
        with pytest.raises(ReachedError):
            compare(folder, "scratch:test_efficientnet", out=tmp_path / run, folds=2, repeats=1, quiet=True)
        unreadable = [path for path in decoded if "unreadable" in path]
        assert max(count for path, count in decoded.items() if path not in unreadable) == most


pytestmark = pytest.mark.slow  # half a minute together; `make test` has to end within 15


def test_processes_measure_what_threads_do(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, path = load(str(folder)), tmp_path / "images.sqlite"
    (Path(dataset.root) / dataset.samples[3].path).rename(tmp_path / "away")
    try:
        expected = ImageIndex(dataset, workers=2)
        in_threads = summaries_of(expected)
        monkeypatch.setattr(measuring, "PROCESS_FROM", 2)
        index = ImageIndex(dataset, store=SummaryStore(path), workers=2)
        monkeypatch.setattr(index, "_measure", None)  # threads would stumble over it
        assert summaries_of(index) == in_threads
        assert list(index.summaries().unread) == [dataset.samples[3].id]
        again = ImageIndex(dataset, store=SummaryStore(path), workers=2)
        assert summaries_of(again) == in_threads
    finally:
        (tmp_path / "away").rename(Path(dataset.root) / dataset.samples[3].path)


def test_images_of_an_archive_are_passed_to_processes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load(shutil.make_archive(str(tmp_path / "images"), "zip", folder))
    damaged = dataset.samples[3].model_copy(update={"sha256": "0" * 64})
    dataset = replace(dataset, samples=(*dataset.samples[:3], damaged, *dataset.samples[4:]))
    in_threads = summaries_of(ImageIndex(dataset, workers=2))
    monkeypatch.setattr(measuring, "PROCESS_FROM", 2)
    index = ImageIndex(dataset, workers=2)
    monkeypatch.setattr(index, "_measure", None)  # threads would stumble over it
    assert summaries_of(index) == in_threads
    assert list(index.summaries().unread) == [damaged.id]


def summaries_of(index: ImageIndex) -> tuple[Any, ...]:
    summaries = index.summaries()
    read = [sample for sample in index.samples if sample.id not in summaries.unread]
    prints = [prints.tobytes() for prints, _ in index.fingerprints(index.samples)]
    points = [index.keypoints(sample).descriptors.tobytes() for sample in read]
    return repr(summaries), prints, points, [index.thumbnail(sample) for sample in read]


def test_a_lost_process_costs_no_image(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load(str(folder))
    expected = summaries_of(ImageIndex(dataset, workers=2))

    def lost(*arguments: Any) -> Iterator[Any]:
        yield measuring.measure_image(dataset.samples[0], dataset.read(dataset.samples[0]), arguments[2])
        raise ProcessLostError("A worker process was lost (TerminatedWorkerError).")

    monkeypatch.setattr(measuring, "PROCESS_FROM", 2)
    monkeypatch.setattr(image_index, "in_processes", lost)
    said = Listener()
    assert summaries_of(ImageIndex(dataset, workers=2, reporter=said)) == expected
    assert said.infos == [
        "A worker process was lost (TerminatedWorkerError). The other images are measured in threads."
    ]


def test_large_images_stay_in_threads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load(str(folder))
    monkeypatch.setattr(measuring, "PROCESS_FROM", 2)
    assert measuring.processes_pay(dataset.root, dataset.samples, 2)
    assert not measuring.processes_pay(dataset.root, dataset.samples, 1)
    for width, in_folder, passed in ((4096, False, False), (2048, True, False), (512, True, True)):
        large = dataset.samples[0].model_copy(update={"width": width, "height": width})
        assert measuring.processes_pay(dataset.root, [large], 1) is False
        monkeypatch.setattr(measuring, "PROCESS_FROM", 1)
        assert measuring.processes_pay(dataset.root, [large], 2) == in_folder
        assert measuring.processes_pay("images.npz", [large], 2) == passed


def test_a_script_without_a_guard_is_run_once(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import headtohead as h2h\n"
        "from headtohead.audit import measuring\n"
        "measuring.PROCESS_FROM = 2\n"
        f"print('run', len(h2h.audit({str(folder)!r}, out={str(tmp_path / 'out')!r}, quiet=True).findings) > 0)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "run True\n"
