"""Paired difference of two contenders, with an interval that keeps nominal coverage near 0 and 1.

Two intervals are formed: MOVER's, from those of the two scores, which knows about skewness and the ends
of the range; and the jackknife's t interval of the difference itself. The wider end counts on each side:
in the coverage study each alone says "better" or "equivalent" too often somewhere (MOVER of two nearly
perfect contenders, the t interval beside a perfect one). Where models of several training samples made the
predictions, both carry the variance of the training sample too (`intervals/training_variance.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from headtohead.core.records import ScoreWarning
from headtohead.stats.hypothesis.multiplicity import fixed_first, holm
from headtohead.stats.intervals.degrees_of_freedom import degrees_of_freedom, small_sample_warnings
from headtohead.stats.intervals.inversion import equivalence_p_value, interval_p_value
from headtohead.stats.intervals.resampling import Resamples
from headtohead.stats.intervals.score import why_undefined
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.intervals.score_uncertainty import ScoreUncertainty, score_uncertainty
from headtohead.stats.intervals.training_variance import training_stretch
from headtohead.stats.metrics.metric import IntervalMethod, Metric
from headtohead.stats.predictions import PredictionTable

__all__ = [
    "Difference",
    "mover_interval",
    "paired_differences",
    "rarer_class_groups",
    "untested_differences",
]

Floats = npt.NDArray[np.float64]
Endpoints = tuple[float, float]
Interval = Callable[[float], Endpoints | None]

# Methods of metrics with bins, or read off one point of a curve.
_NOT_SMOOTH: frozenset[IntervalMethod] = frozenset({"transformed_bootstrap", "bias_corrected"})
# Ends beyond this (a log loss at a level of 1 - 1e-12 with few degrees of freedom) are scaled before they are squared.
_LARGEST_SQUARED = 1e150


@dataclass(frozen=True, slots=True)
class Difference:
    """The paired difference a - b of one metric.

    Attributes:
        value, low, high: None where it is not defined.
        inner: the (1 - 2 alpha) interval, for equivalence.
        p, p_adjusted: at which the interval just touches 0, before and after adjustment.
        p_equivalent, p_equivalent_adjusted: of two one-sided tests, likewise; 1 where no margin was given.
        favours: the contender that the sign favours, None at exactly 0.
        stretch: by which factor the training sample lengthens the standard error; 1 for models as fitted.
        degrees: effective degrees of freedom of the difference.
    """

    a: str
    b: str
    value: float | None
    low: float | None
    high: float | None
    inner: Endpoints | None
    p: float
    p_adjusted: float
    favours: str | None
    method: str
    note: str
    warnings: tuple[ScoreWarning, ...] = ()
    stretch: float = 1.0
    degrees: float = 0.0
    p_equivalent: float = 1.0
    p_equivalent_adjusted: float = 1.0


def rarer_class_groups(table: PredictionTable) -> int:
    """Return the number of groups that hold the class found in the fewest groups."""
    return min(table.groups_with(c) for c in range(len(table.classes)))


def mover_interval(a: float, ends_a: Endpoints, b: float, ends_b: Endpoints, correlation: float) -> Endpoints:
    """Return the interval of a - b from those of a and b and the correlation of the two estimates.

    The method of variance estimates recovery (Zou and Donner 2008, Stat Med 27:1693; Zou 2007 with
    correlation; Newcombe's method 10 is its case for proportions): each end takes the spread that the
    single intervals show towards it, so that skewness and bounds of the range carry over.

    >>> tuple(round(end, 3) for end in mover_interval(0.8, (0.6918, 0.8772), 0.6, (0.4905, 0.7004), 0.0))
    (0.052, 0.334)
    """
    down, up = a - ends_a[0], ends_a[1] - a
    other_down, other_up = b - ends_b[0], ends_b[1] - b
    low, high = _third_side(down, other_up, correlation), _third_side(up, other_down, correlation)
    return a - b - low, a - b + high


def _third_side(first: float, second: float, correlation: float) -> float:
    """Return sqrt(first² - 2 r first second + second²), also where a square would overflow."""
    scale = max(first, second)
    if not scale > _LARGEST_SQUARED:
        return math.sqrt(max(0.0, first**2 - 2 * correlation * first * second + second**2))
    x, y = first / scale, second / scale
    return scale * math.sqrt(max(0.0, x**2 - 2 * correlation * x * y + y**2))


def paired_differences(
    table: PredictionTable,
    pairs: Sequence[tuple[str, str]],
    metric: Metric,
    replicates: Mapping[str, Floats],
    resamples: Resamples,
    level: float,
    *,
    rope: float | None = None,
    first_alone: bool = False,
) -> list[Difference]:
    """Return the difference of each pair, its p-values adjusted over the pairs given.

    Args:
        replicates: by contender, (1 + n_boot + n_jack,) values of the metric on common weights.
        rope: half-width of the margin of equivalence, or None.
        first_alone: whether the first pair was named beforehand: it is then tested at the full level and the others
            by Holm only if it is shown (see `fixed_first`).
    """
    tested = []
    for difference, interval in _with_intervals(table, pairs, metric, replicates, resamples, level):
        if interval is None:
            tested.append(difference)
            continue
        p_equivalent = 1.0 if rope is None else equivalence_p_value(interval, rope)
        inner = interval(2 * level - 1)
        tested.append(
            replace(difference, p=interval_p_value(interval), p_equivalent=p_equivalent, inner=inner)
        )
    adjust = fixed_first if first_alone else holm
    adjusted = adjust([difference.p for difference in tested])
    equivalent = adjust([difference.p_equivalent for difference in tested])
    return [
        replace(difference, p_adjusted=p, p_equivalent_adjusted=q)
        for difference, p, q in zip(tested, adjusted, equivalent, strict=True)
    ]


def untested_differences(
    table: PredictionTable,
    pairs: Sequence[tuple[str, str]],
    metric: Metric,
    replicates: Mapping[str, Floats],
    resamples: Resamples,
    level: float,
) -> list[Difference]:
    """Return the difference of each pair with its interval as in `paired_differences`, but no p-value (1 stands there).

    Args:
        replicates: by contender, (1 + n_boot + n_jack,) values of the metric on common weights.
    """
    found = _with_intervals(table, pairs, metric, replicates, resamples, level)
    return [difference for difference, _ in found]


def _with_intervals(
    table: PredictionTable,
    pairs: Sequence[tuple[str, str]],
    metric: Metric,
    replicates: Mapping[str, Floats],
    resamples: Resamples,
    level: float,
) -> list[tuple[Difference, Interval | None]]:
    """Return each pair's difference, with its interval at any level where it is defined."""
    names = dict.fromkeys(name for pair in pairs for name in pair)
    uncertainties = {
        name: score_uncertainty(table, name, metric, replicates[name], resamples)
        for name in names
        if table.n_groups > 1 and not np.isnan(replicates[name][0])
    }
    found: list[tuple[Difference, Interval | None]] = []
    for a, b in pairs:
        if a in uncertainties and b in uncertainties:
            pairing = _pairing(a, b, replicates, resamples, table, metric)
            found.append(_difference(a, b, metric, uncertainties, pairing, level))
        else:
            missing = a if a not in uncertainties else b
            found.append((_undefined(a, b, _why_undefined(missing, replicates, table, metric)), None))
    return found


@dataclass(frozen=True, slots=True)
class _Pairing:
    """Correlation of two estimates, standard error of their difference and its degrees of freedom."""

    correlation: float
    error: float
    degrees: float
    warnings: tuple[ScoreWarning, ...] = ()
    stretch: float = 1.0
    source: str = "jackknife"


def _pairing(
    a: str,
    b: str,
    replicates: Mapping[str, Floats],
    resamples: Resamples,
    table: PredictionTable,
    metric: Metric,
) -> _Pairing:
    """Return the correlation of two estimates and more; correlation 0 where one does not vary.

    From the jackknife, and from the paired bootstrap for a metric that is not smooth, whose jackknife variance is not
    consistent (Efron and Tibshirani 1993, section 10.6).
    """
    jack = resamples.jackknife(replicates[a]), resamples.jackknife(replicates[b])
    degrees = degrees_of_freedom(table, metric, jack[0] - jack[1])
    smooth = metric.interval_of(len(table.classes)) not in _NOT_SMOOTH
    first, second = (
        jack if smooth else (resamples.bootstrap(replicates[a]), resamples.bootstrap(replicates[b]))
    )
    known = ~(np.isnan(first) | np.isnan(second))
    if known.sum() < 3:  # two points always correlate by 1 or -1
        return _Pairing(0.0, 0.0, degrees)
    stretch, gaps = training_stretch(table, a, b), first[known] - second[known]
    error = stretch * math.sqrt(jackknife_variance(gaps) if smooth else float(gaps.var(ddof=1)))
    warnings = small_sample_warnings(table, metric, degrees) if error > 0 else ()
    source = "jackknife" if smooth else "cluster bootstrap"
    if np.ptp(first[known]) < 1e-12 or np.ptp(second[known]) < 1e-12:
        return _Pairing(0.0, error, degrees, warnings, stretch, source)
    correlation = float(np.clip(np.corrcoef(first[known], second[known])[0, 1], -1, 1))
    return _Pairing(correlation, error, degrees, warnings, stretch, source)


def _difference(
    a: str,
    b: str,
    metric: Metric,
    uncertainties: Mapping[str, ScoreUncertainty],
    pairing: _Pairing,
    level: float,
) -> tuple[Difference, Interval | None]:
    first, second = uncertainties[a], uncertainties[b]

    def interval(at: float) -> Endpoints | None:
        ends = first.ends(at), second.ends(at)
        if ends[0] is None or ends[1] is None:
            return None
        half = float(special.stdtrit(pairing.degrees, (1 + at) / 2)) * pairing.error
        difference = first.value - second.value
        if pairing.stretch > 1 and pairing.error > 0:
            # Of learners, MOVER holds no level that the t interval does not hold, at a third of the power.
            return difference - half, difference + half
        recovered = mover_interval(first.value, ends[0], second.value, ends[1], pairing.correlation)
        return min(recovered[0], difference - half), max(recovered[1], difference + half)

    outer = interval(level)
    if outer is None:
        return _undefined(a, b, "; ".join(filter(None, [first.note, second.note]))), None
    value = first.value - second.value
    favours = None if value == 0 else (a if value * metric.sign > 0 else b)
    if pairing.stretch > 1 and pairing.error > 0:
        method = f"paired, {pairing.source} over groups with the variance of the training sample, t interval"
    else:
        method = f"paired, the wider of MOVER on both intervals and the {pairing.source}'s t interval; {first.method}"
    note = "; ".join(dict.fromkeys(filter(None, [first.note, second.note])))
    # The difference has its own degrees of freedom, which `pairing` warns of.
    others = (
        w for w in (*first.warnings, *second.warnings) if w.code not in {"few_degrees", "few_class_groups"}
    )
    warnings = tuple(dict.fromkeys((*pairing.warnings, *others)))
    difference = Difference(
        a, b, value, *outer, None, 1.0, 1.0, favours, method, note, warnings, pairing.stretch, pairing.degrees
    )
    return difference, interval


def _why_undefined(
    name: str, replicates: Mapping[str, Floats], table: PredictionTable, metric: Metric
) -> str:
    if np.isnan(replicates[name][0]):
        return f"{metric.title} of {name} is not defined ({why_undefined(table, metric, name)})"
    return f"one group says nothing about others, so {metric.title} of {name} has no interval"


def _undefined(a: str, b: str, note: str) -> Difference:
    return Difference(a, b, None, None, None, None, 1.0, 1.0, None, "none", note)
