"""The settings of `compare` and their bounds."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from headtohead.core.config import StudyConfig


def study(**settings: Any) -> StudyConfig:
    return StudyConfig.model_validate({"data": "x", "contenders": ["a"], **settings})


@pytest.mark.parametrize(("given", "read"), [("auto", "auto"), (1, 1), ("3", 3), (" 12 ", 12), (40, 40)])
def test_repeats_are_auto_or_a_number(given: object, read: object) -> None:
    assert study(repeats=given).repeats == read


@pytest.mark.parametrize(
    "given", [0, -1, "0", "-2", "2.0", 2.0, True, None, "", "many", "1234567", "٣", "Auto"]
)
def test_other_repeats_are_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="expected auto or a whole number from 1"):
        study(repeats=given)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("folds", [2, 20], [1, 0]),
        ("level", [0.51, 0.999], [0.5, 1.0, 95]),
        ("n_boot", [100], [99, 0]),
        ("rope", [0.001, 0.999], [0.0, 1.0, -0.1]),
        ("matters", [0.001, 12.0], [0.0, -1.0]),
        ("prevalence", [0.001, 0.999], [0.0, 1.0]),
        ("seed", [0, 2**31], [-1]),
        ("per", ["case", "case:mean", "case:max"], ["case:min", "image"]),
    ],
)
def test_bounds(name: str, inside: list[object], outside: list[object]) -> None:
    for value in inside:
        assert getattr(study(**{name: value}), name) == value
    for value in outside:
        with pytest.raises(ValidationError, match=name):
            study(**{name: value})


def test_a_configuration_is_not_changed_after_it_was_checked() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        study().folds = 1
