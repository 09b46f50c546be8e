"""Tables of performance: cells in words, the table of 1,000 patients by hand, counts of pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planting.reported import comparison, score, verdict

from headtohead.core.records import Score, Verdict
from headtohead.core.tables.details import VerdictDetails
from headtohead.report.views.cases import CaseTable
from headtohead.report.views.performance import (
    at_prevalence,
    confusion_tables,
    pair_counts,
    performance_view,
    pivot,
    slider,
)

SHARE = st.floats(0.0, 1.0)


def judged(*scores: Score, **details: Any) -> Verdict:
    return verdict().model_copy(update={"scores": scores, "details": VerdictDetails(**details)})


def test_metrics_stand_with_the_primary_one_first_and_only_where_measured() -> None:
    made = judged(
        score("vit", "ppv"), score("vit", "balanced_accuracy"), score("vit"), score("vit", "mcc"), positive="yes"
    ).model_copy(update={"metric": "balanced_accuracy"})  # fmt: skip
    found = pivot(made, ("vit", "cnn", "file-facts"), {"vit": 3.0})
    assert found["heads"] == ["balanced accuracy", "AUROC", "PPV for yes"] and found["level"] == "95 %"
    first, second, third = found["rows"]
    assert first["cells"][1] == {"text": "0.812", "interval": "0.712 to 0.862", "value": 0.8123}
    assert second["cells"] == [{"text": "", "interval": "", "value": None}] * 3
    assert [one["baseline"] for one in (first, second, third)] == [False, False, True]
    assert [one["seconds"] for one in (first, second)] == [3.0, None]
    assert pivot(judged(), ("vit",), {})["level"] == ""


def test_of_several_classes_each_has_its_sensitivity() -> None:
    made = judged(score("vit", "sensitivity_a"), score("vit", "sensitivity_b"), classes=("b", "a"))
    assert pivot(made, ("vit",), {})["heads"] == ["sensitivity b", "sensitivity a"]


@pytest.mark.parametrize(
    ("made", "text", "interval"),
    [
        (score("majority", "auroc", 0.5), "0.500", "by definition"),
        (score("majority", "calibration_slope", 0.5), "", ""),
        (score("majority", "accuracy", 0.5), "0.500", "0.400 to 0.550"),
        (score("vit", "auroc", 0.5), "0.500", "0.400 to 0.550"),
        (score("vit", "calibration_slope", -0.05), "−0.050", "−0.150 to 0.000"),
        (score("vit", "accuracy", None), "not defined", ""),
    ],
)
def test_cells(made: Score, text: str, interval: str) -> None:
    update = {"metric": made.metric}
    cell = pivot(judged(made).model_copy(update=update), (made.contender,), {})["rows"][0]["cells"][0]
    assert (cell["text"], cell["interval"]) == (text, interval)


def test_a_thousand_patients_by_hand() -> None:
    """Of 1,000 with a prevalence of 0.1: 90 of 100 found, 180 of 900 called in vain."""
    found = at_prevalence(0.9, 0.8, 0.1)
    assert found == {
        "sensitivity": "0.900", "specificity": "0.800", "tp": "90", "fp": "180", "fn": "10", "tn": "720",
        "ppv": "0.333", "npv": "0.986", "benefit": "−0.090",
    }  # fmt: skip
    assert at_prevalence(0.9, 0.8, 0.1, 0.2)["benefit"] == "0.045", "90/1000 - 180/1000 x 1/4"
    assert at_prevalence(0.0, 1.0, 0.1)["ppv"] == "not defined"
    assert at_prevalence(1.0, 0.0, 0.1)["npv"] == "not defined"


@given(SHARE, SHARE, SHARE)
def test_the_four_counts_make_a_thousand(sensitivity: float, specificity: float, prevalence: float) -> None:
    found = at_prevalence(sensitivity, specificity, prevalence)
    assert abs(sum(int(found[key]) for key in ("tp", "fp", "fn", "tn")) - 1000) <= 2


def test_the_slider_begins_at_a_half(cases: CaseTable) -> None:
    found = slider(cases, cases.contenders)
    assert (found["positive"], found["prevalence"], found["threshold"]) == ("yes", 0.5, 0.5)
    assert list(found["curves"]) == ["vit", "cnn"]
    vit = found["rows"][0]
    assert (vit["name"], vit["sensitivity"], vit["specificity"]) == ("vit", "0.333", "0.750")
    rare = slider(replace(cases, labels=np.array([0, 0, 0, 1])), cases.contenders)
    assert rare["prevalence"] == 0.25 and rare["rows"][0]["tn"] == "450", "3 of 5 answers on 750 of 1,000"
    assert slider(replace(cases, positive=None), cases.contenders) == {}


def test_pairs_and_matrices_leave_out_the_majority(cases: CaseTable) -> None:
    assert [one["name"] for one in confusion_tables(cases, cases.contenders)] == ["vit", "cnn"]
    assert confusion_tables(cases, ("vit",))[0]["repeats"] == [cases.confusion("vit", r) for r in (0, 1)]
    pairs = [comparison("vit", "cnn"), comparison("vit", "majority"), comparison("vit", "gone")]
    made = verdict().model_copy(update={"comparisons": tuple(pairs)})
    assert pair_counts(cases, made) == [{"a": "vit", "b": "cnn", "counts": [[1, 1, 1], [1, 0, 1]]}]


def test_slopes_stand_beside_their_intercepts(cases: CaseTable) -> None:
    scores = [score(name, f"calibration_{what}", 0.9) for name in ("vit", "majority") for what in ("slope",)]
    made = judged(
        *scores, score("cnn", "calibration_intercept", 0.1), score("vit", "calibration_intercept", 0.2)
    )
    found = performance_view(made, cases, ("cnn", "vit", "majority"), {})["calibration"]
    assert [(one["name"], one["slope"]["text"], one["intercept"]["text"]) for one in found] == [
        ("vit", "0.900", "0.200")
    ]
