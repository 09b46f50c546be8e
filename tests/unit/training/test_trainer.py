"""One training: what a finished trial keeps, what is said when it goes on, and which state predicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.planting.finetuned import Blobs, Tiny, short

from headtohead.core.progress import QUIET
from headtohead.training.checkpoint import load_checkpoint
from headtohead.training.data_loader import get_augmenter
from headtohead.training.records import Subset, fit_metrics
from headtohead.training.setup import TrainingSetup
from headtohead.training.trainer import Trainer

IMAGES = Blobs(60)
PART = Subset(np.arange(0, 40), IMAGES.labels[:40].astype(np.int64))
HELD = Subset(np.arange(40, 60), IMAGES.labels[40:].astype(np.int64))


def started(augment: str = "none", **changes: Any) -> Trainer:
    settings = short(head_start="random", **changes)
    setup = TrainingSetup(Tiny, Blobs(60), get_augmenter(augment), settings, "cpu", "fp32")
    return setup.start(PART, seed=3, k=2, reporter=QUIET)


def trained(
    path: Path, until: int = 2, held: Subset | None = HELD, reporter: Any = QUIET, **changes: Any
) -> Trainer:
    training = started(**changes)
    training.run(until, held, path / "trial.pt", "mine", reporter)
    return training


def test_lines_tell_each_epoch_with_the_held_part_judged_and_not_learned(tmp_path: Path) -> None:
    training = trained(tmp_path)
    assert [line.epoch for line in training.lines] == [1, 2] and len(training.held_rows) == 2
    last = fit_metrics(HELD.labels, training.held_rows[-1])
    assert (training.lines[-1].inner_loss, training.lines[-1].inner_accuracy) == (last.loss, last.accuracy)
    without = trained(tmp_path / "alone", held=None)
    assert [line.inner_loss for line in without.lines] == [None, None] and without.held_rows == []
    assert [line.train_loss for line in without.lines] == [line.train_loss for line in training.lines]
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2] and all(row["images_per_second"] > 0 for row in rows)


def test_a_finished_trial_keeps_its_curve_and_no_weights(tmp_path: Path, listener: Any) -> None:
    training = trained(tmp_path)
    whole = (tmp_path / "trial.pt").stat().st_size
    training.drop_weights(tmp_path / "trial.pt", "mine")
    kept = load_checkpoint(tmp_path / "trial.pt", "mine", QUIET)
    assert kept is not None and "net" not in kept and "optimizer" not in kept
    assert (tmp_path / "trial.pt").stat().st_size < whole / 2
    again = trained(tmp_path, reporter=listener)
    assert again.lines == training.lines and listener.infos == ["trial: goes on after epoch 2."]
    assert np.array_equal(again.held_rows[-1], training.held_rows[-1])
    assert again.seconds_before == pytest.approx(sum(pace["seconds"] for pace in training.throughput))


def test_a_training_goes_on_where_it_was_with_the_same_digits(tmp_path: Path, listener: Any) -> None:
    straight = trained(tmp_path / "a", until=3)
    trained(tmp_path / "b", until=1)
    resumed = trained(tmp_path / "b", until=3, reporter=listener)
    assert listener.infos[0] == "trial: goes on after epoch 1."
    assert [line.train_loss for line in resumed.lines] == [line.train_loss for line in straight.lines]
    assert np.array_equal(resumed.predict(HELD.indices), straight.predict(HELD.indices))
    assert resumed.step == straight.step == 3 * 5


def test_settled_scores_have_the_class_frequencies_on_the_training_part(tmp_path: Path) -> None:
    rare = Subset(np.arange(0, 40), (np.arange(40) % 4 == 0).astype(np.int64))
    settings = short(head_start="random")
    setup = TrainingSetup(Tiny, Blobs(60), get_augmenter("none"), settings, "cpu", "fp32")
    training = setup.start(rare, seed=3, k=2, reporter=QUIET)
    training.run(2, None, tmp_path / "t.pt", "k", QUIET)
    np.testing.assert_allclose(training.predict(rare.indices).mean(axis=0), [0.75, 0.25], atol=1e-5)


def test_predictions_average_the_flipped_image_only_where_the_preset_flips(tmp_path: Path) -> None:
    plain, flipped, off = started(), started("light"), started("light", flip_test=False)
    assert (plain.flips, flipped.flips, off.flips) == (False, True, False)
    one, two = off.predict(HELD.indices), flipped.predict(HELD.indices)
    scores = off.forward.scores(HELD.indices, flip=True)
    np.testing.assert_allclose(two, torch.softmax(scores, dim=2).mean(dim=0).detach().numpy(), atol=1e-6)
    assert not np.allclose(one, two)


def test_states_that_predict_are_those_that_are_kept(tmp_path: Path) -> None:
    plain = trained(tmp_path / "a")
    (state,) = plain.final_states()
    assert torch.equal(state["linear.bias"], plain.net.linear.bias)
    cycles = trained(tmp_path / "b", until=4, epochs=4, cycles=2)
    assert len(cycles.final_states()) == len(cycles.snapshots) == 2
    mean = []
    for place in cycles.predicting_states():
        with place:
            mean.append(torch.softmax(cycles.forward.scores(HELD.indices, flip=False), dim=2)[0])
    np.testing.assert_allclose(
        cycles.predict(HELD.indices), torch.stack(mean).mean(dim=0).detach().numpy(), atol=1e-6
    )
    averaged = trained(tmp_path / "c", ema=0.9)
    (smooth,) = averaged.final_states()
    assert not torch.equal(smooth["linear.weight"], averaged.net.linear.weight)


def test_the_end_of_each_epoch_is_told_with_its_log(tmp_path: Path) -> None:
    training = started()
    told: list[Path] = []
    training.on_epoch_end = told.append
    training.run(2, None, tmp_path / "t.pt", "k", QUIET)
    assert told == [tmp_path / "metrics.jsonl"] * 2
