"""Every command that reads data takes the same options for it, and hands them on whole."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from headtohead.cli.audit import audit, clean
from headtohead.cli.best import best
from headtohead.cli.compare import compare
from headtohead.cli.data_options import OPTIONS, load_options, split_pairs, with_data_options
from headtohead.cli.preprocess import augment_preview, preprocess
from headtohead.cli.reproduce import reproduce
from headtohead.core.config import DataConfig
from headtohead.core.errors import UsageError

COMMANDS = (audit, clean, best, compare, preprocess, augment_preview, reproduce)


@pytest.mark.parametrize("command", COMMANDS)
def test_takes_all_data_options(command: Any) -> None:
    names = list(inspect.signature(command).parameters)
    assert names[-len(OPTIONS) :] == list(OPTIONS) and "reading" not in names


def test_the_options_are_those_of_the_configuration() -> None:
    assert set(OPTIONS) == set(DataConfig.model_fields)


def test_what_was_asked_arrives_as_load_options() -> None:
    told: dict[str, Any] = {}

    @with_data_options
    def command(data: str, *, reading: dict[str, Any], loud: bool = False) -> None:
        told.update(reading, data=data, loud=loud)

    plain = {name: default for name, (_, default) in OPTIONS.items()}
    command(**(plain | {"data": "scans", "drop": "c, d", "map_labels": "a=yes,b=no", "loud": True}))
    assert (told.pop("data"), told.pop("loud")) == ("scans", True)
    options = load_options(told)
    assert options.drop == {"c", "d"} and options.map_labels == {"a": "yes", "b": "no"}
    assert DataConfig(**told).drop == ("c", "d")


def test_a_pair_without_its_sign_is_explained() -> None:
    with pytest.raises(UsageError, match="--columns got 'path'; expected NAME=VALUE"):
        split_pairs("path", "--columns")
