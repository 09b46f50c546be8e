"""Curves hold the numbers they are given, for any name, and leave out what is not defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from tests.planting.reported import HOSTILE, ORDER, parsed, score, titles, words

from headtohead.core.tables.comparison import PrecisionRecallCurve, RocCurve
from headtohead.core.tables.probability import CalibrationCurve, DecisionCurves, RiskCoverage
from headtohead.report.figures import (
    plot_calibration,
    plot_cost,
    plot_decision_curve,
    plot_group_curve,
    plot_learning_curves,
    plot_precision_recall,
    plot_risk_coverage,
    plot_roc,
    plot_size_curve,
    to_svg,
)


def estimate(value: float | None) -> dict[str, Any]:
    spread = None if value is None else 0.1
    return {"value": value, "low": value and value - (spread or 0), "high": value and value + (spread or 0)}


def calibration() -> CalibrationCurve:
    bins = [
        {"mean_probability": p, "n_lines": 9, "n_groups": 9, "observed": estimate(v)}
        for p, v in ((0.2, 0.3), (0.5, 0.5), (0.8, 0.7), (0.9, None))
    ]
    parts = dict.fromkeys(("reliability", "resolution", "uncertainty", "within_bin", "brier"), 0.1)
    return CalibrationCurve.model_validate({"bins": bins, "brier_parts": parts})


def decisions(thresholds: list[float]) -> DecisionCurves:
    own = [estimate(0.015)] * (len(thresholds) - 1) + [estimate(-0.3)]
    return DecisionCurves.model_validate({
        "prevalence": 0.02, "prevalence_of_data": 0.5, "thresholds": thresholds,
        "contenders": {HOSTILE: own, "majority": own},
        "treat_all": [0.02 - x for x in thresholds], "treat_none": [0.0] * len(thresholds),
    })  # fmt: skip


def test_roc_curves_hold_the_rates_and_name_the_contenders() -> None:
    curve = RocCurve(false_positive_rate=(0.0, 0.2, 1.0), true_positive_rate=(0.0, 0.7, 1.0))
    ax = plot_roc({HOSTILE: curve, "stranger": curve}, order=ORDER)
    lines = {str(line.get_label()): line for line in ax.get_lines()}
    assert list(np.asarray(lines[HOSTILE].get_ydata())) == [0.0, 0.7, 1.0]
    assert "stranger" not in lines, "only what is in the order is drawn"
    assert HOSTILE in words(to_svg(ax.figure))
    assert HOSTILE not in words(to_svg(plot_roc({HOSTILE: curve}, legend=False).figure))


def test_calibration_leaves_out_bins_without_a_frequency() -> None:
    ax = plot_calibration({HOSTILE: calibration()}, order=ORDER)
    assert titles(to_svg(ax.figure)) == [f"{HOSTILE}: 9 groups"] * 3
    assert len(ax.collections) == 1, "one band"


def test_decision_curves_end_where_nobody_has_a_benefit() -> None:
    ax = plot_decision_curve(decisions([0.005, 0.01, 0.02, 0.04, 0.08, 0.5]), order=ORDER)
    assert ax.get_xlim()[1] == pytest.approx(0.08)
    assert ax.get_ylim()[0] == pytest.approx(-0.015 / 3), "the floor"
    assert {"treat all", "treat none"} <= set(words(to_svg(ax.figure)))
    assert "majority" not in [line.get_label() for line in ax.get_lines()], "it treats all or none"


@pytest.mark.parametrize("prevalence", [0.002, 0.006, 0.02])
def test_decision_curves_of_a_rare_class_are_lines_even_where_nobody_has_a_benefit(prevalence: float) -> None:
    """The default thresholds begin at 0.01, which may be above all that is worth showing."""
    useless = [estimate(-0.1)] * 4
    known = decisions([0.01, 0.02, 0.03, 0.04]).model_dump() | {
        "prevalence": prevalence, "contenders": {"vit-b16": useless}, "treat_all": (-0.01, -0.02, -0.03, -0.04),
    }  # fmt: skip
    ax = plot_decision_curve(DecisionCurves.model_validate(known), order=ORDER)
    assert ax.get_xlim()[0] == pytest.approx(0.01) and ax.get_xlim()[1] >= 0.02
    assert all(len(np.asarray(line.get_xdata())) >= 2 for line in ax.get_lines())


def test_risk_coverage_leaves_the_majority_out() -> None:
    points = [{"kept": k, "confidence": 0.9, "risk": estimate(k / 4)} for k in (0.5, 1.0)]
    curve = RiskCoverage.model_validate({"points": points, "area": 0.2})
    ax = plot_risk_coverage({HOSTILE: curve, "majority": curve})
    assert [line.get_label() for line in ax.get_lines()] == [HOSTILE]
    assert ax.get_ylim() == pytest.approx((0, 0.2625))
    assert ax.get_xlim() == pytest.approx((0.5, 1.0))


def test_no_more_than_all_images_can_be_answered() -> None:
    points = [{"kept": 1.0, "confidence": 0.9, "risk": estimate(0.0)}]
    ax = plot_risk_coverage({"a": RiskCoverage.model_validate({"points": points, "area": 0.0})})
    assert ax.get_xlim() == pytest.approx((0.95, 1.0))


@pytest.mark.parametrize("key", ["loss", "accuracy"])
def test_learning_curves_of_a_single_epoch_and_without_an_inner_part(key: str) -> None:
    one = {"epoch": 1, f"train_{key}": 0.5, f"inner_{key}": None}
    two = {"epoch": 2, f"train_{key}": 0.4, f"inner_{key}": 0.6}
    assert len(plot_learning_curves([one], key).get_lines()) == 1
    ax = plot_learning_curves([one, two], key)
    assert len(ax.get_lines()) == 2 and ax.get_lines()[1].get_linestyle() == "--"
    parsed(to_svg(ax.figure))


def test_the_size_curve_labels_its_points() -> None:
    said = words(to_svg(plot_size_curve([(50, 0.1), (100, 0.071)]).figure))
    assert {"50", "100", "0.100", "0.071"} <= set(said)


def test_the_band_of_a_roc_curve_and_the_cross_of_an_operating_point_are_drawn() -> None:
    band = {"at": (0, 1), "low": (0, 0.5), "high": (0.4, 1)}
    curve = RocCurve.model_validate(
        {"false_positive_rate": (0, 1), "true_positive_rate": (0, 1), "band": band}
    )
    assert len(plot_roc({"a": curve}).collections) == 1
    assert not plot_roc({"a": curve.model_copy(update={"band": None})}).collections


def test_precision_and_recall_start_from_the_prevalence_and_skip_what_is_not_defined() -> None:
    curve = PrecisionRecallCurve(recall=(0.1, 0.5, 1.0), precision=(None, 0.8, 0.6), prevalence=0.25)
    ax = plot_precision_recall({HOSTILE: curve}, order=ORDER)
    chance, own = ax.get_lines()
    assert list(np.asarray(chance.get_ydata())) == [0.25, 0.25] and np.isnan(np.asarray(own.get_ydata())[0])
    assert HOSTILE in words(to_svg(ax.figure))


def test_the_histograms_below_a_calibration_share_one_scale() -> None:
    counts = {"a": [0, 4, 1, 0], "b": [8, 0, 0, 2]}
    ax = plot_calibration({"a": calibration(), "b": calibration()}, counts=counts)
    strips = [child for child in ax.child_axes if child.patches]
    heights = [
        [int(bar.get_height()) for bar in strip.patches if isinstance(bar, Rectangle)] for strip in strips
    ]
    assert heights == [[0, 4, 1, 0], [8, 0, 0, 2]]
    assert {strip.get_ylim() for strip in strips} == {(0.0, 8.0)}
    assert not plot_calibration({"a": calibration()}).child_axes


def growth() -> dict[str, Any]:
    points = [
        {"contender": name, "share": share, "groups": groups, "value": value, "low": value - 0.1, "high": 1.0}
        for name, gain in (("a", 0.0), (HOSTILE, 0.05))
        for share, groups, value in ((0.5, 50, 0.7 + gain), (1.0, 100, 0.8 + gain))
    ]
    ahead = {"contender": "a", "factor": 2, "groups": 200, "value": 0.85, "low": 0.8, "high": 0.9}
    return {"title": "AUROC", "level": 0.95, "points": points, "extrapolation": [ahead]}


def test_the_curve_over_groups_holds_scores_and_what_they_lead_to() -> None:
    said = titles(to_svg(plot_group_curve(growth(), order=("a", HOSTILE)).figure))
    assert f"{HOSTILE}, 50 groups: 0.750 [0.650, 1.000]" in said
    assert "a, 200 groups: 0.850 [0.800, 0.900]" in said and len(said) == 5
    drawn = plot_group_curve(growth(), order=("a", HOSTILE)).get_lines()
    assert [line.get_linestyle() for line in drawn].count("--") == 1, "one contender is extrapolated"


def test_cost_is_on_a_logarithmic_axis() -> None:
    known = {"a": (10.0, score("a")), "b": (1000.0, score("b"))}
    ax = plot_cost(known, order=("b", "a"), metric="AUROC (area)")
    assert ax.get_xscale() == "log" and ax.get_ylabel() == "AUROC"
    assert titles(to_svg(ax.figure)) == [
        "a, 10.0 s: 0.812 [0.712, 0.862]",
        "b, 1000.0 s: 0.812 [0.712, 0.862]",
    ]
