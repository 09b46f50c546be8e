"""The estimate of a search in words: the floor of file facts, gains either way round, refusals first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from headtohead.core.records import Comparison, Score, Verdict
from headtohead.core.tables.details import ComparisonDetails
from headtohead.data.dataset import Dataset
from headtohead.data.splits.folds import Fold
from headtohead.studies.search.summary import FILE_FACTS, SEARCHED, WITH_TUNED, search_summary

FOLDS = [Fold(repeat, fold, np.array([0]), np.array([1])) for repeat in (0, 1, 2) for fold in (0, 1)]


def score(name: str, metric: str, value: float | None) -> Score:
    low, high = (None, None) if value is None else (value - 0.1, value + 0.05)
    return Score(
        contender=name, metric=metric, value=value, low=low, high=high, n_samples=40, n_groups=30, method="m",
        note="" if value is not None else "one class only",
    )  # fmt: skip


def pair(a: str, b: str, difference: float | None, **more: Any) -> Comparison:
    given: dict[str, Any] = {"low": None, "high": None, "verdict": "cannot_tell"}
    if difference is not None:
        given = {"low": difference - 0.02, "high": difference + 0.03, "verdict": "no_evidence"}
    return Comparison(
        a=a, b=b, metric="auroc", difference=difference, sentence="s", n_samples=40, n_groups=30, method="m",
        **({"winner": None} | given | more),
    )  # fmt: skip


def verdicts(
    values: Mapping[str, float | None], comparisons: tuple[Comparison, ...] = ()
) -> dict[str, Verdict]:
    steps = [name for name in values if name != FILE_FACTS]
    both = {
        metric: tuple(
            score(name, each, values[name])
            for name in (values if metric == "auroc" else steps)
            for each in ("accuracy", "auroc")
        )
        for metric in ("accuracy", "auroc")
    }
    return {
        metric: Verdict(sentence="s", metric=metric, positive="yes", scores=scores, comparisons=comparisons)
        for metric, scores in both.items()
    }


def summary(
    data: Dataset, values: Mapping[str, float | None], *comparisons: Comparison, **more: Any
) -> dict[str, Any]:
    given = verdicts(values, comparisons)
    return search_summary(given, {"a": 3}, FOLDS, data, ["a", "b"], **more)


@pytest.fixture
def data(samples: Callable[..., Dataset]) -> Dataset:
    return samples([0, 1] * 20)


def test_the_estimate_is_that_of_the_search_or_of_the_mean_with_fine_tuned_ones(data: Dataset) -> None:
    plain = summary(data, {"whole image": 0.8, SEARCHED: 0.85})
    assert plain["sentences"] == [
        "The model 'searched' is expected to reach accuracy 0.850 [0.750, 0.900] and AUROC 0.850 [0.750, 0.900] "
        "(positive class 'yes') on new groups like these: estimated on outer grouped folds (3 × 2 folds, 40 images in "
        "30 groups), every choice made inside their training parts."
    ]
    tuned = summary(data, {"whole image": 0.8, SEARCHED: 0.85, WITH_TUNED: 0.7})
    assert "'searched + fine-tuned' is expected to reach accuracy 0.700" in tuned["sentences"][0], (
        "whatever it scored"
    )
    assert (plain["cells"], plain["chosen"], plain["candidates"], plain["positive"]) == (
        6,
        {"a": 3},
        ["a", "b"],
        "yes",
    )


def test_a_gain_is_that_of_the_later_step_whichever_way_the_pair_stands(data: Dataset) -> None:
    values = {"whole image": 0.8, "+ crop": 0.83, SEARCHED: 0.85}
    one = pair("+ crop", "whole image", 0.03)
    turned = pair("whole image", "+ crop", -0.03)
    for given, low, high in ((one, 0.01, 0.06), (turned, 0.0, 0.05)):
        row = summary(data, values, given)["ladder"][1]
        assert row["gain_in_auroc"] == pytest.approx({"difference": 0.03, "low": low, "high": high})
        assert row["over"] == "whole image"
    none = summary(data, values, pair("+ crop", "whole image", None))
    assert none["ladder"][1]["gain_in_auroc"] is None and none["ladder"][2]["gain_in_auroc"] is None
    table = summary(data, values, one)["table"]
    assert table[0].split() == ["whole", "image", "accuracy", "0.800", "AUROC", "0.800"]
    assert table[1].split()[2:7] == ["accuracy", "0.830", "+0.030", "[+0.010,", "+0.060]"]


def test_side_branches_and_networks_alone_carry_no_step(data: Dataset) -> None:
    values = {"one": 0.8, "aside": 0.81, "two": 0.82, SEARCHED: 0.85, "net@finetune": 0.9}
    found = summary(data, values, side_branches={"aside"})
    assert [(row["name"], row["over"]) for row in found["ladder"]] == [
        ("one", None), ("aside", "one"), ("two", "one"), (SEARCHED, "two"), ("net@finetune", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("winner", "words"),
    [
        (SEARCHED, "with 0.850, beats it."),
        (FILE_FACTS, "is not shown to beat it."),
        (None, "is not shown to beat it."),
    ],
)
def test_file_facts_are_the_floor(winner: str | None, words: str, data: Dataset) -> None:
    decided = {} if winner is None else {"winner": winner, "verdict": "better"}
    told = pair(FILE_FACTS, SEARCHED, 0.05 if winner == FILE_FACTS else -0.05, **decided)
    found = summary(data, {SEARCHED: 0.85, FILE_FACTS: 0.8}, told)
    assert found["sentences"][-1].startswith(
        "A classifier that sees only the file's facts (size, type), never the image, reaches AUROC 0.800 [0.700, 0.850]"
    )
    assert found["sentences"][-1].endswith(words)
    assert set(found["floor"]["scores"]) == {"accuracy", "auroc"} and found["table"][-1].startswith(
        FILE_FACTS
    )
    assert [row["name"] for row in found["ladder"]] == [SEARCHED], "the baseline is no step"


def test_without_a_value_of_the_floor_nothing_is_said_of_it(data: Dataset) -> None:
    for values in ({SEARCHED: 0.85}, {SEARCHED: 0.85, FILE_FACTS: None}):
        found = summary(data, values)
        assert len(found["sentences"]) == 1 and found["floor"]["scores"] == {}
    unknown = summary(data, {SEARCHED: None, FILE_FACTS: 0.8})
    assert "the model, with no value, is not shown to beat it." in unknown["sentences"][-1]
    assert "not defined" in unknown["table"][0]


def test_a_refusal_of_the_rule_comes_first(data: Dataset) -> None:
    refused = pair(
        "x", FILE_FACTS, 0.0, verdict="refused", details=ComparisonDetails(refusal="file facts do as well")
    )
    found = summary(data, {SEARCHED: 0.85, FILE_FACTS: 0.84}, refused)
    assert found["sentences"][0] == (
        "Refused: file facts do as well, so what the model reaches cannot be put down to the images."
    )
    assert len(found["sentences"]) == 3


def test_no_gain_is_shown_as_minus_zero(data: Dataset) -> None:
    found = summary(data, {"one": 0.8, SEARCHED: 0.8}, pair(SEARCHED, "one", -0.0001))
    assert "+0.000 [-0.020, +0.030]" in found["table"][1] and "-0.000" not in found["table"][1]
