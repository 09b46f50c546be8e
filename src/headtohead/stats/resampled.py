"""What every part of the battery needs: the table, the common resamples, the level and the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.stats.intervals.resampling import Resamples, percentile, wilson_clustered
from headtohead.stats.intervals.score import make_score
from headtohead.stats.metrics.registry import get_metric, metric_values
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = ["ResampledPredictions", "bootstrap_interval", "proportion_interval"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ResampledPredictions:
    """One table of predictions under one set of resamples."""

    table: PredictionTable
    resamples: Resamples
    level: float
    seed: int

    def values(
        self,
        lines: Sequence[ContenderPredictions],
        names: Sequence[str],
        thresholds: Sequence[Floats | None] | None = None,
    ) -> dict[str, Floats]:
        """Return the replicates of the named metrics for lines of this table, one entry per repeat."""
        return metric_values(lines, self.resamples.weights, names, self.table.classes, thresholds)

    def scores(
        self, contender: str, values: dict[str, Floats], thresholds: list[Floats | None] | None = None
    ) -> list[dict[str, Any]]:
        """Return replicates as scores with intervals, JSON-able."""
        rows = [get_metric(name, self.table.classes) for name in values]
        return [
            make_score(
                self.table, contender, row, values[row.name], self.resamples, self.level, thresholds
            ).model_dump(mode="json")
            for row in rows
        ]


def bootstrap_interval(values: Floats, resamples: Resamples, level: float) -> dict[str, float | None]:
    """Return {"value", "low", "high"} of one statistic's replicates; None where it is not defined.

    The ends are the bootstrap's percentiles (Efron and Tibshirani 1993, chapter 13). Replicates that do not vary
    say nothing of how certain the value is: then there are no ends.
    """
    boot = resamples.bootstrap(values)
    known = boot[~np.isnan(boot)]
    if np.isnan(values[0]) or len(known) < 0.5 * len(boot):
        return {"value": None if np.isnan(values[0]) else float(values[0]), "low": None, "high": None}
    if np.ptp(known) < 1e-12:
        return {"value": float(values[0]), "low": None, "high": None}
    low, high = percentile(known, level)
    return {"value": float(values[0]), "low": min(low, float(values[0])), "high": max(high, float(values[0]))}


def proportion_interval(
    values: Floats, resamples: Resamples, level: float, n_groups: int
) -> dict[str, float | None]:
    """Return the band of a share; where it is 0 or 1 in all resamples, Wilson's with one trial per group.

    Wilson 1927, J Am Stat Assoc 22:209.

    Args:
        n_groups: groups in the share's denominator.
    """
    found = bootstrap_interval(values, resamples, level)
    value = found["value"]
    if value is None or found["low"] is not None or n_groups < 1 or min(value, 1 - value) > 1e-12:
        return found
    low, high = wilson_clustered(round(value), n_groups, n_groups, 0.0, level)
    return {"value": value, "low": low, "high": high}
