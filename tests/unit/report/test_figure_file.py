"""Figures as files: which of them a run has, what they leave out, and what stays text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.planting.curves import BIN, PARTS, RECALL, ROC
from tests.planting.reported import comparison, score, verdict

from headtohead.core.errors import UndefinedMetricError, UnknownNameError
from headtohead.core.records import Verdict
from headtohead.core.tables.details import VerdictDetails
from headtohead.report.figure_file import figure_bytes, figure_names

CURVE = {"bins": [BIN, {**BIN, "mean_probability": 0.8}], "brier_parts": PARTS}
BENEFIT = {
    "prevalence": 0.4, "prevalence_of_data": 0.4, "thresholds": (0.1, 0.5), "treat_all": (0.3, -0.2),
    "treat_none": (0.0, 0.0), "contenders": {"vit": [{"value": 0.3, "low": 0.2, "high": 0.4}] * 2},
}  # fmt: skip
RANK = {"rank": 1.0, "mean_rank": 1.2, "low": 1.0, "high": 2.0, "share_first": 0.9}
WHOLE = {
    "roc": {"vit": {"yes": ROC}, "majority": {"yes": ROC}},
    "precision_recall": {"vit": {"yes": RECALL}, "majority": {"yes": RECALL}},
    "calibration": {"vit": CURVE, "majority": CURVE},
    "decision_curves": BENEFIT,
    "ranks": {"contenders": dict.fromkeys(("vit", "cnn", "net"), RANK), "cliques": []},
}


def judged(*scores: Any, **details: Any) -> Verdict:
    known = VerdictDetails.model_validate({"classes": ("no", "yes"), "positive": "yes", **details})
    made = scores or (score("vit"), score("cnn"), score("net"), score("majority"), score("vit", "accuracy"))
    pairs = (comparison("vit", "cnn"),)
    return verdict().model_copy(update={"scores": made, "details": known, "comparisons": pairs})


def drawing(made: Verdict, name: str) -> str:
    return figure_bytes(made, name, "svg").decode()


@pytest.mark.parametrize("name", figure_names())
def test_a_full_run_has_every_figure_with_its_names_as_text(name: str) -> None:
    svg = drawing(judged(**WHOLE), name)
    assert re.search(r"<text[^>]*>[^<]*vit", svg), "names stay text, which journals can set anew"
    assert "<dc:date>" not in svg
    if name in ("roc", "precision-recall", "calibration"):
        assert "majority" not in svg, "a constant answer has no curve of its own"


@pytest.mark.parametrize("name", sorted({*figure_names()} - {"scores", "differences"}))
def test_what_a_run_did_not_measure_is_refused_and_the_figures_are_named(name: str) -> None:
    nothing = judged(
        roc={"majority": {"yes": ROC}}, precision_recall={"vit": {"no": RECALL}},
        calibration={"vit": {**CURVE, "bins": []}, "majority": CURVE}, decision_curves={**BENEFIT, "contenders": {}},
    )  # fmt: skip
    with pytest.raises(UndefinedMetricError) as caught:
        drawing(nothing, name)
    assert (
        str(caught.value) == f"This run has nothing to draw for {name!r}. Known: {', '.join(figure_names())}."
    )
    with pytest.raises(UndefinedMetricError):
        drawing(judged(), name)


def test_without_a_positive_class_the_first_class_is_drawn() -> None:
    first = {"vit": {"no": ROC}}
    assert "vit" in drawing(judged(positive=None, roc=first), "roc")
    with pytest.raises(UndefinedMetricError):
        drawing(judged(positive=None, roc={"vit": {"yes": ROC}}), "roc")
    with pytest.raises(UndefinedMetricError):
        drawing(judged(positive=None, classes=(), roc={"vit": {"yes": ROC}}), "roc")


def test_differences_are_those_between_contenders() -> None:
    base = judged()
    for pair in (
        comparison("vit", "majority"),
        comparison("file-facts", "vit"),
        comparison("vit", "cnn", None),
    ):
        with pytest.raises(UndefinedMetricError):
            drawing(base.model_copy(update={"comparisons": (pair,)}), "differences")


def test_scores_are_those_of_the_primary_metric() -> None:
    made = judged(score("vit"), score("cnn", "accuracy"))
    assert "cnn" not in drawing(made, "scores")
    with pytest.raises(UndefinedMetricError):
        drawing(made.model_copy(update={"metric": "brier"}), "scores")


def test_the_name_is_judged_before_the_format() -> None:
    with pytest.raises(UnknownNameError, match="figure"):
        figure_bytes(judged(), "rocs", "jpg")
