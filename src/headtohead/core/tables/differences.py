"""The paired difference of one metric: a row of the table that stands beside the primary comparison."""

from __future__ import annotations

from typing import Literal

from headtohead.core.tables.estimate import TableRecord

__all__ = ["MetricDifference"]


class MetricDifference(TableRecord):
    """The paired difference a - b in one metric.

    Attributes:
        metric, title: its name in files, and as it is written in a sentence.
        role: "primary" for the metric that the verdict rests on. Intervals of the others are not adjusted for
            their number.
        better: whether a high or a low value is better, or one near one or zero.
        difference: a - b; None where it is not defined. low, high: None where it has no interval.
        method: of the interval. note: why there is no difference or no interval, or what to know about it.
        warnings: codes of why the interval may be too narrow, as in scores.
    """

    a: str
    b: str
    metric: str
    title: str
    role: Literal["primary", "secondary"]
    better: Literal["high", "low", "one", "zero"]
    difference: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    note: str = ""
    warnings: tuple[str, ...] = ()
