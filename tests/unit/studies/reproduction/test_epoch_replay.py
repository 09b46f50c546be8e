"""Trainings that are watched after every epoch: features of copies, heads and networks, from seeds alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.planting.finetuned import Blobs, Tiny, record
from tests.planting.threads import single_thread

from headtohead.studies.reproduction.epoch_replay import (
    augmented_rows,
    train_head_per_epoch,
    train_network_per_epoch,
)
from headtohead.training.settings import FinetuneSettings

RECORD = record()


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every network is the smallest one."""
    monkeypatch.setattr(importlib.import_module("headtohead.training.setup"), "loader", lambda _: Tiny)
    # Else digits depend on the machine.
    monkeypatch.setattr(
        importlib.import_module("headtohead.training.mixed_precision"), "has_bf16", lambda _: False
    )
    with single_thread():
        yield


def rows(indices: list[int], copies: int = 2, seed: int = 0, images: Any = None) -> Any:
    return augmented_rows(RECORD, images or Blobs(20), np.array(indices), copies, seed)


def test_copies_stand_behind_the_images_and_follow_from_image_copy_and_seed() -> None:
    found = rows([0, 1, 2, 3])
    assert found.shape == (3, 4, 32) and found.dtype == np.float32
    np.testing.assert_allclose(found[0], rows([0, 1, 2, 3], copies=0)[0], atol=1e-6)
    assert not np.allclose(found[1], found[0]) and not np.allclose(found[1], found[2])
    fewer = rows([2, 3])
    np.testing.assert_allclose(fewer, found[:, 2:], atol=1e-5)
    other = Blobs(20)
    other.number = lambda index: index * 7919 + 14  # type: ignore[method-assign]
    assert not np.allclose(rows([0], images=other)[1], found[1, :1]), "the sample's own number is drawn from"


def test_a_head_is_standardised_by_the_rows_that_it_learns_from() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    learned = (rng.normal(size=(40, 6)) + 2 * labels[:, None]).astype(np.float32)
    query = learned[:8]
    plain = train_head_per_epoch(learned, labels, query, 2, epochs=3, seed=1)
    moved = train_head_per_epoch(learned * 50 + 7, labels, query * 50 + 7, 2, epochs=3, seed=1)
    np.testing.assert_allclose(moved, plain, atol=1e-4)
    shifted = train_head_per_epoch(learned, labels, np.concatenate([query, query + 99]), 2, epochs=3, seed=1)
    (
        np.testing.assert_allclose(shifted[:, :8], plain, atol=1e-6),
        "what is asked changes nothing of the others",
    )
    np.testing.assert_allclose(plain.sum(axis=2), 1, atol=1e-9)
    assert not np.allclose(plain[0], plain[2])
    assert not np.allclose(train_head_per_epoch(learned, labels, query, 2, epochs=3, seed=2), plain)


def test_a_column_that_never_varies_is_left_at_its_scale() -> None:
    labels = np.arange(20) % 2
    learned = np.ones((20, 3), np.float32)
    found = train_head_per_epoch(learned, labels, learned[:2] + 1, 2, epochs=1, seed=0)
    assert np.isfinite(found).all() and found.shape == (1, 2, 2)


def watched(folder: Path, epochs: int = 3, seed: int = 0, scored: tuple[int, ...] = (12, 13, 14, 15)) -> Any:
    images = Blobs(20)
    settings = FinetuneSettings(
        epochs=epochs, head_start="random", learning_rate=3e-3, batch=4, workers=0, augment="none", flip_test=False
    )  # fmt: skip
    learned = np.arange(12)
    where = np.array(scored)
    return train_network_per_epoch(
        RECORD, images, settings, (learned, images.labels[learned]), (where, images.labels[where]), k=2, seed=seed,
        workdir=folder,
    )  # fmt: skip


def test_a_network_is_asked_after_every_epoch_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    found = watched(tmp_path)
    assert found.shape == (3, 4, 2) and not np.allclose(found[0], found[2])
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-6)
    assert not (tmp_path / "network.pt").exists()
    np.testing.assert_allclose(watched(tmp_path / "again"), found, atol=1e-6)
    assert not np.allclose(watched(tmp_path / "other", seed=1), found)


def test_what_is_watched_is_never_learned_from(tmp_path: Path) -> None:
    few, many = watched(tmp_path / "a"), watched(tmp_path / "b", scored=(12, 13, 14, 15, 16, 17))
    np.testing.assert_allclose(many[:, :4], few, atol=1e-5)
