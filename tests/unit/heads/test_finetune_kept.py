"""Fine-tuning comes to the same digits whatever happens around it: kills, threads, generators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.planting.finetuned import Blobs, DiesAt, Killed, cell_of, head_of, run, short

from headtohead.core.progress import QUIET
from headtohead.heads.base import RefitJob
from headtohead.training import trainer


@pytest.mark.parametrize("workers", [1, 3])
def test_number_of_workers_changes_no_digit(tmp_path: Path, workers: int) -> None:
    settings = short(dropout=0.3, mixup=0.4, cutmix=0.5, ema=0.9)
    alone = run(tmp_path / "a", settings)
    many = run(tmp_path / "b", settings.model_copy(update={"workers": workers}))
    assert np.array_equal(alone.probabilities, many.probabilities)
    assert alone.epochs == many.epochs


def test_global_generators_neither_matter_nor_move(tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = run(tmp_path / "a", short(dropout=0.5))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = run(tmp_path / "b", short(dropout=0.5))
    assert np.array_equal(first.probabilities, second.probabilities)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("after", [20, 100, 130, 200, 230])
@pytest.mark.parametrize(("policy", "cycles"), [("fixed", 1), ("inner", 1), ("fixed", 3)])
def test_killed_anywhere_goes_on_to_the_same_digits(
    tmp_path: Path, after: int, policy: str, cycles: int
) -> None:
    settings = short(dropout=0.3, ema=0.9, mixup=0.2, policy=policy, cycles=cycles)
    whole = run(tmp_path / "whole", settings)
    with pytest.raises(Killed):
        run(tmp_path / "cut", settings, DiesAt(60, after))
    resumed = run(tmp_path / "cut", settings)
    assert np.array_equal(whole.probabilities, resumed.probabilities)
    assert whole.epochs == resumed.epochs
    assert dict(whole.chosen) == dict(resumed.chosen)


def test_resuming_saves_the_finished_epochs(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, short(head_start="random"), DiesAt(60, 4 + 2 * 44 + 10))
    images = Blobs(60)
    counted: list[int] = []
    original = images.pixels
    images.pixels = lambda index: counted.append(index) or original(index)  # type: ignore[method-assign, func-returns-value]
    run(tmp_path, short(head_start="random"), images)
    # the precision's look, one epoch, the intercept, the last predictions
    assert len(counted) == 4 + 44 + 44 + 60


@pytest.mark.parametrize(("seconds", "written"), [(0.0, 3), (3600.0, 1)])
def test_checkpoints_are_written_by_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, written: int
) -> None:
    saved: list[Path] = []
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", seconds)
    monkeypatch.setattr(trainer, "save_checkpoint", lambda path, *_: saved.append(path))
    run(tmp_path, short())
    assert len(saved) == written, "three epochs; whatever the time, the finished training is kept"
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 3


def test_a_checkpoint_of_other_settings_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, short(), DiesAt(60, 200))
    assert (tmp_path / "main.pt").is_file()
    other = run(tmp_path, short(learning_rate=1e-3))
    fresh = run(tmp_path / "fresh", short(learning_rate=1e-3))
    assert np.array_equal(other.probabilities, fresh.probabilities)


def test_a_damaged_checkpoint_is_told_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "main.pt").write_bytes(b"not a checkpoint")
    fresh, damaged = run(tmp_path / "fresh", short()), run(tmp_path, short())
    assert np.array_equal(fresh.probabilities, damaged.probabilities)


def test_lines_lost_in_a_kill_are_written_again(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, short(head_start="random"), DiesAt(60, 4 + 2 * 44 + 10))
    file = tmp_path / "metrics.jsonl"
    before = file.read_text()
    assert len(before.splitlines()) == 2
    file.write_text(before.splitlines()[0] + "\n")  # killed between the checkpoint and its line
    run(tmp_path, short(head_start="random"))
    after = file.read_text()
    assert after.startswith(before) and len(after.splitlines()) == 3


def test_a_refit_from_the_same_seed_is_the_training_itself(tmp_path: Path) -> None:
    head = head_of(short(policy="inner", learning_rates=(1e-3, 3e-3)))
    cell, data = cell_of(60, 44)
    first = head.fit_predict(cell, data, tmp_path)

    def again(seed: int) -> Any:
        job = RefitJob(cell.train, first.chosen, seed, "again")
        (rows,) = head.refit(job, [cell.test], data, workdir=tmp_path, reporter=QUIET)
        return rows

    assert np.array_equal(again(cell.seed), first.probabilities)
    assert not np.array_equal(again(cell.seed + 1), first.probabilities)
