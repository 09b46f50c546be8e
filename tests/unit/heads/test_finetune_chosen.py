"""What fine-tuning chooses, it chooses on inner groups; nothing that is scored is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.planting.finetuned import Blobs, DiesAt, Killed, cell_of, head_of, run, short, tiny_network

from headtohead.core.config import Budget
from headtohead.heads.base import FoldJob, SampleLabels
from headtohead.heads.fine_tuning import FineTuningHead
from headtohead.training.settings import FinetuneSettings
from headtohead.training.tuning.trial_budget import TrialBudget


@pytest.mark.parametrize("policy", ["fixed", "rate", "inner"])
def test_training_never_sees_the_test_part(tmp_path: Path, policy: str) -> None:
    """Changing the scored images and labels changes nothing but the predictions themselves."""
    settings = short(policy=policy)
    first = run(tmp_path / "a", settings)
    images = Blobs(60)
    images.array[44:] = np.random.default_rng(9).uniform(0, 1, images.array[44:].shape)
    cell, data = cell_of(60, 44)
    other = data.labels.copy()
    other[44:] = 1 - other[44:]
    head = FineTuningHead(tiny_network(images), settings)
    second = head.fit_predict(cell, SampleLabels(other, data.groups, data.classes), tmp_path / "b")
    assert first.epochs == second.epochs
    assert first.train == second.train
    assert np.array_equal(first.inner_probabilities, second.inner_probabilities, equal_nan=True)
    assert dict(first.chosen) == dict(second.chosen)


def test_inner_policy_chooses_on_held_groups(tmp_path: Path) -> None:
    result = run(tmp_path, short(policy="inner", epochs=4, learning_rates=(1e-5, 3e-3)))
    told = ~np.isnan(result.inner_probabilities).any(axis=1)
    _, data = cell_of(60, 44)
    train_groups = data.groups[:44]
    assert 0 < told.sum() < 20
    assert not set(train_groups[told]) & set(train_groups[~told])
    trials = result.chosen["trials"]
    assert [trial["learning_rate"] for trial in trials] == [1e-5, 3e-3]
    best = min(trials, key=lambda trial: trial["inner_loss"])
    assert result.chosen["epochs"] == best["epoch"] == len(result.epochs)
    assert result.inner.loss == pytest.approx(best["inner_loss"])
    assert all(line.inner_loss is not None for line in result.epochs)


def test_the_rate_is_chosen_by_the_last_epoch_and_the_epochs_stay(tmp_path: Path) -> None:
    rates = (1e-5, 3e-3, 1e-4)
    result = run(tmp_path, short(policy="rate", epochs=3, learning_rates=rates))
    trials = result.chosen["trials"]
    assert [trial["learning_rate"] for trial in trials] == list(rates)
    assert {trial["epoch"] for trial in trials} == {3} == {result.chosen["epochs"]}
    best = min(trials, key=lambda trial: trial["inner_loss"])
    assert (
        result.chosen["learning_rate"] == best["learning_rate"] == result.chosen["settings"]["learning_rate"]
    )
    assert result.chosen["at_edge"] is (best["learning_rate"] != 1e-4)
    assert np.isnan(result.inner_probabilities).all()  # the rows that chose the rate weigh nothing
    again = run(tmp_path / "fixed", short(epochs=3, learning_rate=best["learning_rate"]))
    assert np.array_equal(result.probabilities, again.probabilities)


@pytest.mark.parametrize("policy", ["rate", "inner"])
def test_members_are_weighed_on_rows_that_did_not_choose(tmp_path: Path, policy: str) -> None:
    """Under "inner" the fold that chose the epoch is left out of the inner probabilities that ensembles weigh."""
    settings = short(policy=policy, epochs=2, inner_folds=2, learning_rates=(1e-4, 3e-3))
    job, data = cell_of(60, 44)
    head = head_of(settings)
    weighed = np.concatenate([validation for _, validation in head.inner_folds(job, data)])
    result = run(tmp_path, settings)
    assert set(np.flatnonzero(~np.isnan(result.inner_probabilities).any(axis=1))) == set(weighed)
    if policy == "inner":
        chose = head_of(short(policy="inner")).inner_folds(job, data)[0][1]
        assert len(chose) and not set(chose) & set(weighed)


@pytest.mark.parametrize("tuner", ["random", "optuna"])
def test_trials_are_as_many_as_stated_and_go_on_after_a_kill(tmp_path: Path, tuner: str) -> None:
    if tuner == "optuna":
        pytest.importorskip("optuna")
    settings = short(policy="inner", trials=6, tuner=tuner, epochs=2, learning_rate=1e-3)
    whole = run(tmp_path / "whole", settings)
    trials = whole.chosen["trials"]
    assert len(trials) == 6 and len({trial["learning_rate"] for trial in trials}) == 6
    assert trials[0]["learning_rate"] == 1e-3
    assert all(
        2e-4 <= trial["learning_rate"] <= 5e-3 and 0.6 <= trial["layer_decay"] <= 1 for trial in trials
    )
    with pytest.raises(Killed):
        run(tmp_path / "cut", settings, DiesAt(60, 800))
    small = [file for file in (tmp_path / "cut").glob("trial*.pt") if "net" not in torch.load(file)]
    assert len(small) >= 2  # of a finished trial only the curve is kept
    resumed = run(tmp_path / "cut", settings)
    assert dict(resumed.chosen) == dict(whole.chosen)
    assert np.array_equal(resumed.probabilities, whole.probabilities)


def test_inner_folds_give_every_sample_a_judge_that_did_not_see_it(tmp_path: Path) -> None:
    result = run(tmp_path, short(epochs=6, inner_folds=2))
    assert not np.isnan(result.inner_probabilities).any()
    assert result.inner.accuracy is not None and result.inner.accuracy > 0.8


def test_patience_stops_a_trial(tmp_path: Path) -> None:
    result = run(tmp_path, short(policy="inner", epochs=30, patience=1, learning_rate=0.05))
    assert result.chosen["trials"][0]["epochs_run"] < 30


@pytest.mark.slow
def test_permuted_labels_get_chance(tmp_path: Path) -> None:
    """With labels that mean nothing, inner selection must not lift the scored accuracy above chance."""
    hits = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        cell, data = cell_of(60, 44, seed)
        shuffled = SampleLabels(rng.permutation(data.labels), data.groups, data.classes)
        settings = short(policy="inner", learning_rates=(3e-4, 3e-3))
        head = FineTuningHead(tiny_network(Blobs(60)), settings)
        result = head.fit_predict(cell, shuffled, tmp_path / str(seed))
        hits.append(result.probabilities.argmax(axis=1) == shuffled.labels[44:])
    assert 0.3 < np.mean(hits) < 0.7


@pytest.mark.parametrize(("minutes", "trials"), [(1e-6, 1), (60.0, 3)])
def test_minutes_end_the_trials(tmp_path: Path, minutes: float, trials: int) -> None:
    head = head_of(
        short(policy="inner", trials=3, epochs=1),
        trial_budget=lambda folder: TrialBudget(Budget(minutes=minutes), 1, folder),
    )
    result = head.fit_predict(*cell_of(60, 44), tmp_path)
    assert len(result.chosen["trials"]) == trials


def test_trials_are_kept_in_sqlite_once_whatever_was_killed(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    from headtohead.training.tuning.optuna_storage import save_trials

    store = tmp_path / "trials.sqlite"
    settings = short(policy="inner", trials=4, tuner="optuna", epochs=1)

    def note(cell: FoldJob, trials: Any, stated: FinetuneSettings) -> None:
        save_trials(store, "tiny r0f0", trials, stated)

    cell, data = cell_of(60, 44)
    head = head_of(settings, on_trial_end=note)
    images: Any = head.networks.images
    original, left = images.pixels, iter(range(250))

    def dies(index: int) -> Any:
        if next(left, None) is None:
            raise Killed
        return original(index)

    images.pixels = dies
    with pytest.raises(Killed):
        head.fit_predict(cell, data, tmp_path / "cut")
    kept = optuna.load_study(study_name="tiny r0f0", storage=f"sqlite:///{store}")
    assert 0 < len(kept.trials) < 4
    result = head_of(settings, on_trial_end=note).fit_predict(cell, data, tmp_path / "cut")
    kept = optuna.load_study(study_name="tiny r0f0", storage=f"sqlite:///{store}")
    assert [trial.value for trial in kept.trials] == [one["inner_loss"] for one in result.chosen["trials"]]
    assert kept.best_value == min(one["inner_loss"] for one in result.chosen["trials"])
