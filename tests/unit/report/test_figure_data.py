"""The points of a figure as CSV: named lines alone, in its own words, safe for any name."""

from __future__ import annotations

import csv

from tests.planting.reported import HOSTILE, ORDER, comparison, score, verdict

from headtohead.core.tables.comparison import CurveBand, RocCurve
from headtohead.core.tables.probability import CalibrationCurve
from headtohead.report.figures import plot_roc
from headtohead.report.views.comparison_figures import (
    cost_figures,
    difference_figures,
    score_figures,
    svg_figure,
)
from headtohead.report.views.curve_figures import _banded


def test_a_figure_carries_the_points_of_its_named_lines() -> None:
    curve = RocCurve(false_positive_rate=(0.0, 0.25, 1.0), true_positive_rate=(0.0, 0.7, 1.0))
    (figure,) = svg_figure("ROC", plot_roc({HOSTILE: curve}))
    rows = list(csv.reader(figure.csv.splitlines()))
    assert rows[0] == ["series", "1 − specificity", "sensitivity"]
    assert rows[1:] == [[HOSTILE, "0", "0"], [HOSTILE, "0.25", "0.7"], [HOSTILE, "1", "1"]], (
        "chance has no name"
    )
    assert svg_figure("nothing", None) == ()


def test_figures_of_intervals_carry_their_numbers() -> None:
    found = verdict().model_copy(
        update={"comparisons": (comparison("vit-b16", HOSTILE), comparison(HOSTILE, "file-facts"))}
    )
    auroc, _ = score_figures(found, ORDER)
    rows = list(csv.reader(auroc.csv.splitlines()))
    assert rows[:2] == [["contender", "auroc", "low", "high"], ["vit-b16", "0.8123", "0.7123", "0.8623"]]
    assert rows[3] == ["majority", "", "", ""], "a score that is not defined has no number"
    between, baselines = difference_figures(found, ORDER)
    rows = list(csv.reader(between.csv.splitlines()))
    assert rows[0] == ["first", "second", "difference in auroc", "low", "high"]
    assert rows[1:] == [["vit-b16", HOSTILE, "0.03", "-0.02", "0.08"]]
    assert [row[:2] for row in csv.reader(baselines.csv.splitlines())][1:] == [[HOSTILE, "file-facts"]]


def test_of_many_curves_only_those_of_the_answer_have_bands() -> None:
    band = CurveBand(at=(0.0, 1.0), low=(0.0, 0.9), high=(0.1, 1.0))
    curve = RocCurve(false_positive_rate=(0.0, 1.0), true_positive_rate=(0.0, 1.0), band=band)
    few = dict.fromkeys("abc", curve)
    assert _banded(few, ("a", "b")) == (few, "Bands")
    many, words = _banded(dict.fromkeys("abcd", curve), ("d", "a"))
    assert [name for name, one in many.items() if one.band] == [
        "a",
        "d",
    ] and words == "Bands (of a and d alone)"
    dot = {"value": 0.4, "low": 0.2, "high": 0.6}
    bins = [{"mean_probability": 0.5, "n_lines": 9, "n_groups": 9, "observed": dot}]
    parts = dict.fromkeys(("reliability", "resolution", "uncertainty", "within_bin", "brier"), 0.1)
    calibrated = CalibrationCurve.model_validate({"bins": bins, "brier_parts": parts})
    shown, _ = _banded(dict.fromkeys("abcd", calibrated), ("d",))
    assert [one.bins[0].observed.low for one in shown.values()] == [None, None, None, 0.2]
    assert {one.bins[0].observed.value for one in shown.values()} == {0.4}


def test_contenders_that_took_no_time_are_named_below_the_cost() -> None:
    found = verdict()
    names = ("vit-b16", HOSTILE, "both")
    scores = (*found.scores, score("both"))
    spent = {"vit-b16": {"seconds": 2.0}, HOSTILE: {"seconds": 3.0}, "both": {"seconds": 0.0}}
    (figure,) = cost_figures(found.model_copy(update={"scores": scores}), names, spent)
    assert figure.note.endswith("takes no time: both.")
    rows = list(csv.reader(figure.csv.splitlines()))
    assert [row[:3] for row in rows[1:]] == [["vit-b16", "2", "0.8123"], [HOSTILE, "3", "0.8123"]]
