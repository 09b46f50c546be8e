"""The interval and p-value of a paired difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from tests.unit.stats.builders import CLASSES, correlated_pair, lines_of_score, resample, table_from

from headtohead.stats.hypothesis.paired_difference import Difference, mover_interval, paired_differences
from headtohead.stats.intervals.degrees_of_freedom import degrees_of_freedom
from headtohead.stats.intervals.resampling import (
    make_resamples,
)
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.intervals.score_uncertainty import score_uncertainty
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import PredictionTable
from headtohead.stats.resampled import ResampledPredictions


def test_the_wider_of_two_intervals_counts_for_a_difference() -> None:
    a, b = correlated_pair(n=80, gap=0.4)
    names = np.array([f"s{i:03d}" for i in range(80)])
    table = PredictionTable(
        CLASSES, names, names, a.group, a.label, ("a", "b"), (0,), {("a", 0): a, ("b", 0): b}, False
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


def three_contenders(n_groups: int = 60) -> ResampledPredictions:
    label = np.arange(2 * n_groups) % 2
    rng = np.random.default_rng(1)
    group = np.arange(2 * n_groups) // 2
    contenders = {
        name: lines_of_score(1 / (1 + np.exp(-rng.normal(lift * (2 * label - 1)))), label, group)
        for name, lift in (("a", 1.5), ("b", 0.4), ("c", 0.0))
    }
    return resample(table_from(contenders), n_boot=200)


def differences(
    resampled: ResampledPredictions, name: str, pairs: list[tuple[str, str]], level: float = 0.95
) -> list[Difference]:
    table = resampled.table
    values = {c: resampled.values(table.of(c), [name])[name] for c in table.contenders}
    return paired_differences(table, pairs, METRICS[name], values, resampled.resamples, level)


ALL = [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize("name", ["auroc", "accuracy", "balanced_accuracy", "brier", "log_loss", "ece"])
def test_swapped_contenders_mirror_the_difference(name: str) -> None:
    resampled = three_contenders()
    there, back = (differences(resampled, name, [pair]) for pair in (("a", "b"), ("b", "a")))
    assert there[0].low is not None and there[0].high is not None
    assert back[0].low is not None and back[0].high is not None and back[0].value is not None
    assert there[0].value == pytest.approx(-back[0].value)
    assert (there[0].low, there[0].high) == pytest.approx((-back[0].high, -back[0].low))
    assert there[0].p == pytest.approx(back[0].p)
    assert there[0].favours == back[0].favours in ("a", "b")


def test_p_values_are_adjusted_over_the_pairs() -> None:
    found = differences(three_contenders(), "auroc", ALL)
    expected = multipletests([one.p for one in found], method="holm")[1]
    assert [one.p_adjusted for one in found] == pytest.approx(list(expected))


def test_the_inner_interval_is_that_of_two_one_sided_tests() -> None:
    outer = differences(three_contenders(), "auroc", ALL, 0.95)[1]
    at_90 = differences(three_contenders(), "auroc", ALL, 0.9)[1]
    assert outer.inner == pytest.approx((at_90.low, at_90.high))


def test_a_contender_against_itself_differs_by_nothing() -> None:
    found = differences(three_contenders(), "accuracy", [("a", "a")])[0]
    assert found.value == 0
    assert found.favours is None
    assert found.p == pytest.approx(1)


def test_what_is_not_defined_says_of_whom_and_why() -> None:
    label = np.arange(60) % 2
    resampled = resample(
        table_from(
            {
                "a": lines_of_score(np.where(label == 1, 0.7, 0.2), label),
                "b": lines_of_score(np.full(60, 0.1), label),
            }
        )
    )
    found = differences(resampled, "ppv", [("a", "b")])[0]
    assert found.value is None and found.p == 1
    assert "positive predictive value of b is not defined (nothing is predicted positive" in found.note


def test_one_group_has_no_difference() -> None:
    label = np.arange(30) % 2
    one = np.zeros(30, dtype=np.int64)
    score = np.linspace(0.1, 0.9, 30)
    a, b = lines_of_score(score, label, one), lines_of_score(score[::-1], label, one)
    resampled = resample(table_from({"a": a, "b": b}))
    assert "one group says nothing about others" in differences(resampled, "auroc", [("a", "b")])[0].note


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.9])
def test_movers_interval_narrows_with_the_correlation(correlation: float) -> None:
    low, high = mover_interval(0.8, (0.7, 0.88), 0.6, (0.5, 0.7), correlation)
    assert low < 0.8 - 0.6 < high
    tighter = mover_interval(0.8, (0.7, 0.88), 0.6, (0.5, 0.7), correlation + 0.1)
    assert tighter[1] - tighter[0] < high - low
