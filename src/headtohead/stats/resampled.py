"""Predictions together with the bootstrap and jackknife weights that all their statistics share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Score
from headtohead.core.tables.estimate import Estimate
from headtohead.stats.intervals.resampling import Resamples, percentile, wilson_clustered
from headtohead.stats.intervals.score import make_score
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = ["Replicates", "ResampledPredictions", "bootstrap_interval", "proportion_interval"]

Floats = npt.NDArray[np.float64]
Replicates = Mapping[str, Mapping[str, Floats]]
"""Contender -> metric -> (1 + n_boot + n_jack,) its values; NaN where it is not defined."""

# Replicates within this range are one number: sums of the same terms in another order differ by rounding alone.
_SAME = 1e-12
# Below one half of defined replicates their quantiles describe the resamples that happened to be defined.
_LEAST_DEFINED = 0.5


@dataclass(frozen=True, slots=True)
class ResampledPredictions:
    """One table of predictions under one set of resamples.

    Attributes:
        level: confidence of the intervals. seed: of whatever else is drawn.
    """

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
        self, contender: str, values: dict[str, Floats], thresholds: Sequence[Floats | None] | None = None
    ) -> tuple[Score, ...]:
        """Return replicates, by metric name, as scores with intervals."""
        metrics = [get_metric(name, self.table.classes) for name in values]
        return tuple(
            make_score(
                self.table, contender, metric, values[metric.name], self.resamples, self.level, thresholds
            )
            for metric in metrics
        )

    def interval(self, values: Floats) -> Estimate:
        """Return the bootstrap's interval of one statistic's replicates (see `bootstrap_interval`)."""
        return bootstrap_interval(values, self.resamples, self.level)

    def proportion(self, values: Floats, n_groups: int) -> Estimate:
        """Return the interval of a proportion's replicates (see `proportion_interval`)."""
        return proportion_interval(values, self.resamples, self.level, n_groups)


def bootstrap_interval(values: Floats, resamples: Resamples, level: float) -> Estimate:
    """Return one statistic with the percentile interval of its bootstrap replicates.

    Efron and Tibshirani 1993, chapter 13. Replicates that do not vary say nothing about the uncertainty of the
    value; it then has no interval.

    Args:
        values: (1 + n_boot + n_jack,) replicates.
    """
    boot = resamples.bootstrap(values)
    defined = boot[~np.isnan(boot)]
    value = None if np.isnan(values[0]) else float(values[0])
    if value is None or len(defined) < _LEAST_DEFINED * len(boot) or np.ptp(defined) < _SAME:
        return Estimate(value=value, low=None, high=None)
    low, high = percentile(defined, level)
    return Estimate(value=value, low=min(low, value), high=max(high, value))


def proportion_interval(values: Floats, resamples: Resamples, level: float, n_groups: int) -> Estimate:
    """Return the interval of a proportion; where it is 0 or 1 in all resamples, Wilson's with one trial per group.

    Wilson 1927, J Am Stat Assoc 22:209.

    Args:
        values: (1 + n_boot + n_jack,) replicates. n_groups: groups in the proportion's denominator.
    """
    estimate = bootstrap_interval(values, resamples, level)
    value = estimate.value
    if value is None or estimate.low is not None or n_groups < 1 or min(value, 1 - value) > _SAME:
        return estimate
    # Rounded: 0 or 1 exactly, as Wilson's ends ask.
    low, high = wilson_clustered(round(value), n_groups, n_groups, 0.0, level)
    return Estimate(value=value, low=low, high=high)
