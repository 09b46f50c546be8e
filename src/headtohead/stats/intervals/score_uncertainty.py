"""The interval of one score at any level, by the method that the coverage study found to hold for its metric.

Why not the bootstrap's percentiles: near the end of the range and with few groups they are too short
(docs/statistics.md has the table). Wilson's form or a transformed scale, with the jackknife over groups
and a t quantile that knows how few groups carry the variance, keep their level there; the bootstrap's own
intervals stay in the details.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UndefinedMetricError
from headtohead.core.formatting import pluralize
from headtohead.core.records import ScoreWarning
from headtohead.stats.intervals.boundary_cases import boundary_interval
from headtohead.stats.intervals.class_recalls import class_recalls, mean_recall_interval
from headtohead.stats.intervals.degrees_of_freedom import (
    degrees_of_freedom,
    proportion_degrees_of_freedom,
    small_sample_warnings,
)
from headtohead.stats.intervals.resampling import (
    Resamples,
    bias_corrected,
    expanded_percentile,
    wilson_clustered,
)
from headtohead.stats.intervals.score_interval import (
    jackknife_variance,
    score_interval,
    transformed_interval,
)
from headtohead.stats.intervals.training_variance import training_stretch
from headtohead.stats.metrics.confusion_matrix import predicted_labels
from headtohead.stats.metrics.metric import IntervalMethod, Metric
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = ["INTERVALS", "ScoreUncertainty", "denominator", "score_uncertainty"]

Floats = npt.NDArray[np.float64]
Ends = tuple[float, float]

# Where more than a fifth of the resamples lack a class, the others are no sample of the distribution.
_FEW_DEFINED = 0.8
# See `degrees_of_freedom`: below this the coverage study finds short intervals.
_FEW_GROUPS = 10
# Replicates within this range are one number but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class ScoreUncertainty:
    """A score's uncertainty.

    Attributes:
        value: the score. ends: (low, high) at a level, or None where there is no interval.
        method: in words. note: what to know about it.
        warnings: why the interval may be too narrow.
    """

    value: float
    ends: Callable[[float], Ends | None]
    method: str
    note: str = ""
    warnings: tuple[ScoreWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scored:
    """One score with what its interval is formed from."""

    table: PredictionTable
    repeats: list[ContenderPredictions]
    metric: Metric
    values: Floats
    resamples: Resamples
    thresholds: Sequence[Floats | None] | None
    stretch: float = 1.0

    @property
    def value(self) -> float:
        return float(self.values[0])

    @property
    def method(self) -> IntervalMethod:
        return self.metric.interval_of(len(self.table.classes))

    @property
    def boot(self) -> Floats:
        """The bootstrap replicates that are defined."""
        boot = self.resamples.bootstrap(self.values)
        return boot[~np.isnan(boot)]

    @property
    def jack(self) -> Floats:
        return self.resamples.jackknife(self.values)

    def warn(self, degrees: float) -> tuple[ScoreWarning, ...]:
        return small_sample_warnings(self.table, self.metric, degrees)

    def denominator(self) -> tuple[int, int]:
        """Return (lines, groups) in the denominator of the first repeat."""
        threshold = None if self.thresholds is None else self.thresholds[0]
        return denominator(self.repeats[0], self.metric, threshold, self.table.classes)


def score_uncertainty(
    table: PredictionTable,
    contender: str,
    metric: Metric,
    values: Floats,
    resamples: Resamples,
    thresholds: Sequence[Floats | None] | None = None,
) -> ScoreUncertainty:
    """Return the uncertainty of one score; the value must be defined and the table hold two groups or more.

    Args:
        values: (1 + n_boot + n_jack,) replicates of the metric.
        thresholds: per repeat, where the score was taken at chosen thresholds.
    """
    stretch = training_stretch(table, contender)
    values = _with_training(table, metric, values, resamples, stretch)
    score = _Scored(table, table.of(contender), metric, values, resamples, thresholds, stretch)
    form = INTERVALS[score.method]
    if score.method in _FORMED_WITHOUT_VARIATION:
        return form(score)
    n_defined = len(score.boot)
    if n_defined < 2 or float(np.ptp(score.boot)) < _ROUNDING:
        return _without_variation(score)
    return _with_left_out(form(score), n_defined, resamples.n_boot)


def _with_training(
    table: PredictionTable, metric: Metric, values: Floats, resamples: Resamples, stretch: float
) -> Floats:
    """Return the replicates, their deviations multiplied by `stretch` so that they spread as those of learners."""
    if stretch == 1.0:
        return values
    stretched = np.asarray(values[0] + stretch * (values - values[0]))
    stretched[1 : 1 + resamples.n_boot] = np.clip(  # the jackknife's serve as deviations alone
        stretched[1 : 1 + resamples.n_boot], metric.low, metric.upper_end(len(table.classes))
    )
    return stretched


def _with_left_out(uncertainty: ScoreUncertainty, defined: int, total: int) -> ScoreUncertainty:
    if defined == total:
        return uncertainty
    text = f"{total - defined} of {total} resamples lacked a class and were left out"
    if defined >= _FEW_DEFINED * total:
        return replace(uncertainty, note=text)
    warning = ScoreWarning(code="lost_resamples", text=f"not to be trusted: {text}")
    return replace(uncertainty, warnings=(*uncertainty.warnings, warning))


def _few_in_denominator(score: _Scored) -> tuple[ScoreWarning, ...]:
    """Return the warning that few groups stand where a share is taken of, or none."""
    of_what = score.metric.denominator
    if of_what is None or score.metric.is_mean(len(score.table.classes)):
        return ()
    _, n_groups = score.denominator()
    if n_groups >= _FEW_GROUPS:
        return ()
    text = f"only {pluralize(n_groups, 'group')} {of_what.words}"
    return (ScoreWarning(code="few_in_denominator", text=text),)


def _clustered_wilson(score: _Scored) -> ScoreUncertainty:
    """Return Wilson's interval of a share at the effective sample size of the groups."""
    n, n_groups = score.denominator()
    variance, degrees = jackknife_variance(score.jack), proportion_degrees_of_freedom(score.jack, n, n_groups)
    warnings = score.warn(degrees) if degrees < n_groups - 1 else ()  # else few_in_denominator says it
    return ScoreUncertainty(
        score.value,
        lambda level: wilson_clustered(score.value, max(1, n), max(1, n_groups), variance, level, degrees),
        "Wilson at the effective sample size of the groups, t quantile",
        warnings=(*_few_in_denominator(score), *warnings),
    )


