"""Curves of the report: of which class, in which words, and the histogram below the calibration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from tests.planting.curves import BIN, PARTS, RECALL, ROC
from tests.planting.reported import score, verdict

from headtohead.core.records import Score, Verdict
from headtohead.core.tables.details import VerdictDetails
from headtohead.report.views.cases import CaseTable
from headtohead.report.views.curve_figures import calibration_figures, curve_figures


def judged(*scores: Score, **details: Any) -> Verdict:
    known = VerdictDetails.model_validate({"classes": ("no", "yes"), **details})
    return verdict().model_copy(update={"scores": scores, "details": known})


def test_the_positive_class_of_two_has_its_curves_and_the_majority_none() -> None:
    curves = {"no": ROC, "yes": ROC}
    made = judged(
        score("vit"), score("cnn", value=None), score("vit", "average_precision", 0.7), positive="yes",
        roc={"vit": curves, "majority": curves}, precision_recall={"vit": {"yes": RECALL}},
    )  # fmt: skip
    roc, recall = curve_figures(made, ("vit", "cnn", "majority"))
    assert roc.title == "ROC curves, positive class 'yes'"
    assert roc.note == (
        "Dashed: chance. Bands: intervals at each point over groups, not for the curve as a whole. AUROC (CI): vit "
        "0.812 (0.712 to 0.862). Crosses: the threshold 0.5 with its intervals."
    )
    assert roc.csv.splitlines()[1:] == ["vit,0,0", "vit,0.2,0.8", "vit,1,1"]
    assert recall.title == "Precision and recall, positive class 'yes'"
    assert "Average precision (CI): vit 0.700 (0.600 to 0.750)." in recall.note
    assert curve_figures(judged(roc={"majority": curves}, positive="yes"), ("majority",)) == ()


def test_beyond_two_classes_each_is_drawn_against_the_rest_without_crosses() -> None:
    made = judged(score("vit"), classes=("a", "b", "c"), roc={"vit": {"a": ROC, "c": ROC}})
    figures = curve_figures(made, ("vit",))
    assert [one.title for one in figures] == [
        "ROC curves, a against the rest",
        "ROC curves, c against the rest",
    ]
    assert "Crosses" not in figures[0].note
    assert curve_figures(judged(roc={"vit": {"yes": ROC}}), ("vit",))[0].note.endswith("as a whole. ")


def test_of_many_only_the_pair_has_bands() -> None:
    made = judged(positive="yes", roc={name: {"yes": ROC} for name in "abcd"})
    assert "Bands (of b and d alone): intervals" in curve_figures(made, tuple("abcd"), ("d", "b"))[0].note
    assert "Dashed: chance. Bands: intervals" in curve_figures(made, tuple("abcd"))[0].note


def calibrated(name: str, note: str = "", bins: int = 1) -> dict[str, Any]:
    return {name: {"bins": [BIN] * bins, "brier_parts": PARTS, "note": note}}


def slopes(name: str, slope: float, intercept: float) -> tuple[Score, Score]:
    return score(name, "calibration_slope", slope), score(name, "calibration_intercept", intercept)


def test_calibration_says_slope_intercept_and_what_to_beware_of(cases: CaseTable) -> None:
    curves = calibrated("vit", "few groups") | calibrated("cnn", "few groups") | calibrated("majority")
    made = judged(
        *slopes("vit", 0.5, -0.001), *slopes("cnn", 1.25, -0.5)[:1], positive="yes", calibration=curves
    )
    (figure,) = calibration_figures(made, cases.contenders, cases)
    assert figure.title == "Calibration of the probability of yes"
    assert figure.note == (
        "Dashed: perfect calibration. Bands: 95 % intervals, resampling groups. Below: images by probability, first "
        "repeat. Caution: few groups. Slope and intercept (ideal 1 and 0): vit 0.50 and 0.00."
    )
    both = judged(*slopes("cnn", 1.25, -0.5), positive="yes", calibration=curves)
    note = calibration_figures(both, cases.contenders, cases)[0].note
    assert note.endswith(": cnn 1.25 and −0.50.")
    plain = calibration_figures(made, cases.contenders, cases, slopes=False)[0].note
    assert "Slope" not in plain
    single = replace(
        cases,
        folds=cases.folds[:1],
        probabilities=cases.probabilities[:, :1],
        predicted=cases.predicted[:, :1],
    )
    assert "by probability. Caution" in calibration_figures(made, cases.contenders, single)[0].note


def test_calibration_that_is_not_defined_is_not_drawn(cases: CaseTable) -> None:
    for curves in (calibrated("vit", bins=0), calibrated("gone"), calibrated("majority"), {}):
        assert calibration_figures(judged(positive="yes", calibration=curves), cases.contenders, cases) == ()


def test_the_histogram_counts_the_first_repeat(cases: CaseTable, monkeypatch: Any) -> None:
    seen: dict[str, Any] = {}

    def keep(curves: Any, **options: Any) -> None:
        seen.update(options["counts"])

    monkeypatch.setattr("headtohead.report.figures.plot_calibration", keep)
    made = judged(positive="yes", calibration=calibrated("vit"))
    calibration_figures(made, cases.contenders, cases)
    # 0.1, 0.5, 0.9, 0.45 in twenty bins
    assert np.flatnonzero(seen["vit"]).tolist() == [2, 9, 10, 18] and sum(seen["vit"]) == 4
    late = replace(cases, folds=np.array([[0, -1, 0, 1], [0, 0, 0, 0]]))
    calibration_figures(made, cases.contenders, late)
    assert np.flatnonzero(seen["vit"]).tolist() == [2, 9, 18], "b is not scored"
    several = judged(classes=("no", "yes", "more"), calibration=calibrated("vit"))
    calibration_figures(several, cases.contenders, cases)
    assert np.flatnonzero(seen["vit"]).tolist() == [10, 11, 18], (
        "0.9 twice, 0.5 and 0.55: of the likeliest class"
    )
