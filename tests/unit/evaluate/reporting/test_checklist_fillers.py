"""Texts that a checklist takes from the run: whole sentences, and blanks where the run does not know."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.reported import comparison, score

from headtohead.core.records import Verdict
from headtohead.core.tables.comparison import VarianceSplit
from headtohead.core.tables.details import ComparisonDetails, PowerAnalysis, SampleSize, VerdictDetails
from headtohead.evaluate.reporting.checklist_fillers import FILLERS
from headtohead.evaluate.reporting.checklist_input import ChecklistInput

SIZE = SampleSize(
    n_samples=40, n_groups=30, n_repeats=2, samples_per_class={"no": 25, "yes": 15},
    groups_per_class={"no": 20, "yes": 10}, n_boot=9, seed=0,
)  # fmt: skip


def power(detectable: float | None) -> PowerAnalysis:
    return PowerAnalysis(detectable_difference=detectable, power=0.8, method="m")


def run(
    config: dict[str, Any] | None = None,
    dataset: dict[str, Any] | None = None,
    pair: PowerAnalysis | None = None,
    **details: Any,
) -> ChecklistInput:
    known: dict[str, Any] = {"classes": ("no", "yes"), "positive": "yes", "size": SIZE} | details
    first = comparison("cnn", "vit").model_copy(update={"details": ComparisonDetails(power=pair)})
    verdict = Verdict(
        sentence="s", metric="auroc", scores=(score("cnn"), score("vit"), score("cnn", "brier", 0.2)),
        comparisons=(first,), rule="The rule.", caveats=("One.", "Two."), details=VerdictDetails(**known),
    )  # fmt: skip
    return ChecklistInput(verdict, config or {}, dataset or {})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("labels", "Labels were taken as given with the data (no 25, yes 15); the positive class is yes."),
        ("flow", "40 samples, 30 groups."),
        ("metrics", "Primary: AUROC; also Brier score."),
        ("uncertainty", "Intervals are 95 %, with groups as units. The rule."),
        ("limits", "One. Two."),
        ("imbalance", "Groups per class: no 20, yes 10; balanced accuracy reported."),
        ("cutoffs", "yes is called at a probability of 0.5 or more."),
        ("indeterminate", "Each scored image has a probability; none was set aside as indeterminate."),
        ("output", "Class probabilities."),
        ("aim", "Paired comparison on AUROC. The rule."),
    ],
)
def test_a_verdict_alone_fills_these(key: str, said: str) -> None:
    assert FILLERS[key](run()) == said


@pytest.mark.parametrize(
    "key",
    [
        "kind", "source", "excluded", "recipe", "software", "weights", "training", "ensemble", "maps", "external",
        "power", "robustness", "subgroups", "recalibration", "predictions", "blinding", "split", "failures",
    ],
)  # fmt: skip
def test_what_the_run_does_not_know_is_blank(key: str) -> None:
    assert FILLERS[key](run()) == ""


def test_facts_are_counted_into_the_flow_in_order() -> None:
    assert FILLERS["flow"](run(dataset={"n_files": 44, "excluded": 4})) == (
        "44 files, 4 refused, 40 samples, 30 groups."
    )
    assert FILLERS["flow"](run(size=None)) == FILLERS["labels"](run(size=None)) == ""


def test_beyond_two_classes_no_positive_one_and_no_threshold_is_told() -> None:
    three = run(positive=None)
    assert FILLERS["labels"](three) == "Labels were taken as given with the data (no 25, yes 15)."
    assert (
        FILLERS["cutoffs"](three) == "The class with the highest probability is called; no cut-off was set."
    )


def test_power_is_told_where_it_could_be_computed() -> None:
    assert FILLERS["power"](run(pair=power(0.0412))) == (
        "30 groups were there; a true difference of 0.041 would have been shown with power 0.8."
    )
    assert FILLERS["power"](run(pair=power(None))) == ""


def test_ensembles_are_listed_and_their_absence_is_said() -> None:
    names = ["cnn", "ensemble(cnn,vit)", "seeds(cnn,3)", "my-ensemble(x)"]
    assert FILLERS["ensemble"](run({"contenders": names})) == (
        "Ensembles among the contenders: ensemble(cnn,vit), seeds(cnn,3)."
    )
    assert FILLERS["ensemble"](run({"contenders": ["cnn"]})) == "None."


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"split": "kfold"}, "folds stratified; balanced accuracy"),
        ({"train": {"balance": "none"}}, "no class weights; balanced accuracy"),
        ({"train": {"balance": "loss"}}, "classes balanced while training (loss); balanced accuracy"),
        ({"train": None}, "yes 10; balanced accuracy"),
    ],
)
def test_what_was_done_about_rare_classes_is_that_of_the_configuration(
    config: dict[str, Any], said: str
) -> None:
    assert said in FILLERS["imbalance"](run(config))


def test_the_spread_names_the_sources_that_are_known() -> None:
    split = VarianceSplit(
        metric="auroc",
        sd_contender=0.0312,
        sd_group=0.05,
        sd_repeat=None,
        sd_fold=0.1,
        contenders=("cnn", "vit"),
    )
    assert FILLERS["robustness"](run(variance=split)) == (
        "Standard deviation of AUROC by source: contender 0.031, group 0.050, fold 0.100."
    )


def test_predictions_are_out_of_fold_only_of_cross_validation() -> None:
    lead = (
        "lass probabilities of test samples, one row per sample, repeat and contender (predictions.parquet)."
    )
    assert FILLERS["predictions"](run({"folds": 5, "split": "kfold"})) == f"Out-of-fold c{lead}"
    assert FILLERS["predictions"](run({"folds": 5, "split": "given"})) == f"C{lead}"


def test_a_recipe_is_that_of_the_run_and_never_the_wish_of_the_configuration() -> None:
    assert FILLERS["recipe"](run({"recipe": "auto"})) == ""
    assert "with the recipe crop," in FILLERS["recipe"](run({"recipe": "auto"}, {"recipe": "crop"}))
    assert FILLERS["source"](run({"source": "a"}, {"source": "b"})) == "Data: a."
