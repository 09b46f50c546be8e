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
RATE = {
    "policy": "rate after the last epoch: one grouped fold of 5, by log loss",
    "epochs": 6,
    "settings": {"batch": 8, "learning_rate": 3e-4},
    "layers": {
        "blocks": 45,
        "trained": 44,
        "head_rate": 3e-4,
        "lowest_rate": 9.5e-6,
        "highest_rate": 2.25e-4,
    },
}
INNER = {"policy": "inner", "epochs": 4, "settings": {"batch": 8, "augment": "none", "learning_rate": 1e-4}}


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
    assert was_selected("finetune", [INNER]) == "epochs"
    assert was_selected("finetune", [RATE]) == "learning rate"
    assert was_selected("", [{"how": "mean"}]) == ""
    told = training_sentence("a", "finetune", [RATE])
    assert "the learning rate chosen on an inner grouped fold" in told and "number of epochs" not in told
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


def test_choices_at_the_edge_are_counted() -> None:
    grid = {"grid": [1e-4, 1e-2, 1.0]}
    told = training_sentence("a", "probe", [{**grid, "C": c} for c in (1e-4, 1e-2, 1e-4, 1.0)])
    assert "(the smallest of them in 2 and the greatest of them in 1 of 4 cells)" in told
    assert "of them" not in training_sentence("a", "probe", [{**grid, "C": 1e-2}])
    assert "the greatest of them in 1 of 1" in training_sentence("a", "mlp", [{**grid, "weight_decay": 1.0}])


def test_blocks_and_their_rates_are_told() -> None:
    told = training_sentence("a", "finetune", [RATE])
    assert "44 of 45 blocks of the network trained, at 0.032 to 0.75 of that rate" in told
    without = {**RATE, "layers": {"blocks": 3, "trained": 0, "head_rate": 3e-4}}
    assert training_sentence("a", "lora", [without]).endswith("0 of 3 blocks of the network trained.")


def test_the_preset_behind_auto_is_named() -> None:
    from headtohead.training.data_loader import get_augmenter

    assert get_augmenter("auto").name == "light"
    settings = {"augment": "auto", "learning_rate": 1e-4}
    told = training_sentence("a", "finetune", [FIXED | {"settings": settings}])
    assert "augmentation light" in told and "auto" not in told


def test_cells_that_chose_differently_are_told_as_ranges() -> None:
    cells: list[dict[str, Any]] = [
        {
            "policy": "inner",
            "epochs": epochs,
            "settings": {"batch": 8, "augment": "none", "learning_rate": rate, "weight_decay": 0.05},
        }
        for epochs, rate in ((8, 3e-4), (4, 1e-4), (6, 1e-3))
    ]
    told = training_sentence("a", "finetune", cells)
    assert "; 4 to 8 epochs; " in told
    assert "; batch 8; augmentation none; weight decay 0.05; peak learning rate 0.0001 to 0.001." in told
    one = training_sentence("a", "finetune", cells[:1])
    assert "; 8 epochs; " in one and one.endswith("peak learning rate 0.0003.")


def test_what_was_not_recorded_is_not_told() -> None:
    bare = training_sentence("a", "finetune", [{"policy": "inner", "settings": {}}])
    assert "epochs" not in bare.replace("number of epochs", "") and "batch" not in bare and "rate" not in bare
