"""What is stored of an image comes back digit for digit, and what cannot be stored costs time alone."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.planting.summaries import summary

from headtohead.audit import summary_store
from headtohead.audit.descriptors.image_pass import ImageSummary
from headtohead.audit.duplicates.keypoints import NOTHING, Keypoints
from headtohead.audit.measuring import PackedMask
from headtohead.audit.stored_measures import (
    keypoints_from_bytes,
    keypoints_to_bytes,
    measures_from_bytes,
    measures_to_bytes,
)
from headtohead.audit.summary_store import SummaryStore, pack, unpack
from headtohead.core.records import Box, Image
from headtohead.preprocess.suggest import Appearance, appearance_of

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, 50)).astype(np.uint8)
LOOK: Appearance = appearance_of(Image(PIXELS, 8, "L", "PNG"))
PRINTS = RNG.normal(size=(3, 16, 16)).astype(np.float16)
FULL = summary(
    "a", {"softness": float("nan"), "mean": 0.1 + 0.2}, height=40, width=50, mode="LA", alpha=True,
    foreground=Box(1, 2, 3, 4), classical=Box(0, 0, 9, 8), foreground_note="trimmed; ünïcode", spacing_mm=(0.5, 0.7),
    facts={"exif_orientation": "6"}, thumbnail=RNG.integers(0, 256, (16, 16)).astype(np.uint8),
    scene=RNG.normal(size=256).astype(np.float16),
)  # fmt: skip


def alike(one: ImageSummary, two: ImageSummary) -> None:
    for field in fields(one):
        np.testing.assert_equal(getattr(two, field.name), getattr(one, field.name), err_msg=field.name)


@pytest.mark.parametrize("known", [FULL, summary("b"), replace(FULL, classical=None, spacing_mm=None)])
def test_measures_come_back(known: ImageSummary) -> None:
    back = measures_from_bytes(known.id, measures_to_bytes(known, PRINTS, LOOK))
    assert back is not None and back.summary is not None
    alike(known, back.summary)
    assert (back.fingerprint == PRINTS).all() and back.fingerprint.dtype == np.float16
    assert back.appearance is not None and asdict(back.appearance) == asdict(LOOK)
    for name in ("thumbnail", "scene"):
        assert getattr(back.summary, name).dtype == getattr(known, name).dtype


def test_the_id_is_that_of_the_image_that_asks() -> None:
    """Equal files have one entry, under whichever name."""
    back = measures_from_bytes("other", measures_to_bytes(FULL, PRINTS, LOOK))
    assert back is not None and back.summary is not None and back.summary.id == "other"


@pytest.mark.parametrize("missing", ["height", "values", "appearance", "spacing_mm", "facts"])
def test_what_an_older_version_stored_is_measured_again(missing: str) -> None:
    stored = unpack(measures_to_bytes(FULL, PRINTS, LOOK))
    assert stored is not None
    facts, arrays = stored
    assert measures_from_bytes("a", pack(facts, arrays)) is not None
    assert measures_from_bytes("a", pack({k: v for k, v in facts.items() if k != missing}, arrays)) is None
    fewer = {k: v for k, v in arrays.items() if k != "texture"}
    assert measures_from_bytes("a", pack(facts, fewer)) is None
    more = {**facts, "appearance": {**facts["appearance"], "unheard_of": 1}}
    assert measures_from_bytes("a", pack(more, arrays)) is None


@pytest.mark.parametrize("content", [None, b"", b"no such thing", pack({}, {})])
def test_nothing_sound_is_nothing(content: bytes | None) -> None:
    assert measures_from_bytes("a", content) is None
    assert keypoints_from_bytes(content) is None


@pytest.mark.parametrize(
    "view",
    [
        NOTHING,
        Keypoints(
            PIXELS, 0.25, RNG.random((7, 2)).astype(np.float32), RNG.integers(0, 256, (7, 128)).astype(np.uint8),
            RNG.random(7).astype(np.float32), np.arange(7) % 2 > 0,
        ),
    ],
)  # fmt: skip
def test_local_features_come_back(view: Keypoints) -> None:
    back = keypoints_from_bytes(keypoints_to_bytes(view))
    assert back is not None
    for field in fields(view):
        known, found = getattr(view, field.name), getattr(back, field.name)
        np.testing.assert_array_equal(found, known)
        assert np.asarray(found).dtype == np.asarray(known).dtype


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 8), (17, 31)])
def test_a_packed_mask_comes_back_at_an_eighth(shape: tuple[int, int]) -> None:
    mask = RNG.random(shape) > 0.5
    packed = PackedMask.of(mask)
    assert (packed.unpacked() == mask).all() and packed.unpacked().shape == shape
    assert len(packed.bits) == -(-mask.size // 8)


# ---- the store ----------------------------------------------------------------------------------------------


def test_kinds_of_one_key_are_kept_apart_and_the_last_one_counts(tmp_path: Path) -> None:
    store = SummaryStore(tmp_path / "a" / "images.sqlite")
    store.put("k", "summary", b"one")
    store.put("k", "thumbnail", b"two")
    store.put("k", "summary", b"three")
    assert (store.get("k", "summary"), store.get("k", "thumbnail")) == (b"three", b"two")
    assert store.get("other", "summary") is None and store.get("k", "coarse") is None
    assert SummaryStore(tmp_path / "a" / "images.sqlite").get("k", "summary") == b"three"


def test_another_version_does_not_read_what_this_one_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SummaryStore(tmp_path / "images.sqlite")
    store.put("k", "summary", b"one")
    monkeypatch.setattr(summary_store, "VERSION", summary_store.VERSION + 1)
    assert store.get("k", "summary") is None


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "images.sqlite"
    SummaryStore(path).put("k", "summary", b"one")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE rows SET content = ?", (b"onE",))
    assert SummaryStore(path).get("k", "summary") is None


def test_beyond_its_size_the_oldest_tenth_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "images.sqlite"
    store = SummaryStore(path)
    for i in range(30):
        store.put(f"k{i}", "summary", RNG.bytes(4000))
    store.put("k0", "summary", b"written again, so it is the youngest")
    store._database.close()  # type: ignore[union-attr]
    before = path.stat().st_size
    monkeypatch.setattr(summary_store, "MOST_BYTES", 1000)
    trimmed = SummaryStore(path)
    gone = [i for i in range(30) if trimmed.get(f"k{i}", "summary") is None]
    assert gone == [1, 2, 3, 4]
    trimmed._database.close()  # type: ignore[union-attr]
    assert path.stat().st_size < before


@pytest.mark.parametrize("folder_is_a_file", [True, False])
def test_a_store_that_cannot_be_opened_keeps_nothing(tmp_path: Path, folder_is_a_file: bool) -> None:
    place = tmp_path / "place"
    if folder_is_a_file:
        place.write_text("in the way")
        store = SummaryStore(place / "images.sqlite")
    else:
        place.mkdir()
        (place / "images.sqlite").write_bytes(b"this is no database at all" * 50)
        store = SummaryStore(place / "images.sqlite")
    store.put("k", "summary", b"one")
    assert store.get("k", "summary") is None


def test_a_full_disk_ends_the_writing_and_not_the_work(tmp_path: Path) -> None:
    class Full:
        def execute(self, *_: Any) -> Any:
            raise sqlite3.OperationalError("database or disk is full")

    store = SummaryStore(tmp_path / "images.sqlite")
    store._database = Full()  # type: ignore[assignment]
    assert store.get("k", "summary") is None
    store.put("k", "summary", b"one")
    assert store._database is None and store.get("k", "summary") is None
