"""The interval of a mean of class recalls."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.stats.builders import lines_of_score, resample, some_lines, table_from

from headtohead.stats.intervals.class_recalls import Recall, class_recalls, mean_recall_interval
from headtohead.stats.intervals.proportions import newcombe


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
