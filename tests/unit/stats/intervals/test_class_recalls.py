"""The interval of a mean of class recalls."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tests.unit.stats.builders import lines_of_score, resample, some_lines, table_from

from headtohead.stats.intervals.class_recalls import Recall, class_recalls, mean_recall_interval
from headtohead.stats.intervals.proportions import newcombe
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.predictions import ContenderPredictions


def test_each_recall_is_that_of_its_class_with_its_sizes() -> None:
    resampled = resample(table_from({"a": some_lines(n=90, n_groups=45, k=3)}))
    lines = resampled.table.of("a")[0]
    recalls = class_recalls([lines], 3, resampled.resamples)
    for c, recall in enumerate(recalls):
        of_class = lines.label == c
        assert recall.value == pytest.approx((lines.prob[of_class].argmax(axis=1) == c).mean())
        assert (recall.n, recall.n_groups) == (of_class.sum(), len(np.unique(lines.group[of_class])))
        assert recall.variance > 0


def test_the_variance_of_independent_samples_is_binomial() -> None:
    label = np.arange(200) % 2
    score = np.where(np.random.default_rng(0).random(200) < 0.8, label, 1 - label) * 0.6 + 0.2
    resampled = resample(table_from({"a": lines_of_score(score, label)}))
    for recall in class_recalls(resampled.table.of("a"), 2, resampled.resamples):
        p, n = recall.value, recall.n
        assert recall.variance == pytest.approx(p * (1 - p) / (n - 1), rel=0.02)


def test_a_threshold_moves_the_recalls_against_each_other() -> None:
    resampled = resample(table_from({"a": some_lines(n=90, ties=False)}))
    repeats = resampled.table.of("a")
    low, high = (class_recalls(repeats, 2, resampled.resamples, [np.full(90, cut)]) for cut in (0.1, 0.9))
    assert low[1].value > high[1].value
    assert low[0].value < high[0].value


def test_spreads_add_in_squares_as_newcombe_adds_those_of_a_difference() -> None:
    """The mean of p and 1 - q is half of one plus their difference, whose interval is Newcombe's."""
    p, q = Recall(0.8, 50, 50, 0.0, 1e9), Recall(0.4, 50, 50, 0.0, 1e9)
    low, high = newcombe(40, 50, 30, 50)
    assert mean_recall_interval(0.6, [p, q], 0.95) == pytest.approx(((1 + low) / 2, (1 + high) / 2), abs=1e-6)


def test_the_interval_stays_inside_the_range() -> None:
    sure = Recall(1.0, 5, 5, 0.0, 4.0)
    low, high = mean_recall_interval(1.0, [sure, sure], 0.99)
    assert 0 < low < 1
    assert high == 1


def mixed_lines(n_groups: int = 40, each: int = 10, seed: int = 0) -> ContenderPredictions:
    """Return groups that hold both classes, whose image quality helps or hurts both."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), each)
    label = np.arange(n_groups * each) % 2
    right = 1 + rng.normal(size=n_groups)[group] + rng.normal(size=n_groups * each) > 0
    prob = np.where(np.where(right, label, 1 - label) == 1, 0.8, 0.2)
    index = np.arange(n_groups * each)
    return ContenderPredictions(index, group, label, index * 0, np.stack([1 - prob, prob], axis=1))


def test_recalls_of_mixed_groups_are_correlated_as_the_jackknife_says() -> None:
    lines = mixed_lines()
    recalls = class_recalls([lines], 2, make_resamples(40, 2, 0))
    answer = lines.prob.argmax(axis=1)
    left_out = [
        [np.mean(answer[(lines.group != g) & (lines.label == c)] == c) for g in range(40)] for c in range(2)
    ]
    expected = float(np.corrcoef(left_out)[0, 1])
    assert expected > 0.3
    assert recalls[0].correlations == pytest.approx((1.0, expected))
    assert recalls[1].correlations == pytest.approx((expected, 1.0))


def test_spreads_of_recalls_that_move_together_add_up() -> None:
    one = Recall(0.8, 60, 40, 0.004, 30.0, (1.0, 1.0))
    apart = [replace(one, correlations=()), replace(one, correlations=())]
    low, high = mean_recall_interval(0.8, [one, replace(one)], 0.95)
    assert (low, high) == pytest.approx(one.interval(0.95))
    short = mean_recall_interval(0.8, apart, 0.95)
    assert (0.8 - short[0]) * math.sqrt(2) == pytest.approx(0.8 - low)


def test_labels_by_group_leave_the_interval_as_it_was() -> None:
    lines = mixed_lines()
    by_group = ContenderPredictions(lines.sample, lines.group, lines.group % 2, lines.fold, lines.prob)
    assert [recall.correlations for recall in class_recalls([by_group], 2, make_resamples(40, 2, 0))] == [
        (),
        (),
    ]


def test_the_interval_covers_where_groups_hold_both_classes() -> None:
    held = {"apart": 0, "as they are": 0}
    truth = float(stats.norm.cdf(1 / math.sqrt(2)))
    for seed in range(250):
        recalls = class_recalls([mixed_lines(40, 20, seed)], 2, make_resamples(40, 2, 0))
        value = float(np.mean([recall.value for recall in recalls]))
        for name, one in (
            ("apart", [replace(r, correlations=()) for r in recalls]),
            ("as they are", recalls),
        ):
            low, high = mean_recall_interval(value, one, 0.95)
            held[name] += low <= truth <= high
    assert held["apart"] < 0.92 * 250
    assert 0.92 * 250 <= held["as they are"] <= 0.985 * 250
