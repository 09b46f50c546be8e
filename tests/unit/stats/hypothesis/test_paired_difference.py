"""The interval and p-value of a paired difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from tests.unit.stats.builders import CLASSES, correlated_pair

from headtohead.stats.hypothesis.paired_difference import mover_interval, paired_differences
from headtohead.stats.intervals.degrees_of_freedom import degrees_of_freedom
from headtohead.stats.intervals.resampling import (
    make_resamples,
)
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.intervals.score_uncertainty import score_uncertainty
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import PredictionTable


def test_the_wider_of_two_intervals_counts_for_a_difference() -> None:
    a, b = correlated_pair(n=80, gap=0.4)
    names = np.array([f"s{i:03d}" for i in range(80)])
    table = PredictionTable(
        CLASSES, names, names, a.group, a.label, ("a", "b"), (0,), {("a", 0): a, ("b", 0): b}, True
    )
    resamples = make_resamples(80, 50, 0)
    values = {
        name: metric_values(table.of(name), resamples.weights, ["auroc"], CLASSES)["auroc"]
        for name in ("a", "b")
    }
    found = paired_differences(table, [("a", "b")], METRICS["auroc"], values, resamples, 0.95)[0]
    jack = resamples.jackknife(values["a"] - values["b"])
    t = stats.t.ppf(0.975, degrees_of_freedom(table, METRICS["auroc"], jack))
    half = t * math.sqrt(jackknife_variance(jack))
    ends = [
        score_uncertainty(table, name, METRICS["auroc"], values[name], resamples).ends(0.95)
        for name in ("a", "b")
    ]
    correlation = np.corrcoef(resamples.jackknife(values["a"]), resamples.jackknife(values["b"]))[0, 1]
    assert ends[0] is not None
    assert ends[1] is not None
    recovered = mover_interval(values["a"][0], ends[0], values["b"][0], ends[1], correlation)
    assert found.value is not None
    assert found.low == pytest.approx(min(recovered[0], found.value - half))
    assert found.high == pytest.approx(max(recovered[1], found.value + half))
    touching = paired_differences(table, [("a", "b")], METRICS["auroc"], values, resamples, 1 - found.p)[0]
    assert min(abs(touching.low or 0), abs(touching.high or 0)) == pytest.approx(0, abs=1e-6)
