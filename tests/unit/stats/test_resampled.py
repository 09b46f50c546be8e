"""Intervals of statistics that hardly vary."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.stats.builders import resample, some_lines, table_from

from headtohead.core.tables.estimate import Estimate
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.resampled import bootstrap_interval, proportion_interval


def test_a_share_that_never_varies_has_wilsons_bound_and_not_certainty() -> None:
    resamples = make_resamples(30, 100, 0)
    nothing = np.zeros(1 + 100 + 30)
    assert bootstrap_interval(nothing, resamples, 0.95) == Estimate(value=0.0, low=None, high=None)
    found = proportion_interval(nothing, resamples, 0.95, 30)
    assert found.low == 0
    assert found.high is not None
    assert 1 - 0.05 ** (1 / 30) < found.high < 0.15
    turned = proportion_interval(1 - nothing, resamples, 0.95, 30)
    assert turned.low == pytest.approx(1 - found.high)
    assert proportion_interval(nothing + 0.4, resamples, 0.95, 30) == Estimate(value=0.4, low=None, high=None)


def test_more_groups_without_an_error_narrow_the_bound() -> None:
    ends = [
        proportion_interval(np.zeros(1 + 50 + n), make_resamples(n, 50, 0), 0.95, n).high
        for n in (10, 40, 160)
    ]
    assert ends[0] is not None and ends[1] is not None and ends[2] is not None
    assert ends[0] > ends[1] > ends[2] > 0


def test_a_value_that_is_not_defined_has_no_interval() -> None:
    resamples = make_resamples(30, 100, 0)
    nothing = np.full(131, np.nan)
    assert bootstrap_interval(nothing, resamples, 0.95) == Estimate(value=None, low=None, high=None)
    assert proportion_interval(nothing, resamples, 0.95, 30).value is None


def test_half_of_the_replicates_must_be_defined() -> None:
    resamples = make_resamples(30, 100, 0)
    values = np.random.default_rng(0).random(131)
    values[1:60] = np.nan
    assert bootstrap_interval(values, resamples, 0.95).low is None
    values[1:51] = 0.5
    assert bootstrap_interval(values, resamples, 0.95).low is not None


def test_the_ends_are_percentiles_that_hold_the_value() -> None:
    resamples = make_resamples(30, 200, 0)
    values = np.random.default_rng(0).normal(size=231)
    values[0] = 0.0
    estimate = bootstrap_interval(values, resamples, 0.9)
    low, high = np.quantile(values[1:201], [0.05, 0.95])
    assert (estimate.low, estimate.high) == pytest.approx((low, high))
    values[0] = 9.0
    assert bootstrap_interval(values, resamples, 0.9).high == 9


def test_scores_are_those_of_the_metrics_asked_for() -> None:
    resampled = resample(table_from({"a": some_lines(n=90, n_groups=45)}))
    lines = resampled.table.of("a")
    scores = resampled.scores("a", resampled.values(lines, ["accuracy", "f1"]))
    assert [score.metric for score in scores] == ["accuracy", "f1"]
    assert scores[0].value == pytest.approx(((lines[0].prob[:, 1] >= 0.5) == lines[0].label).mean())
    everything = [np.zeros(90)]
    called = resampled.scores("a", resampled.values(lines, ["sensitivity"], everything), everything)
    assert called[0].value == 1
