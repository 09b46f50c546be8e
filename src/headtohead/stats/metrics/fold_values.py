"""A metric within each fold, for the tests over folds and the tables that show them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.metric import FoldMean, Metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import PredictionTable

__all__ = ["FoldValue", "fold_values", "repeat_values"]

Floats = npt.NDArray[np.float64]


class FoldValue(NamedTuple):
    """A metric within one fold of one repeat; `value` is NaN where it is not defined."""

    repeat: int
    fold: int
    value: float
    n_test: int


def fold_values(
    table: PredictionTable, contender: str, name: str, thresholds: Sequence[Floats | None] | None = None
) -> list[FoldValue]:
    """Return the value of the metric within each fold; of a mean over folds that of the metric it averages.

    NaN in all folds where the metric has no value on what the contender gives (answers or ranks).

    Args:
        thresholds: per repeat, (n,) probability from which on a line is predicted positive.
    """
    ones = np.ones((table.n_groups, 1))
    metric = get_metric(name, table.classes)
    inside = metric.kernel.metric.name if isinstance(metric.kernel, FoldMean) else name
    undefined = bool(metric.undefined_on(table.kind(contender)))
    values = []
    for position, (repeat, lines) in enumerate(zip(table.repeats, table.of(contender), strict=True)):
        threshold = None if thresholds is None else thresholds[position]
        for fold in np.unique(lines.fold):
            in_fold = lines.fold == fold
            cut = None if threshold is None else [threshold[in_fold]]
            value = math.nan
            if not undefined:
                value = metric_values([lines.take(in_fold)], ones, [inside], table.classes, cut)[inside][0]
            values.append(FoldValue(repeat, int(fold), float(value), int(in_fold.sum())))
    return values


def repeat_values(table: PredictionTable, contender: str, metric: Metric) -> tuple[float | None, ...]:
    """Return the metric in each repeat, None where it is not defined."""
    repeats = table.of(contender)
    if metric.undefined_on(table.kind(contender)):
        return (None,) * len(repeats)
    ones = np.ones((table.n_groups, 1))
    values = (
        float(metric_values([lines], ones, [metric.name], table.classes)[metric.name][0]) for lines in repeats
    )
    return tuple(None if np.isnan(value) else value for value in values)