def _class_recalls(score: _Scored) -> ScoreUncertainty:
    """Return the interval of a mean of class recalls."""
    recalls = class_recalls(
        score.repeats, len(score.table.classes), score.resamples, score.thresholds,
        inflation=score.stretch**2,
    )  # fmt: skip
    method = (
        "Wilson of each class recall at the effective sample size of the groups, spreads added in squares"
    )
    fewest = min((r.degrees for r in recalls if r.degrees < r.n_groups - 1), default=math.inf)
    return ScoreUncertainty(
        score.value,
        lambda level: mean_recall_interval(score.value, recalls, level),
        method,
        warnings=score.warn(fewest),
    )


def _without_variation(score: _Scored) -> ScoreUncertainty:
    table, lines, metric, value = score.table, score.repeats[0], score.metric, score.value
    bound = boundary_interval(table, lines, metric, value, 0.95)  # whether there is one depends on no level
    if bound is None:
        note = f"{value:.3f} in all resamples, so that an interval is not defined"
        return ScoreUncertainty(value, lambda level: None, "none", note)  # noqa: ARG005 - no level has an interval

    def ends(level: float) -> Ends | None:
        at_level = boundary_interval(table, lines, metric, value, level)
        return None if at_level is None else (at_level.low, at_level.high)

    return ScoreUncertainty(value, ends, bound.method, bound.note)


def _bias_corrected(score: _Scored) -> ScoreUncertainty:
    value, boot = score.value, score.boot
    method = "cluster bootstrap over groups, percentile moved by its bias"
    return ScoreUncertainty(value, lambda level: bias_corrected(value, boot, level), method)


def _wilson_form(score: _Scored) -> ScoreUncertainty:
    words = "Wilson's form at the effective sample size, t quantile"
    return _from_variance(score, jackknife_variance(score.jack), "jackknife", score_interval, words)


def _transformed(score: _Scored) -> ScoreUncertainty:
    return _from_variance(
        score, jackknife_variance(score.jack), "jackknife", transformed_interval, _scale_words(score)
    )


def _transformed_bootstrap(score: _Scored) -> ScoreUncertainty:
    """Return the interval of a metric that is not smooth, whose jackknife variance is not consistent."""
    source = f"cluster bootstrap ({len(score.boot)} replicates)"
    variance = float(score.boot.var(ddof=1))
    return _from_variance(score, variance, source, transformed_interval, _scale_words(score))


def _scale_words(score: _Scored) -> str:
    high = score.metric.upper_end(len(score.table.classes))
    scale = "logit" if math.isfinite(high) else "log" if math.isfinite(score.metric.low) else "plain"
    return f"t interval on the {scale} scale"


def _from_variance(
    score: _Scored, variance: float, source: str, form: Callable[..., Ends], words: str
) -> ScoreUncertainty:
    value, low, high = score.value, score.metric.low, score.metric.upper_end(len(score.table.classes))
    few = _few_in_denominator(score)
    if value <= low or value >= high or not variance > 0:  # neither logit nor effective size at an end
        boot, n = score.boot, score.table.n_groups
        method = f"cluster bootstrap over groups, expanded percentile, {len(boot)} replicates"
        return ScoreUncertainty(
            value,
            lambda level: expanded_percentile(boot, level, n),
            method,
            warnings=(*score.warn(1.0), *few),
        )
    degrees, error = degrees_of_freedom(score.table, score.metric, score.jack), math.sqrt(variance)
    return ScoreUncertainty(
        value,
        lambda level: form(value, error, degrees, level, low, high),
        f"{source} over groups, {words}",
        warnings=(*score.warn(degrees), *few),
    )


INTERVALS: dict[IntervalMethod, Callable[[_Scored], ScoreUncertainty]] = {
    "clustered_wilson": _clustered_wilson,
    "class_recalls": _class_recalls,
    "wilson_form": _wilson_form,
    "transformed": _transformed,
    "transformed_bootstrap": _transformed_bootstrap,
    "bias_corrected": _bias_corrected,
}
# Wilson's interval of a share needs no variation of the replicates.
_FORMED_WITHOUT_VARIATION = frozenset({"clustered_wilson", "class_recalls"})


def denominator(
    lines: ContenderPredictions, metric: Metric, threshold: Floats | None, classes: tuple[str, ...]
) -> tuple[int, int]:
    """Return how many lines, and how many groups, the share (or F1) is taken of.

    Raises:
        UndefinedMetricError: the metric is no share.
    """
    if metric.denominator is None:
        raise UndefinedMetricError(f"{metric.title} is not a share, so it has no denominator.")
    positive = 1 if metric.of_class is None else classes.index(metric.of_class)
    counted = metric.denominator.counted(lines.label, predicted_labels(lines, threshold), positive)
    return int(counted.sum()), len(np.unique(lines.group[counted]))
