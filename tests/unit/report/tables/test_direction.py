"""The metrics of which less is better, against the catalogue of metrics."""

from __future__ import annotations

from headtohead.report.tables.direction import LOWER_IS_BETTER, metric_sign
from headtohead.stats.metrics.registry import METRICS


def test_the_names_are_those_of_the_catalogue() -> None:
    assert set(LOWER_IS_BETTER) == {name for name, metric in METRICS.items() if metric.best == "low"}
    assert all(metric_sign(name) == metric.sign for name, metric in METRICS.items())
