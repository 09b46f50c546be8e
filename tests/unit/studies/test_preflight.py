"""Checks before any long work, and what a study asks of its predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import DataConfig, StudyConfig
from headtohead.core.errors import NoEffectError, UnknownNameError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.heads.baselines import BASELINES
from headtohead.studies.preflight import (
    group_unit,
    subgroups,
    validate_against_data,
    validate_config,
    verdict_config,
)

Make = Callable[..., Dataset]
VIT = "scratch:test_vit"


@pytest.mark.parametrize(
    ("options", "groups", "unit"),
    [
        ({}, ["a", "b"], "group"),
        ({}, ["patient a", "patient b"], "patient"),
        ({}, ["patient a", "b"], "group"),
        ({"group_from": "(x)"}, ["a", "b"], "patient"),
        ({"columns": {"group": "Patient_ID"}}, ["a", "b"], "patient"),
        ({"columns": {"group": "subject"}}, ["a", "b"], "patient"),
        ({"columns": {"group": "participant no."}}, ["a", "b"], "patient"),
        ({"columns": {"group": "scene"}}, ["a", "b"], "group"),
        ({"columns": {"label": "patient"}}, ["a", "b"], "group"),
    ],
)
def test_a_group_is_a_patient_only_where_that_is_known(
    options: dict[str, Any], groups: list[str], unit: str, samples: Make
) -> None:
    assert group_unit(DataConfig(**options), samples([0, 1], groups)) == unit


def test_subgroups_are_of_the_samples_that_have_a_value(samples: Make) -> None:
    data = samples([0, 1, 0], extra=[{"sex": "f", "site": "x"}, {"sex": "m"}, {}])
    assert subgroups((), data) is None
    assert subgroups(("sex", "site"), data) == {"sex": {"s000": "f", "s001": "m"}, "site": {"s000": "x"}}
    with pytest.raises(
        UnknownNameError, match=r"^Unknown column for --by 'sexe'; did you mean 'sex' or 'site'\?"
    ):
        subgroups(("sexe",), data)


def test_facts_that_readers_keep_are_no_columns(samples: Make) -> None:
    data = samples([0, 1], extra=[{"dicom:Manufacturer": "x", "sex": "f"}, {"sex": "m"}])
    with pytest.raises(UnknownNameError, match=r"Known: sex\."):
        subgroups(("dicom:Manufacturer",), data)


def test_everything_that_was_asked_reaches_the_verdict(samples: Make) -> None:
    config = StudyConfig(
        data="x", contenders=("a", "b"), metric="accuracy", level=0.9, rope=0.03, primary=("a", "b"), matters=0.1,
        prevalence=0.2, n_boot=333, seed=7, data_options=DataConfig(group_from="(p)"),
    )  # fmt: skip
    asked = verdict_config(config, samples([0, 1]))
    assert (asked.classes, asked.positive, asked.unit) == (("no", "yes"), "yes", "patient")
    assert (asked.metric, asked.level, asked.rope, asked.primary) == ("accuracy", 0.9, 0.03, ("a", "b"))
    assert (asked.matters, asked.prevalence, asked.n_boot, asked.seed) == (0.1, 0.2, 333, 7)
    assert asked.baselines == BASELINES
    assert verdict_config(config, samples([0, 1, 2])).positive is None


def checked(trackers: tuple[str, ...] = (), **settings: Any) -> None:
    config = StudyConfig(**{"data": "x", "contenders": (VIT,), **settings})
    validate_config(config, lambda: ContenderPlan.parse(config.contenders, config.mode), trackers)


def test_settings_are_refused_before_images_and_weights_are_looked_at() -> None:
    checked()
    checked(mode="finetune", train={"epochs": 3})
    with pytest.raises(UnknownNameError, match="did you mean 'auroc'"):
        checked(metric="aurok")
    with pytest.raises(NoEffectError, match="epochs would have no effect"):
        checked(train={"epochs": 3})
    with pytest.raises(UnknownNameError, match="did you mean 'mlflow'"):
        checked(("mlfow",))


def test_a_mode_that_every_contender_states_itself_is_refused() -> None:
    with pytest.raises(NoEffectError) as told:
        checked(contenders=(f"{VIT}@mlp",), mode="finetune")
    assert str(told.value) == (
        "mode = 'finetune' would have no effect: each contender has one of its own (NAME@MODE)."
    )
    checked(contenders=(f"{VIT}@mlp", "scratch:test_resnet"), mode="finetune")
    checked(contenders=(f"{VIT}@mlp",))


def test_an_unknown_metric_is_told_before_contenders_are_parsed() -> None:
    def unparsed() -> Any:
        raise AssertionError("parsed")

    with pytest.raises(UnknownNameError):
        validate_config(StudyConfig(data="x", contenders=("a",), metric="nothing"), unparsed, ())


def test_questions_that_the_data_cannot_answer_are_refused(samples: Make) -> None:
    three, two = samples([0, 1, 2]), samples([0, 1], extra=[{"sex": "f"}, {"sex": "m"}])
    config = StudyConfig(data="x", contenders=("a",), prevalence=0.2, by=("sex",))
    validate_against_data(config, two)
    with pytest.raises(UsageError, match="prevalence"):
        validate_against_data(config, three)
    with pytest.raises(UnknownNameError, match="column for --by"):
        validate_against_data(config.model_copy(update={"by": ("age",)}), two)
