"""Scores here against those that came with the model: differences, calibration and sets, by hand where that can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stats.builders import resample

from headtohead.core.records import Score
from headtohead.deploy.bundle.records import BundleCalibration, NamedThreshold
from headtohead.deploy.evaluation.judge import (
    at_thresholds,
    calibration_shift,
    compare_internal,
    conformal_on_data,
    difference_interval,
)
from headtohead.stats.inner_predictions import InnerCell
from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.resampled import ResampledPredictions


def score(value: float | None, low: float | None, high: float | None, metric: str = "accuracy") -> Score:
    return Score(
        contender="a", metric=metric, value=value, low=low, high=high, n_samples=9, n_groups=9, method="m",
        note="" if value is not None else "one class only",
    )  # fmt: skip


INSIDE = st.tuples(*[st.floats(0, 1)] * 3).map(sorted)


@settings(max_examples=60, deadline=None)
@given(INSIDE, INSIDE)
def test_the_difference_turns_its_sign_with_the_order(a: list[float], b: list[float]) -> None:
    one, other = score(a[1], a[0], a[2]), score(b[1], b[0], b[2])
    there, back = difference_interval(one, other), difference_interval(other, one)
    assert there.value is not None and there.low is not None and there.high is not None
    assert back.low is not None and back.high is not None
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.low <= there.value <= there.high
    # never narrower than either interval's own arm, never wider than both together
    assert there.value - there.low >= max(a[1] - a[0], b[2] - b[1]) - 1e-12
    assert there.value - there.low <= (a[1] - a[0]) + (b[2] - b[1]) + 1e-12


def test_a_difference_from_a_known_number_has_the_scores_own_interval() -> None:
    told = difference_interval(score(0.8, 0.7, 0.95), score(0.5, 0.5, 0.5))
    assert (told.value, told.low, told.high) == pytest.approx((0.3, 0.2, 0.45))


@pytest.mark.parametrize("missing", [score(None, None, None), score(None, 0.2, None)])
def test_what_is_not_defined_has_no_difference(missing: Score) -> None:
    whole = score(0.8, 0.7, 0.9)
    for told in (difference_interval(missing, whole), difference_interval(whole, missing)):
        assert (told.value, told.low, told.high) == (None, None, None)


def test_a_shift_is_an_interval_that_leaves_zero_out() -> None:
    internal = (score(0.5, 0.5, 0.5),)

    def shifted(low: float, high: float) -> bool:
        (one,) = compare_internal((score((low + high) / 2, low, high),), internal, ())
        return one.shifted

    assert [shifted(0.51, 0.6), shifted(0.4, 0.49), shifted(0.5, 0.6), shifted(0.4, 0.5), shifted(0.4, 0.6)] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_metrics_are_paired_by_name_the_calibrated_score_wins_and_calibration_is_left_out() -> None:
    external = tuple(
        score(0.5, 0.4, 0.6, name) for name in ("accuracy", "brier", "ece", "calibration_slope", "npv")
    )
    internal = tuple(score(0.7, 0.6, 0.8, name) for name in ("brier", "accuracy", "ece", "calibration_slope"))
    found = compare_internal(external, internal, (score(0.1, 0.05, 0.2, "brier"),))
    assert [(one.metric, one.internal.value, one.external.value) for one in found] == [
        ("accuracy", 0.7, 0.5), ("brier", 0.1, 0.5),
    ]  # fmt: skip
    assert found[0].difference.value == pytest.approx(-0.2)


def test_other_units_stand_beside_each_other_without_a_difference() -> None:
    (one,) = compare_internal((score(0.1, 0.0, 0.2),), (score(0.9, 0.8, 1.0),), (), comparable=False)
    assert one.difference.value is None and not one.shifted and one.internal.value == 0.9


def cell(label: Any, p: Any, group: Any = None) -> InnerCell:
    p, label = np.asarray(p, float), np.asarray(label, np.int64)
    return InnerCell(label, np.arange(len(label)) if group is None else group, np.stack([1 - p, p], axis=1))


@pytest.mark.parametrize(
    ("intercept", "slope", "said"),
    [
        ((-0.1, 0.1), (0.8, 1.2), "No evidence that calibration shifted"),
        ((0.1, 0.3), (0.8, 1.2), "The level of the probabilities shifted"),
        ((-0.1, 0.1), (0.5, 0.9), "The spread of the probabilities shifted"),
        ((-0.3, -0.1), (1.1, 1.5), "The level and spread of the probabilities shifted"),
        ((0.0, 0.3), (1.0, 1.5), "No evidence that calibration shifted"),
    ],
)
def test_level_and_spread_are_told_apart(
    intercept: tuple[float, float], slope: tuple[float, float], said: str
) -> None:
    scores = (
        score(sum(intercept) / 2, *intercept, "calibration_intercept"),
        score(sum(slope) / 2, *slope, "calibration_slope"),
    )
    told = calibration_shift(scores, cell([0, 1], [0.2, 0.8]), recalibrate=False, seed=0)
    assert told.sentence.startswith(said)
    assert told.intercept == scores[0] and told.slope == scores[1]
    assert told.temperature is None and told.before is None and told.after is None


def test_calibration_that_is_not_defined_is_said() -> None:
    undefined = score(None, None, None, "calibration_slope")
    for scores in (
        (),
        (score(0, 0, 0, "calibration_intercept"),),
        (score(0, 0, 0, "calibration_intercept"), undefined),
    ):
        told = calibration_shift(scores, cell([0, 1], [0.2, 0.8]), recalibrate=False, seed=0)
        assert told.sentence == "Calibration intercept and slope are not defined here."


def test_a_planted_temperature_is_found_and_judged_on_other_groups() -> None:
    rng = np.random.default_rng(2)
    logit = rng.normal(0, 1.5, 400)
    label = (rng.random(400) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    overconfident = 1 / (1 + np.exp(-4 * logit))
    told = calibration_shift((), cell(label, overconfident), recalibrate=True, seed=0)
    assert told.temperature == pytest.approx(4, rel=0.3)
    assert told.before == pytest.approx(
        -np.log(np.where(label == 1, overconfident, 1 - overconfident)).mean(), rel=1e-6
    )
    assert told.after is not None and told.before is not None and told.after < told.before - 0.1


def table(label: list[int], p: list[float], group: list[int] | None = None) -> ResampledPredictions:
    n = len(label)
    frame = pd.DataFrame(
        {
            "sample": [f"s{i:03d}" for i in range(n)],
            "group": [f"g{g:03d}" for g in (group or range(n))],
            "contender": "a",
            "label": ["yes" if one else "no" for one in label],
            "prob_no": [1 - one for one in p],
            "prob_yes": p,
        }
    )
    return resample(build_prediction_table(frame, classes=("no", "yes"), positive="yes"))


LABEL = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
P = [0.1, 0.2, 0.5, 0.7, 0.9, 0.9, 0.8, 0.5, 0.3, 0.1]


def calibration(**changes: Any) -> BundleCalibration:
    fields = {"learnt_from": "folds", "n_lines": 9, "n_groups": 9, "quantiles": {"no": 0.6, "yes": 0.6}}
    return BundleCalibration.model_validate({**fields, **changes})


def test_coverage_and_abstention_are_plain_counts() -> None:
    found = conformal_on_data(table(LABEL, P), "a", calibration(alpha=0.2))
    assert found is not None
    # a class is in the set where its probability is at least 0.4; at 0.5 both are
    assert found.promised == pytest.approx(0.8)
    assert found.coverage.value == pytest.approx(6 / 10)
    assert found.by_class["no"].value == pytest.approx(3 / 5)
    assert found.by_class["yes"].value == pytest.approx(3 / 5)
    assert found.abstained.value == pytest.approx(2 / 10)


def test_each_class_has_its_own_quantile() -> None:
    found = conformal_on_data(table(LABEL, P), "a", calibration(quantiles={"no": 0.95, "yes": 0.05}))
    assert found is not None
    # "no" is in every set but those of p(no) below 0.05; "yes" needs 0.95
    assert found.by_class["no"].value == 1.0 and found.by_class["yes"].value == 0.0
    assert found.abstained.value == 0.0


def test_without_quantiles_there_are_no_sets() -> None:
    assert conformal_on_data(table(LABEL, P), "a", calibration(quantiles=None)) is None


def test_scores_at_a_threshold_are_plain_counts() -> None:
    thresholds = tuple(
        NamedThreshold(name=name, value=value, chosen_for="t", chosen_on="t")
        for name, value in (("low", 0.2), ("high", 0.85))
    )
    low, high = at_thresholds(table(LABEL, P), "a", thresholds)
    assert (low.name, low.value, high.name, high.value) == ("low", 0.2, "high", 0.85)
    of_low, of_high = ({one.metric: one.value for one in found.scores} for found in (low, high))
    # at 0.2 and more: of the negative four of five, of the positive four of five
    assert of_low["sensitivity"] == pytest.approx(4 / 5) and of_low["specificity"] == pytest.approx(1 / 5)
    assert of_high["sensitivity"] == pytest.approx(1 / 5) and of_high["specificity"] == pytest.approx(4 / 5)
