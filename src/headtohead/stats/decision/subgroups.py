"""Scores within subgroups (sex, scanner, hospital), each against all other samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import ManifestError
from headtohead.core.tables.comparison import Subgroup, SubgroupScore, SubgroupTable
from headtohead.core.tables.estimate import Estimate
from headtohead.stats.hypothesis.multiplicity import holm
from headtohead.stats.hypothesis.paired_difference import rarer_class_groups
from headtohead.stats.intervals.resampling import make_resamples, two_sided_p
from headtohead.stats.intervals.score import make_score
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["subgroup_tables"]

# The rule refuses a verdict below 10 groups; five of the rarer class are the fewest that give its variance.
_FEWEST_GROUPS = 10
_FEWEST_EVENTS = 5


def subgroup_tables(
    resampled: ResampledPredictions, metric: Metric, by: Mapping[str, Mapping[str, str]]
) -> dict[str, SubgroupTable]:
    """Return, per column, the scores of each value and its difference from all other samples.

    The difference between a subgroup and the rest has a cluster-bootstrap interval and a p-value, adjusted by
    Holm's method (1979, Scand J Stat 6:65) over all values and contenders of the column. A value with fewer than
    10 groups, or 5 groups of the rarer class, gets the reason instead of numbers.

    Args:
        by: column -> sample -> value.

    Raises:
        ManifestError: a sample has no value.
    """
    return {column: _column(resampled, metric, column, values) for column, values in by.items()}


def _column(
    resampled: ResampledPredictions, metric: Metric, column: str, values: Mapping[str, str]
) -> SubgroupTable:
    table = resampled.table
    missing = [str(name) for name in table.samples if str(name) not in values]
    if missing:
        raise ManifestError(
            f"{len(missing)} sample(s) have no {column!r}, first {missing[0]!r}; give each a value."
        )
    value = np.array([str(values[str(name)]) for name in table.samples])
    subgroups = {name: _subgroup(resampled, metric, value == name) for name in sorted(set(value))}
    return SubgroupTable(
        metric=metric.name,
        values=_with_holm(subgroups),
        note="Holm-adjusted over all values and contenders of this column; not planned beforehand unless you say so",
    )


def _subgroup(resampled: ResampledPredictions, metric: Metric, keep: npt.NDArray[np.bool_]) -> Subgroup:
    part = resampled.table.restrict(keep)
    events = rarer_class_groups(part)
    if part.n_groups < _FEWEST_GROUPS or events < _FEWEST_EVENTS:
        why = f"too few: {part.n_groups} groups, {events} with the rarer class"
        return Subgroup(n_samples=part.n_samples, n_groups=part.n_groups, too_few=why, contenders={})
    resamples = make_resamples(part.n_groups, resampled.resamples.n_boot, resampled.seed)
    contenders = {}
    for name in part.contenders:
        values = metric_values(part.of(name), resamples.weights, [metric.name], part.classes)[metric.name]
        score = make_score(part, name, metric, values, resamples, resampled.level)
        difference, p = (None, None) if keep.all() else _against_rest(resampled, metric, name, keep)
        contenders[name] = SubgroupScore(score=score, difference=difference, p_value=p)
    return Subgroup(n_samples=part.n_samples, n_groups=part.n_groups, contenders=contenders)


def _against_rest(
    resampled: ResampledPredictions, metric: Metric, contender: str, keep: npt.NDArray[np.bool_]
) -> tuple[Estimate, float | None]:
    """Return the metric inside less the metric outside, on the common resamples of all groups, and its p-value."""
    lines = resampled.table.of(contender)
    inside = resampled.values([part.take(keep[part.sample]) for part in lines], [metric.name])[metric.name]
    outside = resampled.values([part.take(~keep[part.sample]) for part in lines], [metric.name])[metric.name]
    difference = inside - outside
    boot = resampled.resamples.bootstrap(difference)
    defined = boot[~np.isnan(boot)]
    has_p = len(defined) > 0.5 * len(boot) and not np.isnan(difference[0])
    return resampled.interval(difference), two_sided_p(defined) if has_p else None


def _with_holm(subgroups: Mapping[str, Subgroup]) -> dict[str, Subgroup]:
    """Return the subgroups with p-values adjusted over all of them."""
    tested = [
        (value, name, one.p_value)
        for value, subgroup in subgroups.items()
        for name, one in subgroup.contenders.items()
        if one.p_value is not None
    ]
    adjusted = holm([p for _, _, p in tested])
    p_holm = {(value, name): p for (value, name, _), p in zip(tested, adjusted, strict=True)}
    return {
        value: subgroup.model_copy(
            update={
                "contenders": {
                    name: one.model_copy(update={"p_holm": p_holm.get((value, name))})
                    for name, one in subgroup.contenders.items()
                }
            }
        )
        for value, subgroup in subgroups.items()
    }
