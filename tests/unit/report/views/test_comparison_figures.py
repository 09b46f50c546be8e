"""Figures of the report: which are drawn, under which title and with which note."""

from __future__ import annotations

import csv
import json
from typing import Any

import pandas as pd
import pytest
from tests.planting.reported import ORDER, comparison, score, verdict

from headtohead.core.records import Verdict
from headtohead.core.tables.details import ComparisonDetails, VerdictDetails
from headtohead.report.views.cases import CaseTable
from headtohead.report.views.comparison_figures import (
    difference_figures,
    feature_figures,
    growth_figures,
    rank_figure,
    score_figures,
    strip_figure,
    training_figures,
    utility_figures,
)

RANK = {"rank": 1.0, "mean_rank": 1.2, "low": 1.0, "high": 2.0, "share_first": 0.9}


def judged(*scores: Any, pairs: tuple[Any, ...] = (), metric: str = "auroc", **details: Any) -> Verdict:
    known = VerdictDetails.model_validate(details)
    return verdict().model_copy(
        update={"scores": scores, "details": known, "comparisons": pairs, "metric": metric}
    )


def test_the_primary_metric_is_drawn_first_and_each_once() -> None:
    metrics = ("specificity", "sensitivity", "accuracy", "auroc", "brier", "ppv")
    made = judged(
        *(score("vit", one) for one in metrics), metric="brier", classes=("no", "yes"), positive="yes"
    )
    assert [one.title for one in score_figures(made, ORDER)] == [
        "Brier score (lower is better)", "AUROC (area under the ROC curve), positive class 'yes'", "Accuracy",
        "Sensitivity, positive class 'yes'", "Specificity, positive class 'yes'",
    ]  # fmt: skip


def test_of_several_classes_each_has_its_sensitivity_up_to_eight() -> None:
    classes = tuple("abcdefghi")
    scores = [
        score("vit"),
        score("vit", "sensitivity"),
        *(score("vit", f"sensitivity_{one}") for one in classes),
    ]
    titles = [one.title for one in score_figures(judged(*scores, classes=classes), ORDER)]
    assert titles[0] == "AUROC (area under the ROC curve), mean over 9 classes"
    assert titles[1:] == [f"Sensitivity, class {one}" for one in "abcdefgh"]


def test_pairs_with_a_baseline_have_a_figure_of_their_own() -> None:
    margin = ComparisonDetails(rope=0.02)
    pairs = (
        comparison("a", "b").model_copy(update={"details": margin}), comparison("a", "majority"),
        comparison("a", "c", None), comparison("file-facts", "b"),
    )  # fmt: skip
    between, controls = difference_figures(judged(pairs=pairs), ORDER)
    assert (between.title, between.note) == (
        "Between contenders",
        "Shaded: the region of practical equivalence, ±0.02.",
    )
    rows = [row[:2] for row in csv.reader(controls.csv.splitlines())]
    assert rows[1:] == [["a", "majority"], ["file-facts", "b"]] and controls.title == "Against the baselines"
    (only,) = difference_figures(judged(pairs=(comparison("a", "majority"),)), ("a", "b"))
    assert only.title == "Between contenders", "a baseline that is no contender of this run is none"
    assert difference_figures(judged(pairs=pairs[:1]), ORDER)[0].note and len(
        difference_figures(judged(pairs=pairs[2:3]), ORDER)
    ) == 0  # fmt: skip


def test_the_strip_is_of_the_first_pair_where_that_is_defined() -> None:
    margin = ComparisonDetails(rope=0.02)
    first = comparison("a", "b").model_copy(update={"details": margin, "level": 0.9})
    made = strip_figure(judged(pairs=(first, comparison("c", "d"))))
    assert made is not None and made.title == "Difference in AUROC (area under the ROC curve)"
    assert made.note == "Dot: the difference; bar: 90 % CI over groups. Shaded: practical equivalence, ±0.02."
    assert made.narrow.startswith("<svg") and made.narrow != made.svg
    plain = strip_figure(judged(pairs=(comparison("a", "b").model_copy(update={"metric": "mean_error"}),)))
    assert plain is not None and plain.title == "Difference in mean error" and "Shaded" not in plain.note
    assert (
        strip_figure(judged()) is None and strip_figure(judged(pairs=(comparison("a", "b", None),))) is None
    )


def test_features_are_drawn_of_known_contenders_with_their_errors(cases: CaseTable) -> None:
    points = {name: [0.1 * i, 0.2 * i] for i, name in enumerate("abd")}
    features = {"cnn": {"points": points, "explained": [0.314, 0.2]}, "gone": {"points": {}, "explained": []}}
    (figure,) = feature_figures(features, cases)
    assert figure.title == "Features of cnn"
    assert figure.note == (
        "Two principal components, 31 % and 20 % of the variance; rings: 2 errors of the first repeat."
    )


def test_ranks_and_utility_are_drawn_where_they_were_measured() -> None:
    nothing = VerdictDetails()
    assert rank_figure(nothing, ORDER) is None and utility_figures(nothing, ORDER) == ()
    names = ("a", "b", "c")
    ranks = VerdictDetails.model_validate(
        {"ranks": {"contenders": dict.fromkeys(names, RANK), "cliques": []}}
    )
    found = rank_figure(ranks, names)
    assert found is not None and found.title == "Ranks" and found.note
    benefit = {
        "prevalence": 0.0213, "prevalence_of_data": 0.4, "thresholds": (0.01, 0.02), "treat_all": (0.011, 0.001),
        "treat_none": (0.0, 0.0), "contenders": {"a": [{"value": 0.01, "low": 0.0, "high": 0.02}] * 2},
    }  # fmt: skip
    said = "At a prevalence of 0.0213; grey: treating all (dashed) and nobody (dotted)."
    for note, told in (("", said), ("re-based", f"{said} The probabilities were re-based to it.")):
        details = VerdictDetails.model_validate({"decision_curves": {**benefit, "note": note}})
        (figure,) = utility_figures(details, ("a",))
        assert figure.note == told
    empty = VerdictDetails.model_validate({"decision_curves": {**benefit, "contenders": {}}})
    assert utility_figures(empty, ("a",)) == ()


def test_only_what_was_trained_by_epochs_has_learning_curves() -> None:
    epochs = [{"epoch": i, "train_loss": 1 / (i + 1), "train_accuracy": 0.5} for i in range(3)]
    rows = [{"contender": "b", "epochs": json.dumps(epochs)}, {"contender": "a", "epochs": "[]"},
            {"contender": "b", "epochs": "[]"}]  # fmt: skip
    assert [one.title for one in training_figures(pd.DataFrame(rows))] == ["b: loss", "b: accuracy"]


@pytest.mark.parametrize("content", [{}, {"points": []}])
def test_a_run_without_a_curve_over_groups_draws_none(content: dict[str, Any]) -> None:
    assert growth_figures(content, ORDER) == ()
