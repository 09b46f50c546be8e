"""Scores and paired differences within subgroups (sex, scanner, hospital), against all other samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from headtohead.core.errors import ManifestError
from headtohead.core.tables.comparison import Subgroup, SubgroupDifference, SubgroupScore, SubgroupTable
from headtohead.core.tables.estimate import Estimate
from headtohead.stats.hypothesis.multiplicity import holm
from headtohead.stats.hypothesis.paired_difference import (
    mover_interval,
    paired_differences,
    rarer_class_groups,
)
from headtohead.stats.intervals.degrees_of_freedom import degrees_of_freedom
from headtohead.stats.intervals.inversion import interval_p_value
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.intervals.score import make_score
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.intervals.score_uncertainty import ScoreUncertainty, score_uncertainty
from headtohead.stats.intervals.training_variance import training_stretch
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import PredictionTable
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["subgroup_tables"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ends = Callable[[float], tuple[float, float] | None]

# The rule refuses a verdict below 10 groups; five of the rarer class are the fewest that give its variance.
_FEWEST_GROUPS = 10
_FEWEST_EVENTS = 5


def subgroup_tables(
    resampled: ResampledPredictions,
    metric: Metric,
    by: Mapping[str, Mapping[str, str]],
    pair: tuple[str, str] | None = None,
) -> dict[str, SubgroupTable]:
    """Return, per column, the scores of each value and its difference from all other samples.

    The interval of a difference between a subgroup and the rest is the wider of MOVER on both scores' intervals
    (Zou and Donner 2008, Stat Med 27:1693) and the jackknife's t interval; p is where it touches 0. Each value is
    tested, but of two only one, since both are the same contrast; adjusted by Holm's method (1979, Scand J Stat 6:65)
    over values and contenders of the column. A value with fewer than 10 groups, or 5 groups of the rarer
    class, gets the reason instead of numbers.

    Args:
        by: column -> sample -> value.
        pair: two contenders whose paired difference is given in each subgroup, with a test of interaction.

    Raises:
        ManifestError: a sample has no value.
    """
    return {column: _column(resampled, metric, column, values, pair) for column, values in by.items()}


def _column(
    resampled: ResampledPredictions,
    metric: Metric,
    column: str,
    values: Mapping[str, str],
    pair: tuple[str, str] | None,
) -> SubgroupTable:
    table = resampled.table
    missing = [str(name) for name in table.samples if str(name) not in values]
    if missing:
        raise ManifestError(
            f"{len(missing)} sample(s) have no {column!r}, first {missing[0]!r}; give each a value."
        )
    value = np.array([str(values[str(name)]) for name in table.samples])
    names = sorted(set(value))
    largest = max(names, key=lambda name: len(np.unique(table.sample_group[value == name])))
    several = len(names) > 2  # of two values both differ from the other by the same contrast
    subgroups = {
        name: _subgroup(resampled, metric, value == name, pair, tested=several or name != largest)
        for name in names
    }
    which = "Each value" if several else f"The value other than {largest}"
    return SubgroupTable(
        metric=metric.name,
        values=_with_holm(subgroups),
        note=f"{which} is tested against all other samples; p is Holm-adjusted over the values and contenders of this "
        "column. A subgroup that was not planned before the data were seen is exploratory.",
    )


def _subgroup(
    resampled: ResampledPredictions,
    metric: Metric,
    keep: Bools,
    pair: tuple[str, str] | None,
    *,
    tested: bool,
) -> Subgroup:
    part = resampled.table.restrict(keep)
    events = rarer_class_groups(part)
    if part.n_groups < _FEWEST_GROUPS or events < _FEWEST_EVENTS:
        why = f"too few: {part.n_groups} groups, {events} with the rarer class"
        return Subgroup(n_samples=part.n_samples, n_groups=part.n_groups, too_few=why, contenders={})
    inside = _SubgroupPart.of(resampled, metric, part)
    outside = None if keep.all() else _SubgroupPart.of(resampled, metric, resampled.table.restrict(~keep))
    contenders = {}
    for name in part.contenders:
        score = make_score(
            part, name, metric, inside.values[name], inside.resampled.resamples, resampled.level
        )
        difference, p = (None, None)
        if outside is not None:
            difference, p = _against_rest(resampled, metric, name, keep, (inside, outside))
        contenders[name] = SubgroupScore(score=score, difference=difference, p_value=p if tested else None)
    return Subgroup(
        n_samples=part.n_samples,
        n_groups=part.n_groups,
        contenders=contenders,
        pair=None if pair is None else _paired(resampled, metric, keep, inside, pair, tested=tested),
    )


@dataclass(frozen=True, slots=True)
class _SubgroupPart:
    """One side of a contrast, with resamples of its own groups."""

    resampled: ResampledPredictions
    values: dict[str, Floats]
    metric: Metric

    @classmethod
    def of(cls, whole: ResampledPredictions, metric: Metric, table: PredictionTable) -> _SubgroupPart:
        resamples = make_resamples(table.n_groups, whole.resamples.n_boot, whole.seed)
        part = ResampledPredictions(table, resamples, whole.level, whole.seed)
        values = {
            name: metric_values(table.of(name), resamples.weights, [metric.name], table.classes)[metric.name]
            for name in table.contenders
        }
        return cls(part, values, metric)

    def uncertainty(self, name: str) -> ScoreUncertainty | None:
        if self.resampled.table.n_groups < 2 or np.isnan(self.values[name][0]):
            return None
        return score_uncertainty(
            self.resampled.table, name, self.metric, self.values[name], self.resampled.resamples
        )


def _against_rest(
    resampled: ResampledPredictions,
    metric: Metric,
    contender: str,
    keep: Bools,
    parts: tuple[_SubgroupPart, _SubgroupPart],
) -> tuple[Estimate, float | None]:
    """Return the metric inside less the metric outside with its interval, and the p-value that belongs to it."""
    first, other = (part.uncertainty(contender) for part in parts)
    if first is None or other is None:
        return Estimate(value=None, low=None, high=None), None
    value = first.value - other.value
    inside, outside = _inside_and_outside(resampled, metric, contender, keep)
    error, degrees, correlation = _jackknife(resampled, metric, inside, outside)
    error *= training_stretch(resampled.table, contender)

    def ends(level: float) -> tuple[float, float] | None:
        mine, theirs = first.ends(level), other.ends(level)
        if mine is None or theirs is None:
            return None
        half = float(special.stdtrit(degrees, (1 + level) / 2)) * error
        low, high = mover_interval(first.value, mine, other.value, theirs, correlation)
        return min(low, value - half), max(high, value + half)

    return _estimate(value, ends, resampled.level)


def _paired(
    resampled: ResampledPredictions,
    metric: Metric,
    keep: Bools,
    inside: _SubgroupPart,
    pair: tuple[str, str],
    *,
    tested: bool,
) -> SubgroupDifference:
    """Return a - b within the subgroup and its interaction: whether a - b differs in all other samples."""
    a, b = pair
    part = inside.resampled
    found = paired_differences(part.table, [pair], metric, inside.values, part.resamples, part.level)[0]
    difference = Estimate(value=found.value, low=found.low, high=found.high)
    if keep.all():
        return SubgroupDifference(a=a, b=b, difference=difference, interaction=None)
    sides = [_inside_and_outside(resampled, metric, name, keep) for name in pair]
    within, elsewhere = sides[0][0] - sides[1][0], sides[0][1] - sides[1][1]
    value = float(within[0] - elsewhere[0])
    error, degrees, _ = _jackknife(resampled, metric, within, elsewhere)
    error *= training_stretch(resampled.table, a, b)

    def ends(level: float) -> tuple[float, float] | None:
        half = float(special.stdtrit(degrees, (1 + level) / 2)) * error
        return (value - half, value + half) if half > 0 else None  # without spread it would claim certainty

    interaction, p = _estimate(value, ends, resampled.level)
    return SubgroupDifference(
        a=a, b=b, difference=difference, interaction=interaction, p_value=p if tested else None
    )


def _inside_and_outside(
    resampled: ResampledPredictions, metric: Metric, contender: str, keep: Bools
) -> tuple[Floats, Floats]:
    """Return the replicates of the metric on both sides, on the common resamples of all groups."""
    lines = resampled.table.of(contender)
    inside = resampled.values([part.take(keep[part.sample]) for part in lines], [metric.name])[metric.name]
    outside = resampled.values([part.take(~keep[part.sample]) for part in lines], [metric.name])[metric.name]
    return inside, outside


def _jackknife(
    resampled: ResampledPredictions, metric: Metric, inside: Floats, outside: Floats
) -> tuple[float, float, float]:
    """Return the standard error of inside - outside, its degrees of freedom, and the correlation of the two."""
    first, second = resampled.resamples.jackknife(inside), resampled.resamples.jackknife(outside)
    difference = first - second
    known = ~np.isnan(difference)
    if known.sum() < 3:  # two points always correlate by 1 or -1
        return math.nan, 1.0, 0.0
    degrees = degrees_of_freedom(resampled.table, metric, difference)
    correlation = 0.0
    if np.ptp(first[known]) > 1e-12 and np.ptp(second[known]) > 1e-12:
        correlation = float(np.clip(np.corrcoef(first[known], second[known])[0, 1], -1, 1))
    return math.sqrt(jackknife_variance(difference[known])), degrees, correlation


def _estimate(value: float, ends: Ends, level: float) -> tuple[Estimate, float | None]:
    span = None if math.isnan(value) else ends(level)
    if span is None or math.isnan(span[0]) or math.isnan(span[1]):
        return Estimate(value=None if math.isnan(value) else value, low=None, high=None), None
    return Estimate(value=value, low=span[0], high=span[1]), interval_p_value(ends)


def _with_holm(subgroups: Mapping[str, Subgroup]) -> dict[str, Subgroup]:
    """Return the subgroups with p-values adjusted over all of them; interactions are a family of their own."""
    tested = [
        (value, name, one.p_value)
        for value, subgroup in subgroups.items()
        for name, one in subgroup.contenders.items()
        if one.p_value is not None
    ]
    p_holm = dict(zip([(v, n) for v, n, _ in tested], holm([p for *_, p in tested]), strict=True))
    pairs = [
        (value, one.pair.p_value)
        for value, one in subgroups.items()
        if one.pair is not None and one.pair.p_value is not None
    ]
    p_pair = dict(zip([value for value, _ in pairs], holm([p for _, p in pairs]), strict=True))
    return {
        value: subgroup.model_copy(
            update={
                "contenders": {
                    name: one.model_copy(update={"p_holm": p_holm.get((value, name))})
                    for name, one in subgroup.contenders.items()
                },
                "pair": subgroup.pair and subgroup.pair.model_copy(update={"p_holm": p_pair.get(value)}),
            }
        )
        for value, subgroup in subgroups.items()
    }
