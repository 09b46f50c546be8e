"""Scores from replicates: a number with its interval, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Score, ScoreWarning
from headtohead.stats.intervals.resampling import Resamples
from headtohead.stats.intervals.score_uncertainty import score_uncertainty
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.predictions import PredictionTable

__all__ = ["make_score", "why_undefined"]

Floats = npt.NDArray[np.float64]

# The rule refuses a verdict below ten groups, and the coverage study finds the intervals too short there.
_FEW_GROUPS = 10


def make_score(
    table: PredictionTable,
    contender: str,
    metric: Metric,
    values: Floats,
    resamples: Resamples,
    level: float,
    thresholds: Sequence[Floats | None] | None = None,
) -> Score:
    """Return one score with its interval (see `score_uncertainty`), or with a note on why it is not defined.

    Args:
        values: (1 + n_boot + n_jack,) replicates of the metric.
        thresholds: per repeat, where the score was taken at chosen thresholds.
    """
    value = float(values[0])
    if np.isnan(value):
        return _undefined(table, contender, metric, level, why_undefined(table, metric, contender))
    if table.n_groups < 2:
        note = f"{value:.3f} on one group; one group says nothing about others, so there is no interval"
        return _undefined(table, contender, metric, level, note)
    uncertainty = score_uncertainty(table, contender, metric, values, resamples, thresholds)
    ends = uncertainty.ends(level)
    if ends is None:
        return _undefined(table, contender, metric, level, uncertainty.note)
    warnings = (*_few(table), *uncertainty.warnings)
    return Score(
        contender=contender, metric=metric.name, value=value, low=min(ends[0], value), high=max(ends[1], value),
        method=uncertainty.method, note="; ".join(filter(None, [uncertainty.note, *(w.text for w in warnings)])),
        warnings=warnings, **_size(table, level),
    )  # fmt: skip


def _few(table: PredictionTable) -> tuple[ScoreWarning, ...]:
    if table.n_groups >= _FEW_GROUPS:
        return ()
    text = f"only {table.n_groups} groups: the interval is too short"
    return (ScoreWarning(code="few_groups", text=text),)


def _size(table: PredictionTable, level: float) -> dict[str, Any]:
    return {"n_samples": table.n_samples, "n_groups": table.n_groups, "level": level}


def _undefined(table: PredictionTable, contender: str, metric: Metric, level: float, note: str) -> Score:
    return Score(
        contender=contender, metric=metric.name, value=None, low=None, high=None, method="none", note=note,
        **_size(table, level),
    )  # fmt: skip


def why_undefined(table: PredictionTable, metric: Metric, contender: str) -> str:
    """Return why a metric of a contender has no value on this table."""
    if reason := metric.undefined_on(table.kind(contender)):
        return reason
    absent = [name for c, name in enumerate(table.classes) if not (table.sample_label == c).any()]
    if absent:
        return f"no sample of class {' or '.join(absent)}"
    return metric.undefined
