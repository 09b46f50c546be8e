"""What a checklist says of the split and of choices: only what the run recorded."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.reported import score

from headtohead.core.records import Verdict
from headtohead.core.tables.details import SampleSize, VerdictDetails
from headtohead.evaluate.reporting.checklist_input import ChecklistInput
from headtohead.evaluate.reporting.split_fillers import (
    chosen_text,
    contenders_text,
    disjoint_text,
    internal_text,
    split_text,
)


def run(
    config: dict[str, Any] | None = None, dataset: dict[str, Any] | None = None, repeats: int = 3
) -> ChecklistInput:
    size = SampleSize(
        n_samples=40,
        n_groups=30,
        n_repeats=repeats,
        samples_per_class={},
        groups_per_class={},
        n_boot=9,
        seed=0,
    )
    verdict = Verdict(
        sentence="s", metric="auroc", scores=(score("vit"), score("cnn"), score("vit", "brier")), comparisons=(),
        details=VerdictDetails(classes=("no", "yes"), size=size),
    )  # fmt: skip
    return ChecklistInput(verdict, config or {}, dataset or {})


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cnn"], "The contender was cnn."),
        (["cnn", "vit"], "The contenders were cnn and vit."),
        (["a", "b", "c"], "The contenders were a, b and c."),
        (None, "The contenders were vit and cnn."),  # of the scores, each once
    ],
)
def test_contenders_are_named_as_configured_or_as_scored(names: list[str] | None, said: str) -> None:
    assert contenders_text(run({"contenders": names} if names else {})) == said


def test_the_repeats_are_those_that_were_run_and_not_those_that_were_asked_for() -> None:
    config = {"folds": 5, "repeats": 7, "seed": 4}
    assert split_text(run(config)) == (
        "Stratified 5-fold cross-validation, repeated 3 times, whole groups in one fold, seed 4."
    )
    assert "cross-validation, once, whole groups" in split_text(run(config, repeats=1))
    assert split_text(run(config, {"chosen": ["C", "nothing", "C", "epochs"]})).endswith(
        "seed 4. Chosen on inner grouped folds of the training part only: C and epochs."
    )


def test_a_given_split_says_whether_it_leaks_where_that_is_known() -> None:
    config = {"folds": 5, "split": "given"}
    lead = "The data's own split into training and test part."
    assert split_text(run(config)) == lead
    assert split_text(run(config, {"leaks": 0})) == f"{lead} No leak was found in it."
    assert split_text(run(config, {"leaks": 7})) == f"{lead} It leaks in 7 places."
    assert split_text(run({"folds": 5, "split": "holdout:0.2"})) == (
        "Split: holdout:0.2, whole groups on one side, seed 0."
    )
    assert split_text(run({})) == ""


def test_whether_parts_are_disjoint_is_told_only_where_it_was_looked_at() -> None:
    assert disjoint_text(run()) == ""
    assert disjoint_text(run(dataset={"leaks": 0})).startswith("No group (")
    assert disjoint_text(run(dataset={"leaks": 2})).startswith(
        "The split is not disjoint: 2 leaks were found"
    )


def test_choices_are_told_once_each_and_nothing_is_told_of_nothing() -> None:
    assert chosen_text(run()) == chosen_text(run(dataset={"chosen": []})) == ""
    assert chosen_text(run(dataset={"chosen": ["nothing", "nothing"]})) == (
        "Hyper-parameters were given; this run chose nothing on any data."
    )


@pytest.mark.parametrize(
    ("config", "internal"),
    [({}, False), ({"folds": 5}, True), ({"split": "given", "folds": 5}, False), ({"split": "kfold"}, True)],
)
def test_an_evaluation_is_internal_where_the_parts_were_drawn(config: dict[str, Any], internal: bool) -> None:
    assert bool(internal_text(run(config))) == internal
