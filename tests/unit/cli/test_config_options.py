"""Options of the commands come from the configuration records, each written once."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from headtohead.cli.audit import audit, clean
from headtohead.cli.best import best
from headtohead.cli.compare import compare
from headtohead.cli.config_options import TRAINING, split_pairs, stated, with_settings
from headtohead.cli.preprocess import augment_preview, preprocess
from headtohead.cli.reproduce import reproduce
from headtohead.core.config import DataConfig, ReproductionConfig, SearchConfig, StudyConfig
from headtohead.core.errors import UsageError

COMMANDS = (audit, clean, best, compare, preprocess, augment_preview, reproduce)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_reads_data_takes_all_options_of_data(command: Any) -> None:
    names = set(inspect.signature(command).parameters)
    assert set(DataConfig.model_fields) <= names and "settings" not in names


@pytest.mark.parametrize(
    ("command", "record"), [(compare, StudyConfig), (best, SearchConfig), (reproduce, ReproductionConfig)]
)
def test_every_field_of_a_study_has_an_option(command: Any, record: Any) -> None:
    names = set(inspect.signature(command).parameters)
    assert set(record.model_fields) - {"kind", "data_options", "train"} <= names
    assert (set(TRAINING) | {"sets"} <= names) == ("train" in record.model_fields)


@pytest.mark.parametrize("record", [StudyConfig, SearchConfig, ReproductionConfig, DataConfig])
def test_every_option_explains_itself(record: Any) -> None:
    silent = [name for name, field in record.model_fields.items() if not field.description]
    assert set(silent) <= {"kind", "data", "data_options", "train"}


def test_only_what_was_stated_arrives() -> None:
    arrived: dict[str, Any] = {}

    @with_settings("StudyConfig")
    def command(data: str, *, settings: dict[str, Any], loud: bool = False) -> None:
        arrived.update(settings, data=data, loud=loud)

    names = {
        name: parameter.default
        for name, parameter in inspect.signature(command).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    given = {
        "data": "scans",
        "contenders": "a,b",
        "drop": "c, d",
        "map_labels": "a=yes,b=no",
        "folds": 3,
        "loud": True,
    }
    command(**(names | given))
    assert arrived == {
        "data": "scans",
        "contenders": "a,b",
        "drop": ("c", "d"),
        "map_labels": {"a": "yes", "b": "no"},
        "folds": 3,
        "loud": True,
    }


def test_an_option_and_set_for_one_setting_are_refused() -> None:
    assert stated({"epochs": 3, "sets": ["finetune.batch=8"]}) == {"epochs": 3, "batch": 8}
    with pytest.raises(UsageError, match="state it once"):
        stated({"epochs": 3, "sets": ["finetune.epochs=4"]})


def test_a_pair_without_its_sign_is_explained() -> None:
    with pytest.raises(UsageError, match="--columns got 'path'; expected NAME=VALUE"):
        split_pairs("path", "--columns")


def test_an_empty_column_unsets_a_role_and_patterns_may_repeat() -> None:
    found = stated({"columns": "split=,label=dx", "exclude": ["*_seg.*", "runs"], "include": None})
    assert found == {"columns": {"split": "", "label": "dx"}, "exclude": ("*_seg.*", "runs")}
    with pytest.raises(UsageError, match="--map-labels got 'a='"):
        stated({"map_labels": "a="})


def test_every_command_that_reads_labelled_data_takes_the_same_data_options() -> None:
    import typer.main

    from headtohead.cli.app import build
    from headtohead.core.config import DataConfig

    group: Any = typer.main.get_command(build())
    commands = group.commands
    for name in ("audit", "clean", "preprocess", "compare", "best", "train", "evaluate"):
        flags = {flag for parameter in commands[name].params for flag in parameter.opts}
        wanted = {f"--{field.replace('_', '-')}" for field in DataConfig.model_fields}
        # The positive class of an evaluation is that of the model.
        assert wanted - flags <= ({"--positive"} if name == "evaluate" else set()), name


def test_channels_are_whole_numbers() -> None:
    assert stated({"channels": "0, 2,4"}) == {"channels": (0, 2, 4)}
    for text in ("", "a", "-1", "1.5"):
        with pytest.raises(UsageError, match="--channels got"):
            stated({"channels": text})
