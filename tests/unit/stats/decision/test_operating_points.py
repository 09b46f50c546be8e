"""Thresholds chosen on inner lines and the scores at them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.stats.proportion import proportion_confint
from tests.unit.stats.builders import (
    CLASSES,
    calibrated,
    cell_of,
    judge_bounds,
    lines_of_score,
    replicates_of,
    resample,
    some_lines,
    table_from,
)

from headtohead.stats.decision.operating_points import (
    RULES,
    ThresholdRule,
    choose_threshold,
    operating_points,
)
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions
from headtohead.stats.resampled import ResampledPredictions


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


def grouped() -> tuple[ResampledPredictions, InnerPredictions]:
    """Return lines in three folds by group, and the lines of the other folds as inner ones."""
    lines = some_lines(n=240, n_groups=120, ties=False)
    test = ContenderPredictions(lines.sample, lines.group, lines.label, lines.group % 3, lines.prob)
    cells = {
        ("a", 0, fold): InnerCell(test.label[inside], test.group[inside], test.prob[inside])
        for fold in range(3)
        for inside in (test.fold != fold,)
    }
    return resample(table_from({"a": test})), InnerPredictions(cells, ())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_picks_the_best_of_all_thresholds(rule: ThresholdRule) -> None:
    """Against a plain search over every cut between two scores."""
    _, inner = grouped()
    cell = inner.cells["a", 0, 0]
    score, positive = cell.prob[:, 1], cell.label == 1

    def merit(cut: float) -> float:
        sensitivity, specificity = (score[positive] >= cut).mean(), (score[~positive] < cut).mean()
        share = positive.mean()
        return float(
            {
                "youden": sensitivity + specificity,
                "sensitivity_90": specificity if sensitivity >= 0.9 else -1,
                "specificity_90": sensitivity if specificity >= 0.9 else -1,
                "cost_5_to_1": -(5 * share * (1 - sensitivity) + (1 - share) * (1 - specificity)),
            }[rule.name]
        )

    levels = np.unique(score)
    best = max(merit(cut) for cut in [levels[0], *(levels[:-1] + levels[1:]) / 2, 2.0])
    assert merit(choose_threshold(rule, cell)) == pytest.approx(best)


def test_each_fold_has_its_own_threshold_and_half_has_none() -> None:
    resampled, inner = grouped()
    points = operating_points(resampled, inner, None, replicates_of(resampled))
    assert list(points) == ["half", *(rule.name for rule in RULES)]
    assert points["half"].chosen_on == "nothing"
    assert points["half"].contenders["a"].thresholds is None
    chosen = points["youden"].contenders["a"]
    expected = {choose_threshold(RULES[0], inner.cells["a", 0, fold]) for fold in range(3)}
    assert chosen.thresholds is not None and set(chosen.thresholds[0]) == expected
    assert chosen.at_prevalence is None


def test_predictive_values_at_the_prevalence_of_the_data_are_those_of_the_data() -> None:
    resampled, inner = grouped()
    share = float((resampled.table.sample_label == 1).mean())
    half = operating_points(resampled, inner, share, replicates_of(resampled))["half"].contenders["a"]
    at = half.at_prevalence
    assert at is not None
    scores = {score.metric: score.value for score in half.scores}
    assert at.ppv.value == pytest.approx(scores["ppv"])
    assert at.npv.value == pytest.approx(scores["npv"])
    rare = (
        operating_points(resampled, inner, 0.01, replicates_of(resampled))["half"]
        .contenders["a"]
        .at_prevalence
    )
    assert rare is not None and rare.ppv.value is not None and at.ppv.value is not None
    assert rare.ppv.value < at.ppv.value


def test_beyond_two_classes_there_are_no_operating_points() -> None:
    resampled = resample(table_from({"a": some_lines(k=3)}))
    assert operating_points(resampled, InnerPredictions({}, ("a",)), None, {}) == {}


def test_without_errors_the_predictive_values_are_bounded_at_the_lower_bounds_of_both_rates() -> None:
    """Twenty positives and eighty negatives, all right: two different bounds, each in its place."""
    label = np.repeat([1, 0], [20, 80])
    resampled = resample(table_from({"a": lines_of_score(np.where(label == 1, 0.9, 0.1), label)}))
    found = operating_points(resampled, InnerPredictions({}, ("a",)), 0.1, replicates_of(resampled))
    at = found["half"].contenders["a"].at_prevalence
    sensitivity, specificity = (proportion_confint(n, n, method="wilson")[0] for n in (20, 80))
    assert at is not None and (at.ppv.value, at.npv.value) == (1, 1)
    # A t quantile of few groups makes the bounds of the rates a little wider than Wilson's own.
    ppv = sensitivity * 0.1 / (sensitivity * 0.1 + (1 - specificity) * 0.9)
    npv = specificity * 0.9 / (specificity * 0.9 + (1 - sensitivity) * 0.1)
    assert at.ppv.low == pytest.approx(ppv, abs=0.025)
    assert at.npv.low == pytest.approx(npv, abs=0.004)
