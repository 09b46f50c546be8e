"""Fine-tuning's settings: what has no effect is refused in one sentence, and what a depth means."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from headtohead.core.errors import NoEffectError
from headtohead.training.settings import FinetuneSettings


@pytest.mark.parametrize("policy", ["fixed", "rate"])
def test_idle_settings_are_told_together_with_what_the_policy_chooses(policy: str) -> None:
    with pytest.raises(NoEffectError) as told:
        FinetuneSettings.model_validate({"policy": policy, "patience": 2, "trials": 3, "tuner": "optuna"})
    chooses = "nothing" if policy == "fixed" else "the learning rate alone"
    assert str(told.value) == (
        f"patience and trials and tuner would have no effect under the policy {policy!r}, which chooses {chooses}. "
        "Use the policy 'inner', or leave them out."
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"policy": "fixed", "learning_rates": (1e-3, 1e-4)}, "learning_rates would have no effect"),
        (
            {"policy": "inner", "inner_folds": 5},
            "one fold of 5 chooses, and at most 4 are left to be predicted",
        ),
        ({"inner_folds": 1}, r"inner_folds=1 holds nothing out\. Use 0 for none, or at least 2"),
        ({"cycles": 4, "epochs": 3}, "4 cycles need as many epochs; got 3"),
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(NoEffectError, match=said):
        FinetuneSettings(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"policy": "rate", "learning_rates": (1e-3, 1e-4)},
        {"policy": "inner", "inner_folds": 4, "patience": 1, "trials": 2, "tuner": "optuna"},
        {"policy": "fixed", "inner_folds": 5},
        {"inner_folds": 2, "cycles": 3, "epochs": 3},
    ],
)
def test_what_works_passes(settings: dict[str, Any]) -> None:
    assert FinetuneSettings(**settings).model_dump(include=set(settings)) == settings


@pytest.mark.parametrize(
    ("depth", "blocks"),
    [("all", None), ("lora", None), ("bitfit", None), ("partial:1", 1), ("partial:30", 30)],
)
def test_how_many_blocks_learn(depth: str, blocks: int | None) -> None:
    assert FinetuneSettings(depth=depth).last_blocks == blocks


@pytest.mark.parametrize("depth", ["partial", "partial:0", "partial:-1", "all ", "none", "partial:1x"])
def test_other_depths_are_refused(depth: str) -> None:
    with pytest.raises(ValidationError):
        FinetuneSettings(depth=depth)


def test_a_single_training_chooses_nothing_unless_told_to() -> None:
    plain = FinetuneSettings()
    assert (plain.policy, plain.depth, plain.cycles) == ("fixed", "all", 1)
    with pytest.raises(ValidationError):
        FinetuneSettings(cycles=0)
