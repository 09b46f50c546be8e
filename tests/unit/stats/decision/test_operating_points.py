"""Thresholds chosen on inner lines and the scores at them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import CLASSES, calibrated, cell_of, judge_bounds, lines_of_score

from headtohead.stats.decision.operating_points import RULES, choose_threshold
from headtohead.stats.metrics.replicates import metric_values


def test_a_perfect_contender_is_not_certain_where_a_probability_is_used() -> None:
    frame = calibrated(60, 0.5)
    sure = np.where(frame["label"] == "yes", 0.9, 0.1)
    frame["prob_yes"] = np.where(frame["contender"] == "true", sure, frame["prob_yes"])
    frame["prob_no"] = 1 - frame["prob_yes"]
    details = judge_bounds(frame, prevalence=0.02).details.model_dump()
    risk = details["risk_coverage"]["true"]["points"][-1]["risk"]
    assert risk["value"] == 0
    assert 0.04 < risk["high"] < 0.1
    for one in details["calibration"]["true"]["bins"]:
        assert one["observed"]["high"] - one["observed"]["low"] > 0.05
    there = details["operating_points"]["half"]["contenders"]["true"]["at_prevalence"]
    assert there["ppv"]["value"] == 1
    assert there["ppv"]["low"] < 0.25  # 30 negatives without a false alarm leave room for one in ten
    assert 0.99 < there["npv"]["low"] < 1


Floats = npt.NDArray[np.float64]


Ints = npt.NDArray[np.int64]


def test_an_operating_point_that_just_keeps_its_promise_counts() -> None:
    """Ten of each class: one false alarm in ten is a specificity of exactly 0.9, and nine of ten found is 0.9."""
    label = np.repeat([0, 1], 10)
    score = np.array([5, 6, 7, 8, 9, 10, 11, 12, 13, 50, 20, 51, 52, 53, 54, 55, 56, 57, 58, 59]) / 100
    names = ["sensitivity_at_specificity_90", "specificity_at_sensitivity_90"]
    found = metric_values([lines_of_score(score, label)], np.ones((20, 1)), names, CLASSES)
    assert found[names[0]][0] == pytest.approx(1.0)  # strictly above 0.9 it would be 0.9
    assert found[names[1]][0] == pytest.approx(1.0)  # strictly above 0.9 it would be 0.9
    rules = {rule.name: rule for rule in RULES}
    kept = choose_threshold(rules["sensitivity_90"], cell_of(score, label))
    assert (score[label == 1] >= kept).mean() == pytest.approx(0.9)
    assert 0.50 < kept < 0.51
    other = choose_threshold(rules["specificity_90"], cell_of(score, label))
    assert (score[label == 0] < other).mean() == pytest.approx(0.9)
    assert 0.13 < other < 0.20
