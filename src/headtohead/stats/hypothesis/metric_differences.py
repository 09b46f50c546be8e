"""Paired differences in every metric, from the replicates that the scores rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from headtohead.core.tables.differences import MetricDifference
from headtohead.stats.hypothesis.paired_difference import Difference, untested_differences
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.resampled import Replicates, ResampledPredictions

__all__ = ["metric_differences"]

Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-12  # replicates within this range are one number but for rounding
_SAME = "the difference is the same in every resample, so that it has no interval"


def metric_differences(
    resampled: ResampledPredictions,
    pairs: Sequence[tuple[str, str]],
    primary: str,
    replicates: Replicates,
) -> tuple[MetricDifference, ...]:
    """Return the paired difference of each pair in every metric, pair by pair, the primary metric first.

    The interval is the one that the metric would have if it were primary (see `paired_differences`); the primary metric
    alone has a p-value and a verdict, which stand with the comparison. Nothing is resampled again.

    Args:
        pairs: (a, b) each. primary: name of the primary metric. replicates: of all metrics, by contender.
    """
    table = resampled.table
    names = dict.fromkeys((primary, *next(iter(replicates.values()), {})))
    by_pair: list[list[MetricDifference]] = [[] for _ in pairs]
    for name in names:
        metric = get_metric(name, table.classes)
        values = {contender: of[name] for contender, of in replicates.items()}
        found = untested_differences(table, pairs, metric, values, resampled.resamples, resampled.level)
        for rows, difference in zip(by_pair, found, strict=True):
            jack = [resampled.resamples.jackknife(values[who]) for who in (difference.a, difference.b)]
            if name != primary and _same_everywhere(*jack):
                difference = replace(difference, low=None, high=None, method="none", note=_SAME)
            rows.append(_row(difference, metric, resampled.level, primary=name == primary))
    return tuple(row for rows in by_pair for row in rows)


def _same_everywhere(first: Floats, second: Floats) -> bool:
    """Return whether two metrics vary, but never apart; of two that do not vary a bound gives the interval."""
    known = ~(np.isnan(first) | np.isnan(second))
    if known.sum() < 2:
        return False
    varies = max(float(np.ptp(first[known])), float(np.ptp(second[known]))) > _ROUNDING
    return varies and float(np.ptp(first[known] - second[known])) < _ROUNDING


def _row(found: Difference, metric: Metric, level: float, *, primary: bool) -> MetricDifference:
    return MetricDifference(
        a=found.a, b=found.b, metric=metric.name, title=metric.title, role="primary" if primary else "secondary",
        better=metric.best, difference=found.value, low=found.low, high=found.high, level=level, method=found.method,
        note=found.note, warnings=tuple(warning.code for warning in found.warnings),
    )  # fmt: skip
