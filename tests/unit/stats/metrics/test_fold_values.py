"""A metric inside each fold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.stats.builders import CLASSES, correlated_pair, table_from

from headtohead.stats.hypothesis.corrected_ttest import fold_differences
from headtohead.stats.metrics.fold_values import FoldValue, fold_values, repeat_values
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import PredictionTable


def test_fold_values_are_the_metric_inside_each_fold() -> None:
    a, b = correlated_pair(n=100, gap=0.5)
    names = np.array([f"s{i:03d}" for i in range(100)])
    table = PredictionTable(
        CLASSES, names, names, a.group, a.label, ("a", "b"), (0,), {("a", 0): a, ("b", 0): b}, True
    )  # fmt: skip
    found = fold_values(table, "a", "auroc")
    for _repeat, fold, value, n in found:
        part = a.take(a.fold == fold)
        assert n == 20
        assert value == pytest.approx(
            metric_values([part], np.ones((100, 1)), ["auroc"], CLASSES)["auroc"][0]
        )
    differences = fold_differences(table, found, fold_values(table, "b", "auroc"))
    assert differences.test_to_train == pytest.approx(0.25)
    assert len(differences.values) == 5


def test_a_threshold_of_each_line_counts_in_its_own_fold() -> None:
    a, b = correlated_pair(n=100, gap=0.5)
    table = table_from({"a": a, "b": b})
    lines = table.of("a")[0]
    cut = np.where(lines.fold == 2, 0.9, 0.3)
    for _, fold, value, _ in fold_values(table, "a", "sensitivity", [cut]):
        ill = (lines.fold == fold) & (lines.label == 1)
        assert value == pytest.approx((lines.prob[ill, 1] >= (0.9 if fold == 2 else 0.3)).mean())
    assert fold_values(table, "a", "sensitivity", [cut]) != fold_values(table, "a", "sensitivity")


def test_answers_have_no_brier_score_in_any_fold_and_no_value_in_any_repeat() -> None:
    a, b = correlated_pair(n=100)
    table = table_from({"a": replace(a, prob=a.prob.round()), "b": b})
    assert all(math.isnan(value) for _, _, value, _ in fold_values(table, "a", "brier"))
    assert repeat_values(table, "a", get_metric("brier", table.classes)) == (None,)
    expected = np.mean((table.of("b")[0].prob[:, 1] - table.of("b")[0].label) ** 2)
    assert list(repeat_values(table, "b", get_metric("brier", table.classes))) == pytest.approx([expected])


def test_a_fold_that_tests_everything_says_nothing_of_the_training_size() -> None:
    a, b = correlated_pair(n=40)
    table = table_from({"a": a, "b": b})
    whole = [FoldValue(0, 0, 0.8, 40)]
    found = fold_differences(table, whole, [FoldValue(0, 0, 0.7, 40)])
    assert math.isnan(found.test_to_train) and found.values == pytest.approx([0.1])
    gone = fold_differences(table, [*whole, FoldValue(1, 0, math.nan, 8)], [*whole, FoldValue(1, 0, 0.5, 8)])
    assert (gone.skipped, gone.values.tolist(), gone.test_to_train) == (1, [0.0], 0.25)
