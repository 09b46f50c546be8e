"""A metric inside each fold."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.stats.builders import CLASSES, correlated_pair

from headtohead.stats.hypothesis.corrected_ttest import fold_differences
from headtohead.stats.metrics.fold_values import fold_values
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
