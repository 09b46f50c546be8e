"""Budgets are counted or timed, the same for everyone; what would change nothing is refused."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import Budget, StudyConfig, TrainConfig, parse_overrides
from headtohead.core.errors import HeadToHeadError, NoEffectError, UnknownNameError, UsageError
from headtohead.training.tuning.trial_budget import TrialBudget


@pytest.mark.parametrize(
    ("text", "trials", "minutes"),
    [("8", 8, None), ("1 trial", 1, None), ("10min", None, 10), ("90s", None, 1.5), ("0.5h", None, 30)],
)
def test_budgets_are_read(text: str, trials: int | None, minutes: float | None) -> None:
    assert Budget.parse(text) == Budget(trials, minutes) == Budget.parse(str(Budget.parse(text)))


@pytest.mark.parametrize("text", ["", "0", "soon", "2.5", "3 days", "-1", "0min"])
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="budget"):
        Budget.parse(text)


def spend(purse: TrialBudget, seconds: float, most: int = 50) -> int:
    """Pay as much for each trial until the purse is shut; return how many there were."""
    for number in range(most):
        if not purse.can_start(number):
            return number
        purse.record_spent(number, time.perf_counter(), seconds)
    return most


def test_minutes_are_shared_by_the_cells_and_leave_room_for_the_last_training(tmp_path: Path) -> None:
    budget = Budget(minutes=1)
    assert spend(TrialBudget(budget, 2, tmp_path / "a"), 5) == 4  # 30 s: 4 trials and 1.25 for the last
    assert spend(TrialBudget(budget, 1, tmp_path / "b"), 5) == 10
    assert spend(TrialBudget(budget, 60, tmp_path / "c"), 5) == 1  # one trial is the least


def test_a_killed_cell_gets_the_trials_it_had(tmp_path: Path) -> None:
    """On a machine that has become ten times slower, a new process replays the number that is written down."""
    budget = Budget(minutes=1)
    assert spend(TrialBudget(budget, 1, tmp_path), 5) == 10
    assert spend(TrialBudget(budget, 1, tmp_path), 50) == 10
    begun = TrialBudget(budget, 1, tmp_path / "begun")
    for number in range(3):
        assert begun.can_start(number)
        begun.record_spent(number, time.perf_counter(), 5)
    assert spend(TrialBudget(budget, 1, tmp_path / "begun"), 5) == 10


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"budget": "8"}, "no use for one"),
        ({"budget": "8", "policy": "inner", "trials": 3}, "one of them"),
        ({"budget": "1", "policy": "inner", "learning_rates": (1e-3, 1e-4)}, "2 learning rates"),
        ({"tuner": "optuna", "policy": "inner"}, "one trial"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(NoEffectError, match=said):
        TrainConfig(**settings)


def test_the_budget_is_kept_in_the_configuration() -> None:
    train = {"budget": "10min", "policy": "inner", "ema": 0.9, "clip": 0}
    config = StudyConfig.from_settings({"data": "x", "contenders": ("a",), "train": train})
    assert StudyConfig.from_toml(config.to_toml()) == config
    assert config.train.budget == "10 min" and config.train.effective_budget.minutes == 10


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("epochs=7", 7),
        ("learning_rate=3e-4", 3e-4),
        ("learning_rates=1e-4,1e-3", (1e-4, 1e-3)),
        ("ema=none", None),
        ("flip_test=no", False),
        ("balance=sampler", "sampler"),
    ],
)
def test_settings_are_typed(word: str, value: Any) -> None:
    assert parse_overrides([f"finetune.{word}"]) == {word.partition("=")[0]: value}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["finetune.epoch=3"], "did you mean 'epochs'"),
        (["finetun.epochs=3"], "did you mean 'finetune'"),
        (["finetune.epochs=many"], "finetune.epochs=many does not fit: .*integer"),
        (["finetune.mixup=-1"], "greater than or equal to 0"),
        (["finetune.balance=los"], "'none', 'loss' or 'sampler'"),
        (["finetune.clip=none"], "number"),
        (["epochs=3"], "expected finetune.NAME=VALUE"),
        (["finetune.epochs=3", "finetune.epochs=4"], "twice"),
        (["finetune.budget=8"], "Unknown setting"),
    ],
)
def test_settings_that_do_not_fit_are_explained(words: list[str], said: str) -> None:
    with pytest.raises(HeadToHeadError, match=said):
        parse_overrides(words)


@pytest.mark.parametrize(
    ("contenders", "changes", "said"),
    [
        ("dinov2-small", {"epochs": 3}, "epochs would have no effect: no contender is fine-tuned"),
        ("dinov2-small", {"augment": "mri"}, "augment would have no effect"),
        ("dinov2-small", {"policy": "inner"}, "policy would"),
        ("dinov2-small@finetune", {"lora_rank": 4}, "lora_rank would"),
        ("scratch-cnn", {"batch_norm": "train"}, "batch_norm would"),
        ("dinov2-small@finetune", {"patience": 3}, "patience would"),
    ],
)
def test_idle_settings_are_refused_before_any_work(
    contenders: str, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(NoEffectError, match=said):
        ContenderPlan.parse(contenders).check_settings(TrainConfig(**changes))


def test_settings_with_an_effect_pass() -> None:
    ContenderPlan.parse("dinov2-small@probe:flip").check_settings(TrainConfig(augment="mri"))
    ContenderPlan.parse("dinov2-small").check_settings(TrainConfig(budget="4", policy="inner"))
    ContenderPlan.parse("scratch-cnn,dinov2-small@finetune").check_settings(TrainConfig(batch_norm="train"))
    with pytest.raises(UnknownNameError):
        ContenderPlan.parse("nobody@finetune").check_settings(TrainConfig())
