"""The word after the @: which there are, what each takes after a colon, and what is said of it in the report."""

from __future__ import annotations

from typing import Any

import pytest

from headtohead.contenders.training_modes import TRAINING_MODES, parse_mode, training_facts
from headtohead.core.config import TrainConfig
from headtohead.core.errors import NoEffectError, UnknownNameError, UsageError


@pytest.mark.parametrize(
    "text",
    ["probe", "probe:layers", "probe:layers+flip", "probe:symmetry", "mlp", "mlp:flip", "finetune", "partial:1",
     "partial:12", "bitfit", "lora", "reader"],
)  # fmt: skip
def test_a_mode_is_told_as_it_was_written(text: str) -> None:
    mode = parse_mode(text)
    assert str(mode) == text and mode.is_tuned == (text.partition(":")[0] not in ("probe", "mlp"))


@pytest.mark.parametrize("text", ["probe:", "finetune:", "partial:", "lora:"])
def test_a_colon_wants_something_after_it(text: str) -> None:
    with pytest.raises(UsageError) as told:
        parse_mode(text)
    assert str(told.value) == f"Got the mode {text!r}; expected something after the colon, or no colon."


@pytest.mark.parametrize(
    "text",
    [
        "partial",
        "partial:0",
        "partial:007",
        "partial:٣",
        "partial:-1",
        "partial:²",
        "partial:1.5",
        "finetune:1",
        "bitfit:x",
        "reader:2",
    ],
)
def test_options_that_a_mode_does_not_take_are_quoted(text: str) -> None:
    with pytest.raises(UsageError) as told:
        parse_mode(text)
    assert (
        str(told.value) == f"Got the mode {text!r}; expected finetune, partial:<k>, bitfit, lora or reader."
    )


def test_names_and_views_that_do_not_exist_are_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'finetune'"):
        parse_mode("fintune")
    with pytest.raises(UnknownNameError, match="did you mean 'symmetry'"):
        parse_mode("mlp:symetry")
    with pytest.raises(NoEffectError, match="leave out layers and flip"):
        parse_mode("probe:symmetry+flip")


def test_only_frozen_features_have_a_view() -> None:
    assert parse_mode("probe:flip").view.flip and parse_mode("mlp:layers").view.layers
    assert str(parse_mode("partial:2").view) == "plain", "the number is no view"


def test_what_a_mode_fixes_and_which_rates_it_takes() -> None:
    fixed = {name: dict(mode.overrides("2")) for name, mode in TRAINING_MODES.items()}
    assert fixed == {
        "probe": {}, "mlp": {}, "finetune": {}, "reader": {},
        "partial": {"depth": "partial:2"},
        "bitfit": {"depth": "bitfit", "layer_decay": 1.0},
        "lora": {"depth": "lora", "layer_decay": 1.0},
    }  # fmt: skip
    assert {name: mode.rate_factor for name, mode in TRAINING_MODES.items() if mode.rate_factor != 1} == {
        "bitfit": 5.0,
        "lora": 5.0,
    }


@pytest.mark.parametrize(
    ("text", "settings", "told"),
    [
        ("probe", {}, ("as they are", "from the image", "C, on 5 inner folds")),
        ("probe:flip", {}, ("as they are", "from the image and its mirror image", "C, on 5 inner folds")),
        ("mlp", {}, ("as they are", "from the image", "weight decay, on 5 inner folds")),
        (
            "finetune",
            {},
            (
                "augmented (light)",
                "from the image and its mirror image",
                "the learning rate, on one inner fold of 5",
            ),
        ),
        ("finetune", {"policy": "fixed", "augment": "none"}, ("as they are", "from the image", "nothing")),
        (
            "lora",
            {"policy": "inner", "augment": "xray"},
            ("augmented (xray)", "from the image", "epochs and rates, on one inner fold of 5"),
        ),
        (
            "finetune",
            {"policy": "fixed", "flip_test": False},
            ("augmented (light)", "from the image", "nothing"),
        ),
    ],
)
def test_facts_of_a_mode_say_what_is_done_to_images_predictions_and_choices(
    text: str, settings: dict[str, Any], told: tuple[str, str, str]
) -> None:
    found = training_facts(parse_mode(text), TrainConfig(**settings))
    assert tuple(found.values()) == told
    assert tuple(found) == ("training images", "prediction", "chosen inside the training part")
