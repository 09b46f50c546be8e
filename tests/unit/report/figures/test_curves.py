"""Curves hold the numbers they are given, for any name, and leave out what is not defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.planting.reported import HOSTILE, ORDER, parsed, titles, words

from headtohead.core.tables.comparison import RocCurve
from headtohead.core.tables.probability import CalibrationCurve, DecisionCurves, RiskCoverage
from headtohead.report.figures import (
    plot_calibration,
    plot_decision_curve,
    plot_learning_curves,
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
        "prevalence": 0.02, "prevalence_of_data": 0.5, "thresholds": thresholds, "contenders": {HOSTILE: own},
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


def test_risk_coverage_leaves_the_majority_out() -> None:
    points = [{"kept": k, "confidence": 0.9, "risk": estimate(k / 4)} for k in (0.5, 1.0)]
    curve = RiskCoverage.model_validate({"points": points, "area": 0.2})
    ax = plot_risk_coverage({HOSTILE: curve, "majority": curve})
    assert [line.get_label() for line in ax.get_lines()] == [HOSTILE]
    assert ax.get_ylim() == pytest.approx((0, 0.2625))


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
