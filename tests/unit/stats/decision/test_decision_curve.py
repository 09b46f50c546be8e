"""Net benefit and probabilities re-based to another prevalence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.unit.stats.builders import calibrated, resample, some_lines, table_from

from headtohead.core.tables.probability import DecisionCurves
from headtohead.stats.decision.decision_curve import decision_curves, rebased
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.resampled import ResampledPredictions


def test_rebased_probabilities_are_bayes_and_keep_their_order() -> None:
    prob = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    found = rebased(prob, 0.5, 0.02)
    likelihood = prob[1:4] / (1 - prob[1:4])
    np.testing.assert_allclose(found[1:4], likelihood * 0.02 / (likelihood * 0.02 + 0.98))
    assert found[0] == 0 and found[-1] == 1 and (np.diff(found) > 0).all()
    np.testing.assert_allclose(rebased(prob, 0.3, 0.3), prob)
    np.testing.assert_allclose(rebased(found, 0.02, 0.5), prob)
    assert rebased(prob, 1.0, 0.02) is prob  # one class is missing: nothing to go by


def test_probabilities_rebased_to_where_positives_are_rare_are_calibrated_there() -> None:
    at_half = calibrated(40_000, 0.5)
    prob = at_half[at_half.contender == "true"]
    there = rebased(prob["prob_yes"].to_numpy(), 0.5, 0.05)
    keep = np.where(prob["label"] == "yes", 0.05, 0.95) * 2
    assert np.average(there, weights=keep) == pytest.approx(0.05, rel=0.05)
    assert np.average(prob["prob_yes"], weights=keep) > 0.15  # planted: taken as they are


def curves_of(frame: pd.DataFrame, prevalence: float | None) -> DecisionCurves:
    table = build_prediction_table(frame, classes=("no", "yes"), positive="yes", contenders=None)
    resampled = ResampledPredictions(table, make_resamples(table.n_groups, 50, 0), 0.95, 0)
    curves = decision_curves(resampled, prevalence)
    assert curves is not None
    return curves


def test_net_benefit_at_a_low_prevalence_is_that_of_a_sample_drawn_there() -> None:
    """A set of half positives is asked about at 5 %, and the same kind of set is drawn at 5 %."""
    asked = curves_of(calibrated(10_000, 0.5), 0.05)
    drawn = curves_of(calibrated(60_000, 0.05, seed=1), None)
    for threshold in (0.05, 0.1, 0.2):
        found, expected = (
            curves.contenders["true"][curves.thresholds.index(threshold)].value for curves in (asked, drawn)
        )
        assert found is not None and found == pytest.approx(expected, abs=0.003)
        assert found > max(0.0, asked.treat_all[asked.thresholds.index(threshold)])
    assert "re-based" in asked.note
    assert drawn.note == ""


def test_a_curve_is_the_net_benefit_of_its_counts() -> None:
    lines = some_lines(n=200, n_groups=100, ties=False)
    curves = decision_curves(resample(table_from({"a": lines})), None)
    assert curves is not None
    share = float((lines.label == 1).mean())
    assert curves.prevalence == curves.prevalence_of_data == pytest.approx(share)
    for position, threshold in enumerate(curves.thresholds):
        treated = lines.prob[:, 1] >= threshold
        hits, false_alarms = (treated & (lines.label == 1)).sum(), (treated & (lines.label == 0)).sum()
        expected = (hits - false_alarms * threshold / (1 - threshold)) / 200
        assert curves.contenders["a"][position].value == pytest.approx(expected)
        everybody = share - (1 - share) * threshold / (1 - threshold)
        assert curves.treat_all[position] == pytest.approx(everybody)
    assert set(curves.treat_none) == {0.0}


def test_the_grid_is_finer_around_a_given_prevalence() -> None:
    resampled = resample(table_from({"a": some_lines()}))
    plain, rare = decision_curves(resampled, None), decision_curves(resampled, 0.004)
    assert plain is not None and rare is not None
    assert set(plain.thresholds) < set(rare.thresholds)
    assert 0.004 in rare.thresholds
    assert list(rare.thresholds) == sorted(rare.thresholds)


def test_beyond_two_classes_there_is_no_curve() -> None:
    assert decision_curves(resample(table_from({"a": some_lines(k=3)})), None) is None
