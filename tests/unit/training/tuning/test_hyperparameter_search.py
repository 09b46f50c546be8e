"""What is tried and what is chosen of it: order, ranges, seeds, ties and edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from headtohead.training.records import EpochRecord
from headtohead.training.settings import FinetuneSettings
from headtohead.training.tuning.hyperparameter_search import (
    RANGES,
    Trial,
    best_trial,
    frozen_trial,
    next_settings,
    rate_choice,
    suppress_optuna_logs,
)


def stated(**changes: Any) -> FinetuneSettings:
    return FinetuneSettings.model_validate({"policy": "inner", "trials": 4, "learning_rate": 1e-3, **changes})


def lines(losses: Sequence[float | None]) -> list[EpochRecord]:
    return [EpochRecord(i + 1, 0.5, 0.5, loss, 0.5, 1e-3) for i, loss in enumerate(losses)]


def trial(
    losses: Sequence[float | None], settings: FinetuneSettings | None = None, *, last: bool = False
) -> Trial:
    rows = [np.full((2, 3), number, float) for number in range(len(losses))]
    return Trial.of(settings or stated(), lines(losses), rows, np.array([1, 3]), 5, last=last)


@pytest.mark.parametrize(
    ("losses", "last", "epoch"),
    [
        ([0.5, 0.3, 0.4], False, 2),
        ([0.5, 0.3, 0.3], False, 2),
        ([0.5, 0.3, 0.4], True, 3),
        ([None, 0.9, None], False, 2),
        ([None, None], False, 1),
    ],
)
def test_a_trial_counts_at_its_first_best_epoch_or_at_its_last(
    losses: Sequence[float | None], last: bool, epoch: int
) -> None:
    found = trial(losses, last=last)
    assert found.epoch == epoch and len(found.lines) == len(losses)
    assert found.loss == (np.inf if losses[epoch - 1] is None else losses[epoch - 1])
    assert found.rows is not None and found.rows.shape == (5, 3)
    assert np.isnan(found.rows[[0, 2, 4]]).all() and (found.rows[[1, 3]] == epoch - 1).all()


def test_the_record_of_a_trial_is_what_was_tried_and_what_came_out() -> None:
    found = trial([0.5, 0.3, 0.4], stated(layer_decay=0.9, weight_decay=0.02))
    assert found.record() == {
        "learning_rate": 1e-3, "layer_decay": 0.9, "weight_decay": 0.02, "epoch": 2, "epochs_run": 3,
        "inner_loss": 0.3,
    }  # fmt: skip


def proposed(settings: FinetuneSettings, seed: int = 0) -> list[FinetuneSettings]:
    done: list[Trial] = []
    while (following := next_settings(settings, done, seed)) is not None:
        done.append(trial([0.5], following))
    return [one.settings for one in done]


def test_stated_rates_come_first_and_the_rest_is_drawn_up_to_the_number() -> None:
    settings = stated(learning_rates=(2e-3, 5e-4), trials=5)
    found = proposed(settings)
    assert len(found) == 5 and [one.learning_rate for one in found[:2]] == [2e-3, 5e-4]
    assert all(one.layer_decay == settings.layer_decay for one in found[:2])
    assert len({one.weight_decay for one in found[2:]}) == 3


def test_fewer_trials_than_stated_rates_try_each_rate() -> None:
    found = proposed(stated(learning_rates=(2e-3, 5e-4, 1e-4), trials=1))
    assert [one.learning_rate for one in found] == [2e-3, 5e-4, 1e-4]


def test_the_policy_rate_draws_nothing() -> None:
    settings = FinetuneSettings(policy="rate", learning_rates=(1e-3, 1e-4))
    assert [one.learning_rate for one in proposed(settings)] == [1e-3, 1e-4]
    assert len(proposed(FinetuneSettings(policy="fixed"))) == 1


@pytest.mark.parametrize("tuner", ["random", "optuna"])
def test_proposals_lie_in_their_ranges_and_follow_from_the_seed(tuner: str) -> None:
    pytest.importorskip("optuna")
    settings = stated(trials=8, tuner=tuner)
    found = proposed(settings)
    assert found == proposed(settings) != proposed(settings, seed=1)
    for one in found[1:]:
        assert 0.2 * 1e-3 <= one.learning_rate <= 5 * 1e-3
        assert 0.6 <= one.layer_decay <= 1.0 and 0.01 <= one.weight_decay <= 0.2
        assert one.epochs == settings.epochs, "nothing else is changed"
    assert len({one.layer_decay for one in found[1:]}) == 7


def test_rates_and_decays_are_drawn_evenly_on_their_scales() -> None:
    found = [proposed(stated(trials=2), seed)[1] for seed in range(300)]
    factor = np.log(np.array([one.learning_rate / 1e-3 for one in found])) / np.log(5)
    decay = (np.array([one.layer_decay for one in found]) - 0.6) / 0.4
    weight = np.log(np.array([one.weight_decay for one in found]) / 0.01) / np.log(20)
    for share in ((factor + 1) / 2, decay, weight):
        assert abs(share.mean() - 0.5) < 0.06 and share.min() < 0.05 and share.max() > 0.95
    assert abs(np.corrcoef(factor, decay)[0, 1]) < 0.2


def test_the_first_of_equal_trials_is_chosen_and_one_without_a_loss_last() -> None:
    a, b, none = trial([0.3]), trial([0.3, 0.4]), trial([None])
    assert best_trial([none, a, b]) is a and best_trial([b, a]) is b and best_trial([none]) is none
    assert best_trial([trial([0.1]), trial([0.0])]).loss == 0.0


@pytest.mark.parametrize(
    ("chosen", "at_edge"), [(1e-4, True), (3e-4, False), (9e-4, True)], ids=["lowest", "middle", "highest"]
)
def test_a_rate_at_the_edge_of_those_tried_is_told(chosen: float, at_edge: bool) -> None:
    settings = stated(learning_rates=(9e-4, 1e-4, 3e-4), trials=1)
    best = trial([0.2], settings.model_copy(update={"learning_rate": chosen}))
    assert rate_choice(best, settings) == {
        "learning_rate": chosen, "rates": [1e-4, 3e-4, 9e-4], "at_edge": at_edge
    }  # fmt: skip
    assert rate_choice(best, stated(learning_rates=(1e-3,))) == {} == rate_choice(best, stated())


def test_optuna_is_told_each_trial_in_its_ranges_and_keeps_quiet() -> None:
    optuna = pytest.importorskip("optuna")
    before = optuna.logging.get_verbosity()
    with suppress_optuna_logs(optuna):
        assert optuna.logging.get_verbosity() == optuna.logging.ERROR
    assert optuna.logging.get_verbosity() == before
    with pytest.raises(KeyError), suppress_optuna_logs(optuna):
        raise KeyError
    assert optuna.logging.get_verbosity() == before
    far = trial([0.7, 0.4], stated(learning_rate=1.0, layer_decay=0.5, weight_decay=0.9))
    kept = frozen_trial(optuna, far, stated())
    assert kept.params == {"rate_factor": 5.0, "layer_decay": 0.6, "weight_decay": 0.2}
    assert kept.value == 0.4 and kept.intermediate_values == {1: 0.7, 2: 0.4}
    assert {name: kept.distributions[name].log for name in RANGES} == {
        "rate_factor": True,
        "layer_decay": False,
        "weight_decay": True,
    }


def test_trials_are_stored_once_each(tmp_path: Any) -> None:
    optuna = pytest.importorskip("optuna")
    from headtohead.training.tuning.optuna_storage import save_trials

    store = tmp_path / "deep" / "er" / "trials.sqlite"
    done = [trial([0.5]), trial([0.4])]
    save_trials(store, "a r0f0", done[:1], stated())
    save_trials(store, "a r0f0", done, stated())
    save_trials(store, "a r0f0", done, stated())
    save_trials(store, "b r0f0", done[:1], stated())
    with suppress_optuna_logs(optuna):
        storage = optuna.storages.RDBStorage(f"sqlite:///{store}")
        found = {
            name: [one.value for one in optuna.load_study(study_name=name, storage=storage).trials]
            for name in ("a r0f0", "b r0f0")
        }
        storage.engine.dispose()
    assert found == {"a r0f0": [0.5, 0.4], "b r0f0": [0.5]}
