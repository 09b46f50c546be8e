"""The interval of one score at any level, by the method that the coverage study found to hold for its metric.

Why not the bootstrap's percentiles: near the end of the range and with few groups they are too short
(docs/statistics.md has the table). Wilson's form or a transformed scale, with the jackknife over groups
and a t quantile that knows how few groups carry the variance, keep their level there; the bootstrap's own
intervals stay in the details.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from headtohead.core.formatting import pluralize
from headtohead.core.records import ScoreWarning
from headtohead.stats.intervals.boundary_cases import boundary_interval
from headtohead.stats.intervals.degrees_of_freedom import (
    degrees_of_freedom,
    proportion_degrees_of_freedom,
    small_sample_warnings,
)
from headtohead.stats.intervals.resampling import (
    Resamples,
    bias_corrected,
    expanded_percentile,
    wilson,
    wilson_clustered,
)
from headtohead.stats.metrics.confusion_matrix import confusion
from headtohead.stats.metrics.ranking import ratio
from headtohead.stats.metrics.registry import Metric, predicted_labels
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = [
    "ScoreUncertainty",
    "denominator",
    "jackknife_variance",
    "score_interval",
    "score_uncertainty",
    "transformed_interval",
]

Floats = npt.NDArray[np.float64]
Ends = tuple[float, float]

_RATES = frozenset({"accuracy", "sensitivity", "specificity", "ppv", "npv"})
_BY_BOOTSTRAP = frozenset({"partial_auroc", "sensitivity_at_specificity_90", "specificity_at_sensitivity_90"})
_FEW_DEFINED = 0.8
_FEW_GROUPS = 10


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


def jackknife_variance(jack: Floats) -> float:
    """Return the jackknife variance over groups: (J - 1)/J times the sum of squares (Tukey 1958).

    >>> data = np.array([1.0, 2.0, 4.0, 9.0])
    >>> means = (data.sum() - data) / 3
    >>> round(jackknife_variance(means), 6) == round(float(data.var(ddof=1)) / 4, 6)
    True
    """
    known = jack[~np.isnan(jack)]
    if len(known) < 2:
        return math.nan
    return float((len(known) - 1) / len(known) * ((known - known.mean()) ** 2).sum())


def transformed_interval(
    value: float, error: float, degrees: float, level: float, low: float, high: float
) -> Ends:
    """Return value ± t * error, set up on the scale that suits the metric's range.

    Logit of the position between `low` and `high` where both are finite (Pepe 2003, section 5.2.3, for
    AUROC), log above a finite `low` alone, the plain scale otherwise; standard errors by the delta method.

    >>> tuple(round(end, 3) for end in transformed_interval(0.9, 0.03, 1e9, 0.95, 0.0, 1.0))
    (0.824, 0.945)
    """
    t = float(special.stdtrit(degrees, (1 + level) / 2))
    if not math.isfinite(low):
        return value - t * error, value + t * error
    if not math.isfinite(high):
        factor = math.exp(min(700.0, t * error / (value - low)))
        return low + (value - low) / factor, low + (value - low) * factor
    share = (value - low) / (high - low)
    half = t * error / (high - low) / (share * (1 - share))
    centre = math.log(share / (1 - share))
    down, up = (float(special.expit(centre + side * half)) for side in (-1, 1))
    return low + (high - low) * down, low + (high - low) * up


def score_interval(value: float, error: float, degrees: float, level: float, low: float, high: float) -> Ends:
    """Return Wilson's interval at the effective sample size p (1 - p) / error², p the place in the range.

    Where a statistic is a share of pairs or of a range, its standard error shrinks towards the ends like a
    share's does; Wilson's form asks which truths would have given the value instead of trusting the error
    at the value itself (Wilson 1927; for areas: Kottas, Kuss and Zapf 2014, BMC Med Res Methodol 14:26).

    >>> tuple(round(end, 3) for end in score_interval(0.9, 0.03, 1e9, 0.95, 0.0, 1.0))
    (0.826, 0.945)
    """
    t = float(special.stdtrit(degrees, (1 + level) / 2))
    share, spread = (value - low) / (high - low), error / (high - low)
    size = share * (1 - share) / spread**2
    down, up = wilson(share * size, size, level, z=t)
    return low + (high - low) * down, low + (high - low) * up


def score_uncertainty(
    table: PredictionTable,
    contender: str,
    metric: Metric,
    values: Floats,
    resamples: Resamples,
    thresholds: list[Floats | None] | None = None,
) -> ScoreUncertainty:
    """Return the uncertainty of one score; the value must be defined and the table hold two groups or more.

    Args:
        values: (1 + n_boot + n_jack,) replicates of the metric `metric`.
        thresholds: per repeat, where the score was taken at chosen thresholds.
    """
    value = float(values[0])
    base = metric.name if metric.of_class is None else metric.name.removesuffix(f"_{metric.of_class}")
    boot = resamples.bootstrap(values)
    known = boot[~np.isnan(boot)]
    lines = table.of(contender)[0]
    if base in _RATES and (table.binary or metric.of_class is not None or base == "accuracy"):
        return _rate(table, lines, metric, values, resamples, None if thresholds is None else thresholds[0])
    if base == "balanced_accuracy" or (base == "sensitivity" and metric.of_class is None):
        return _recalls(table, metric, table.of(contender), value, resamples, thresholds)
    if len(known) < 2 or float(np.ptp(known)) < 1e-12:
        return _fixed(table, lines, metric, base, value)
    if base in ("ece", "ace"):
        method = "cluster bootstrap over groups, percentile moved by its bias"
        found = ScoreUncertainty(value, lambda level: bias_corrected(value, known, level), method)
    else:
        found = _transformed(table, metric, base, value, known, resamples.jackknife(values))
        cut = None if thresholds is None else thresholds[0]
        found = replace(found, warnings=(*found.warnings, *_few_called(table, lines, metric, base, cut)))
    return _with_left_out(found, len(known), len(boot))


def _few_called(
    table: PredictionTable, lines: ContenderPredictions, metric: Metric, base: str, threshold: Floats | None
) -> tuple[ScoreWarning, ...]:
    """Return the warning of an F1 that rests on hardly any positive answer, as for PPV."""
    if base != "f1" or (metric.of_class is None and not table.binary):
        return ()
    _, n_groups = denominator(lines, metric, threshold, table.classes)
    return _few_in(n_groups, "with a positive answer")


def _few_in(n_groups: int, where: str) -> tuple[ScoreWarning, ...]:
    """Return the warning that few groups stand where a share is taken of, or none."""
    if n_groups >= _FEW_GROUPS:
        return ()
    return (ScoreWarning(code="few_in_denominator", text=f"only {pluralize(n_groups, 'group')} {where}"),)


def _with_left_out(found: ScoreUncertainty, known: int, total: int) -> ScoreUncertainty:
    if known == total:
        return found
    text = f"{total - known} of {total} resamples lacked a class and were left out"
    if known >= _FEW_DEFINED * total:
        return replace(found, note=text)
    warning = ScoreWarning(code="lost_resamples", text=f"not to be trusted: {text}")
    return replace(found, warnings=(*found.warnings, warning))


def _rate(
    table: PredictionTable,
    lines: ContenderPredictions,
    metric: Metric,
    values: Floats,
    resamples: Resamples,
    threshold: Floats | None,
) -> ScoreUncertainty:
    n, n_groups = denominator(lines, metric, threshold, table.classes)
    jack, value = resamples.jackknife(values), float(values[0])
    variance, degrees = jackknife_variance(jack), proportion_degrees_of_freedom(jack, n, n_groups)
    warnings = small_sample_warnings(table, metric, degrees) if degrees < n_groups - 1 else ()
    warnings = (*_few_in(n_groups, "in the denominator"), *warnings)
    return ScoreUncertainty(
        value,
        lambda level: wilson_clustered(value, max(1, n), max(1, n_groups), variance, level, degrees),
        "Wilson at the effective sample size of the groups, t quantile",
        warnings=warnings,
    )


def _recalls(
    table: PredictionTable,
    metric: Metric,
    repeats: list[ContenderPredictions],
    value: float,
    resamples: Resamples,
    thresholds: list[Floats | None] | None,
) -> ScoreUncertainty:
    """Return the margin of a mean of class recalls, from Wilson's interval of each recall.

    The spreads of independent recalls add in squares towards each end (Zou and Donner 2008); unlike a
    single standard error this holds where a class is hardly ever, or always, recognised.
    """
    k = len(table.classes)
    cuts = thresholds or [None] * len(repeats)
    weights = np.concatenate([resamples.weights[:, :1], resamples.weights[:, 1 + resamples.n_boot :]], axis=1)
    matrices = [
        confusion(lines.label, predicted_labels(lines, cut), lines.group, k, weights)
        for lines, cut in zip(repeats, cuts, strict=True)
    ]
    parts = []
    for c in range(k):
        recall = np.mean([ratio(matrix[c, c], matrix[c].sum(axis=0)) for matrix in matrices], axis=0)
        counted = repeats[0].label == c
        n, n_groups = int(counted.sum()), len(np.unique(repeats[0].group[counted]))
        degrees = proportion_degrees_of_freedom(recall[1:], n, n_groups)
        parts.append((float(recall[0]), n, n_groups, jackknife_variance(recall[1:]), degrees))

    def ends(level: float) -> Ends:
        single = [(part[0], *wilson_clustered(*part[:4], level, part[4])) for part in parts]
        down = math.sqrt(sum((r - low) ** 2 for r, low, _ in single)) / k
        up = math.sqrt(sum((high - r) ** 2 for r, _, high in single)) / k
        return max(0.0, value - down), min(1.0, value + up)

    method = (
        "Wilson of each class recall at the effective sample size of the groups, spreads added in squares"
    )
    fewest = min((d for _, _, g, _, d in parts if d < g - 1), default=math.inf)
    return ScoreUncertainty(value, ends, method, warnings=small_sample_warnings(table, metric, fewest))


def _fixed(
    table: PredictionTable, lines: ContenderPredictions, metric: Metric, base: str, value: float
) -> ScoreUncertainty:
    found = boundary_interval(table, lines, metric, base, value, 0.95)
    if found is None:
        note = f"{value:.3f} in all resamples, so that an interval is not defined"
        return ScoreUncertainty(value, lambda level: None, "none", note)  # noqa: ARG005 - no level has an interval

    def ends(level: float) -> Ends | None:
        at = boundary_interval(table, lines, metric, base, value, level)
        return None if at is None else (at[0], at[1])

    return ScoreUncertainty(value, ends, found[2], found[3])


def _transformed(
    table: PredictionTable, metric: Metric, base: str, value: float, boot: Floats, jack: Floats
) -> ScoreUncertainty:
    low, high = metric.low, metric.high
    if base == "brier":
        high = 1.0 if table.binary else 2.0
    by_bootstrap = base in _BY_BOOTSTRAP
    variance = float(boot.var(ddof=1)) if by_bootstrap else jackknife_variance(jack)
    n = table.n_groups
    if value <= low or value >= high or not variance > 0:
        method = f"cluster bootstrap over groups, expanded percentile, {len(boot)} replicates"
        return ScoreUncertainty(
            value,
            lambda level: expanded_percentile(boot, level, n),
            method,
            warnings=small_sample_warnings(table, metric, 1.0),
        )
    degrees, error = degrees_of_freedom(table, metric, jack), math.sqrt(variance)
    form, words = _form(metric, low, high)
    source = f"cluster bootstrap ({len(boot)} replicates)" if by_bootstrap else "jackknife"
    return ScoreUncertainty(
        value,
        lambda level: form(value, error, degrees, level, low, high),
        f"{source} over groups, {words}",
        warnings=small_sample_warnings(table, metric, degrees),
    )


def _form(metric: Metric, low: float, high: float) -> tuple[Callable[..., Ends], str]:
    """Return the interval's form: Wilson's for ranks and counts, a transformed scale for curves and losses."""
    if metric.kind in ("rank", "counts"):
        return score_interval, "Wilson's form at the effective sample size, t quantile"
    scale = "logit" if math.isfinite(high) else "log" if math.isfinite(low) else "plain"
    return transformed_interval, f"t interval on the {scale} scale"


def denominator(
    lines: ContenderPredictions, metric: Metric, threshold: Floats | None, classes: tuple[str, ...]
) -> tuple[int, int]:
    """Return how many lines, and how many groups, the rate (or F1) `metric` is a share of."""
    which = 1 if metric.of_class is None else list(classes).index(metric.of_class)
    base = metric.name if metric.of_class is None else metric.name.removesuffix(f"_{metric.of_class}")
    called = predicted_labels(lines, threshold)
    counted = {
        "accuracy": np.ones(len(called), dtype=bool),
        "sensitivity": lines.label == which,
        "specificity": lines.label != which,
        "ppv": called == which,
        "f1": called == which,  # where nothing is called positive, F1 is as undefined as PPV
        "npv": called != which,
    }[base]
    return int(counted.sum()), len(np.unique(lines.group[counted]))
