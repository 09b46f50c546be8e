"""ROC curves and confusion tables of the report."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from tests.unit.stats.builders import some_lines, table_from

from headtohead.stats.metrics.roc_curves import confusion_tables, roc_curves, roc_points


def test_the_points_of_a_curve_are_scikit_learns() -> None:
    from sklearn.metrics import roc_curve

    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 90)
    score = np.round(0.4 * label + rng.random(90), 1)
    false, true, cut = roc_points(score, label == 1)
    theirs = roc_curve(label, score, drop_intermediate=False)
    np.testing.assert_allclose(false, theirs[0])
    np.testing.assert_allclose(true, theirs[1])
    np.testing.assert_allclose(cut[1:], theirs[2][1:])


def test_a_confusion_table_counts_each_repeat_and_their_mean() -> None:
    table = table_from({"a": some_lines(n=80)})
    counts = confusion_tables(table)["a"]
    lines = table.of("a")[0]
    expected = metrics.confusion_matrix(lines.label, lines.prob[:, 1] >= 0.5)
    assert np.array_equal(counts.mean, expected)
    assert np.array_equal(counts.repeats[0], expected)
    assert counts.classes == ("0", "1")


def test_one_curve_per_class_beyond_two() -> None:
    table = table_from({"a": some_lines(n=90, k=3, ties=False)})
    curves = roc_curves(table)["a"]
    assert list(curves) == ["0", "1", "2"]
    lines = table.of("a")[0]
    for c, name in enumerate(curves):
        x, y = curves[name].false_positive_rate, curves[name].true_positive_rate
        expected = metrics.roc_auc_score(lines.label == c, lines.prob[:, c])
        assert metrics.auc(x, y) == pytest.approx(expected)
    assert list(roc_curves(table_from({"a": some_lines()}))["a"]) == ["1"]


def test_a_long_curve_keeps_its_ends_and_its_area_in_200_points() -> None:
    table = table_from({"a": some_lines(n=4000, n_groups=500, ties=False)})
    curve = roc_curves(table)["a"]["1"]
    assert len(curve.false_positive_rate) <= 200
    assert (curve.false_positive_rate[0], curve.true_positive_rate[0]) == (0, 0)
    assert (curve.false_positive_rate[-1], curve.true_positive_rate[-1]) == (1, 1)
    lines = table.of("a")[0]
    expected = metrics.roc_auc_score(lines.label, lines.prob[:, 1])
    assert metrics.auc(curve.false_positive_rate, curve.true_positive_rate) == pytest.approx(
        expected, abs=0.01
    )
