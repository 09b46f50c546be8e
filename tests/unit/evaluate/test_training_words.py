"""Sentences on training: for each mode only what its cells recorded."""

from __future__ import annotations

from typing import Any

import pytest

from headtohead.contenders.training_modes import TRAINING_MODES
from headtohead.evaluate.training_words import training_sentence, was_selected

GRID = {"grid": [0.1, 1.0], "C": 1.0}
FIXED = {
    "policy": "fixed: nothing was chosen",
    "epochs": 6,
    "settings": {"batch": 8, "augment": "light", "learning_rate": 3e-4},
}
TRIALS = [{"learning_rate": rate, "layer_decay": 0.75} for rate in (1e-4, 3e-4)]
INNER = {
    "policy": "inner: one grouped fold of 5",
    "epochs": 4,
    "settings": {"batch": 8, "augment": "none", "learning_rate": 1e-4},
}


def recorded(mode: str) -> dict[str, Any]:
    return GRID if mode in ("probe", "mlp") else FIXED


@pytest.mark.parametrize("mode", sorted(TRAINING_MODES))
def test_every_mode_is_told_from_its_own_records(mode: str) -> None:
    told = training_sentence("a", mode, [recorded(mode)])
    frozen = not TRAINING_MODES[mode].is_tuned
    assert ("frozen features" in told) == frozen
    assert ("learning rate" in told) == (not frozen)
    assert ("6 epochs" in told) == (not frozen), "epochs are told of networks that were trained in epochs"
    assert ("light" in told) == (not frozen)
    assert training_sentence("a", mode, []) == "", "nothing recorded, nothing told"


def test_what_was_chosen_is_told_only_where_something_was() -> None:
    assert was_selected("probe", [GRID]) == "C"
    assert was_selected("probe", [{"grid": [1.0]}]) == "nothing"
    assert was_selected("finetune", [FIXED]) == "nothing"
    assert was_selected("finetune", [INNER]) == "number of epochs"
    assert was_selected("finetune", [{**INNER, "trials": TRIALS}]) == "number of epochs and learning rate"
    rate = {**INNER, "policy": "rate after the last epoch: one grouped fold of 5", "trials": TRIALS}
    assert was_selected("finetune", [rate]) == "learning rate", "the epochs were stated beforehand"
    assert "number of epochs" not in training_sentence("a", "finetune", [rate])
    assert was_selected("finetune", [{**rate, "trials": TRIALS[:1]}]) == "nothing"
    assert was_selected("", [{"how": "mean"}]) == ""
    assert "chosen from 2 values" in training_sentence("a", "probe", [GRID])
    assert "chosen from" not in training_sentence("a", "probe", [{"grid": [1.0]}])
    assert "nothing chosen" in training_sentence("a", "partial:2", [FIXED])
    assert "(2)" in training_sentence("a", "partial:2", [FIXED])
    assert "4 epochs" in training_sentence(
        "a", "lora", [INNER]
    ) and "inner grouped fold" in training_sentence("a", "lora", [INNER])


def test_combinations_name_their_rule() -> None:
    assert "combination of its members' probabilities (mean)" in training_sentence("e", "", [{"how": "mean"}])
    assert "average of trainings from different seeds" in training_sentence("s", "", [{"how": "seeds"}])
