"""The states of the protocol, the settings of the transformer, and what is said of what was cut short."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.core.config import ReproductionConfig
from headtohead.studies.reproduction.protocol import (
    CORRECTIONS,
    PUBLISHED,
    NetworkPair,
    shortened,
    transformer_epochs,
    transformer_settings,
)


def config(**settings: Any) -> ReproductionConfig:
    return ReproductionConfig(data="x", **settings)


def test_the_first_state_is_the_published_one_with_all_its_flaws() -> None:
    first = CORRECTIONS[0]
    assert (first.name, first.grouped, first.peeks, first.shared, first.normalised, first.recipe, first.folds) == (
        "as published", False, True, False, False, "classical", False,
    )  # fmt: skip
    assert [step.name for step in CORRECTIONS[1:]] == [
        "copies together", "epoch fixed", "same images", "own normalisation", "foreground crop", "every image scored",
    ]  # fmt: skip
    assert len({step.words for step in CORRECTIONS}) == 7


def test_published_counts_are_those_of_the_study() -> None:
    assert PUBLISHED == {"cnn": ("InceptionResNetV2", 43, 50), "vit": ("ViT-B/16", 35, 36)}


@pytest.mark.parametrize(
    ("settings", "epochs", "depth", "rate"),
    [
        ({}, 6, "partial:2", 3e-4),
        ({"full": True}, 20, "all", 1e-4),
        ({"epochs": 3}, 3, "partial:2", 3e-4),
        ({"epochs": 3, "full": True}, 3, "all", 1e-4),
    ],
)
def test_the_transformer_trains_as_published_or_its_last_blocks(
    settings: dict[str, Any], epochs: int, depth: str, rate: float
) -> None:
    made = config(**settings)
    found = transformer_settings(made)
    assert transformer_epochs(made) == found.epochs == epochs
    assert (found.depth, found.learning_rate) == (depth, rate)
    assert (found.head_start, found.label_smoothing, found.augment, found.flip_test) == (
        "random",
        0,
        "none",
        False,
    )
    assert found.policy == "fixed"


def test_what_was_cut_short_is_said_in_numbers() -> None:
    assert shortened(config(full=True)) == []
    said = shortened(config(splits=1, many_splits=2, epochs=4))
    assert said == [
        "The transformer trained its last two blocks for 4 epochs instead of all its weights.",
        "Each state before the last was drawn once; the CNN twice where the networks are scored on different images.",
    ]
    assert "drawn 3 times; the CNN 20 times" in shortened(config(splits=3))[1]


def test_stand_ins_are_named_as_such_in_every_title() -> None:
    cnn, vit = SimpleNamespace(name="a"), SimpleNamespace(name="b")
    pair: Any = NetworkPair(cnn, vit, True)  # type: ignore[arg-type]
    assert pair.title == "a and b, standing in for InceptionResNetV2 and ViT-B/16"
    assert NetworkPair(cnn, vit, False).title == "a and b"  # type: ignore[arg-type]
