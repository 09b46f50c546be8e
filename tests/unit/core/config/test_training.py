"""Budgets, and `--set finetune.NAME=VALUE`: read exactly, refused where they would do nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from headtohead.core.config.training import Budget, TrainConfig, parse_overrides
from headtohead.core.errors import NoEffectError, UnknownNameError, UsageError


@pytest.mark.parametrize(
    ("text", "budget", "spelled"),
    [
        ("8", Budget(trials=8), "8 trials"),
        (" 8  trials ", Budget(trials=8), "8 trials"),
        ("1trial", Budget(trials=1), "1 trial"),
        ("90s", Budget(minutes=1.5), "1.5 min"),
        ("10 min", Budget(minutes=10), "10 min"),
        ("1.5h", Budget(minutes=90), "90 min"),
        ("0.5min", Budget(minutes=0.5), "0.5 min"),
    ],
)
def test_budgets_have_one_spelling_each(text: str, budget: Budget, spelled: str) -> None:
    assert Budget.parse(text) == budget
    assert str(budget) == spelled
    assert Budget.parse(spelled) == budget
    assert TrainConfig(policy="inner", budget=text).budget == spelled


@pytest.mark.parametrize(
    "text", ["", "0", "0.0h", "-1h", "h", "1d", "1e3s", "8 9", "min", "1,5h", "8\n9", "inf s"]
)
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected trials \(8\) or time") as caught:
        Budget.parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["1.5", "2.0 trials"])
def test_trials_are_whole(text: str) -> None:
    with pytest.raises(UsageError, match="trials are whole, such as 8"):
        Budget.parse(text)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10**6))
def test_every_number_of_trials_comes_back(n: int) -> None:
    assert Budget.parse(str(Budget(trials=n))) == Budget(trials=n)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 59_999_999))
def test_times_of_a_second_to_a_year_come_back(seconds: int) -> None:
    budget = Budget.parse(f"{seconds}s")
    again = Budget.parse(str(budget))
    assert again.minutes == pytest.approx(seconds / 60, rel=1e-5)
    assert str(again) == str(budget), "what a run folder keeps is not changed by reading it"


def train(**settings: Any) -> TrainConfig:
    return TrainConfig.model_validate(settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"budget": "8"}, "the policy 'rate' has no use for one"),
        ({"budget": "8", "policy": "fixed"}, "the policy 'fixed' has no use for one"),
        (
            {"budget": "8", "policy": "inner", "trials": 2},
            "Got trials = 2 and a budget of 8 trials; state one",
        ),
        (
            {"budget": "2", "policy": "inner", "learning_rates": (1e-5, 1e-4, 1e-3)},
            "A budget of 2 trials cannot try 3 learning rates",
        ),
        ({"tuner": "optuna"}, "The tuner 'optuna' would have no effect with one trial"),
        ({"tuner": "optuna", "policy": "inner", "budget": "1"}, "The tuner 'optuna' would have no effect"),
    ],
)
def test_settings_without_effect_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(NoEffectError, match=said):
        train(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"policy": "inner"},
        {"budget": "3", "policy": "inner", "learning_rates": (1e-5, 1e-4, 1e-3)},
        {"budget": "1min", "policy": "inner", "learning_rates": (1e-5, 1e-4, 1e-3)},  # time bounds no trials
        {"tuner": "optuna", "policy": "inner", "budget": "2"},
        {"tuner": "optuna", "policy": "inner", "budget": "1min"},
        {"tuner": "optuna", "trials": 2},
    ],
)
def test_settings_with_an_effect_pass(settings: dict[str, Any]) -> None:
    assert train(**settings).policy == settings.get("policy", "rate")


def test_trials_stand_for_a_budget_where_none_is_stated() -> None:
    assert train(trials=4).effective_budget == Budget(trials=4)
    assert train(policy="inner", budget="90s").effective_budget == Budget(minutes=1.5)


def test_overrides_are_typed_as_their_setting() -> None:
    words = ["finetune.epochs=10", "finetune.learning_rates=1e-4, 3e-4", " finetune.flip_test =no"]
    assert parse_overrides(words) == {"epochs": 10, "learning_rates": (1e-4, 3e-4), "flip_test": False}
    assert parse_overrides(["finetune.ema=None", "finetune.patience=none"]) == {"ema": None, "patience": None}
    assert parse_overrides(["finetune.augment=none"]) == {"augment": "none"}, "a preset of that name"
    assert parse_overrides([]) == {}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("finetune.epochs", "expected finetune.NAME=VALUE"),
        ("finetune.epochs=", "expected finetune.NAME=VALUE"),
        ("epochs=3", "expected finetune.NAME=VALUE"),
        (
            "finetune.epochs=0",
            "--set finetune.epochs=0 does not fit: Input should be greater than or equal to 1",
        ),
        ("finetune.epochs=1.5", "does not fit: Input should be a valid integer"),
        ("finetune.ema=1", "does not fit: Input should be less than 1"),
        ("finetune.epochs=none", "does not fit: Input should be a valid integer"),
        ("finetune.learning_rates=1e-4,-1", "does not fit: Input should be greater than 0"),
        ("finetune.policy=best", "does not fit: Input should be 'rate', 'fixed' or 'inner'"),
    ],
)
def test_misfits_are_named(word: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_overrides([word])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("finetun.epochs=3", "section for --set 'finetun'; did you mean 'finetune'"),
        ("finetune.epoch=3", "setting of finetune 'epoch'; did you mean 'epochs'"),
        ("finetune.budget=8", "setting of finetune 'budget'"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(word: str, said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        parse_overrides([word])


def test_a_setting_stated_twice_is_refused() -> None:
    with pytest.raises(NoEffectError, match=r"--set states finetune.epochs twice"):
        parse_overrides(["finetune.epochs=3", "finetune.epochs=3"])


def test_a_budget_of_a_run_folder_is_checked_again() -> None:
    with pytest.raises((UsageError, ValidationError), match="budget"):
        TrainConfig.model_validate({"policy": "inner", "budget": "soon"})
