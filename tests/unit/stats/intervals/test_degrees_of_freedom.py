"""Degrees of freedom of a variance over groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import CLASSES, table_of_two

from headtohead.stats.intervals.degrees_of_freedom import degrees_of_freedom, effective_degrees
from headtohead.stats.intervals.resampling import (
    make_resamples,
)
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.replicates import metric_values


def test_even_deviations_have_welchs_degrees_of_freedom() -> None:
    a, b = np.full(12, 3.0), np.full(40, 0.5)
    first, second = 12 * 3.0, 40 * 0.5
    expected = (first + second) ** 2 / (first**2 / 11 + second**2 / 39)
    assert effective_degrees([a, b]) == pytest.approx(expected)
    rng = np.random.default_rng(0)
    normal = [effective_degrees([rng.normal(size=60) ** 2]) for _ in range(300)]
    assert 45 < np.median(normal) < 60
    assert max(normal) <= 59 + 1e-9


def test_one_heavy_deviation_leaves_three_degrees_of_freedom() -> None:
    """Planted: a variance that one group carries. Groups less one would promise 99."""
    assert effective_degrees([np.array([1e6] + [1.0] * 99)]) == 3
    assert effective_degrees([np.array([1e6] + [1.0] * 99)], even=True) == pytest.approx(99)


Floats = npt.NDArray[np.float64]


def test_degrees_of_freedom_follow_the_rarer_class() -> None:
    rng = np.random.default_rng(0)
    for positives, low, high in ((8, 3, 15), (60, 50, 119)):
        label = (np.arange(120) < positives).astype(np.int64)
        table = table_of_two(np.arange(120), label, 1 / (1 + np.exp(-(label + rng.normal(size=120)))))
        resamples = make_resamples(120, 10, 0)
        values = metric_values(table.of("a"), resamples.weights, ["auroc", "accuracy"], CLASSES)
        degrees = degrees_of_freedom(table, METRICS["auroc"], resamples.jackknife(values["auroc"]))
        assert low <= degrees <= high
        assert degrees_of_freedom(table, METRICS["brier"], np.tile([0.1, 0.3], 60)) == pytest.approx(119)


def test_degrees_of_freedom_are_welchs_for_even_deviations() -> None:
    """Two classes of 10 and 30 even groups whose variances are 0.09 and 0.01: Welch 1947."""
    parts = [np.full(10, 0.09 / 10), np.full(30, 0.01 / 30)]
    expected = (0.09 + 0.01) ** 2 / (0.09**2 / 9 + 0.01**2 / 29)
    assert effective_degrees(parts) == pytest.approx(expected)
    assert abs(expected - 39) > 20  # planted: all groups in one part
    assert effective_degrees([np.full(40, 1.0)]) == pytest.approx(39)
