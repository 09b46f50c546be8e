"""The interval of one score at any level, by the method that the coverage study found to hold for its metric.

Why not the bootstrap's percentiles: near the end of the range and with few groups they are too short
(docs/statistics.md has the table). The interval on a transformed scale, with the jackknife over groups
and a t quantile, keeps its level there; the bootstrap's own intervals stay in the details.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from headtohead.evaluate.counts import confusion
from headtohead.evaluate.degenerate import degenerate_interval
from headtohead.evaluate.intervals import Resamples, centred, expanded, wilson_clustered
from headtohead.evaluate.metrics import Metric, predicted
from headtohead.evaluate.table import Lines, Table
from headtohead.evaluate.weighted import ratio

__all__ = ["Margin", "degrees_of", "denominator", "jackknife_variance", "margin_of", "transformed_interval"]

Floats = npt.NDArray[np.float64]
Ends = tuple[float, float]

_RATES = frozenset({"accuracy", "sensitivity", "specificity", "ppv", "npv"})
_BY_BOOTSTRAP = frozenset({"partial_auroc", "sensitivity_at_specificity_90", "specificity_at_sensitivity_90"})
_FEW_DEFINED = 0.8
_LEANING = 0.3


@dataclass(frozen=True, slots=True)
class Margin:
    """A score's uncertainty.

    Attributes:
        value: the score. ends: (low, high) at a level, or None where there is no interval.
        method: in words. note: what to know about it.
    """

    value: float
    ends: Callable[[float], Ends | None]
    method: str
    note: str = ""


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


def margin_of(
    table: Table,
    contender: str,
    row: Metric,
    values: Floats,
    resamples: Resamples,
    thresholds: list[Floats | None] | None = None,
) -> Margin:
    """Return the uncertainty of one score; the value must be defined and the table hold two groups or more.

    Args:
        values: (1 + n_boot + n_jack,) replicates of the metric `row`.
        thresholds: per repeat, where the score was taken at chosen thresholds.
    """
    value = float(values[0])
    base = row.name if row.of_class is None else row.name.removesuffix(f"_{row.of_class}")
    boot = resamples.boot(values)
    known = boot[~np.isnan(boot)]
    lines = table.of(contender)[0]
    if base in _RATES and (table.binary or row.of_class is not None or base == "accuracy"):
        return _rate(table, lines, row, values, resamples, None if thresholds is None else thresholds[0])
    if base == "balanced_accuracy" or (base == "sensitivity" and row.of_class is None):
        return _recalls(table, table.of(contender), value, resamples, thresholds)
    if len(known) < 2 or float(np.ptp(known)) < 1e-12:
        return _fixed(table, lines, row, base, value)
    note = _left_out(len(known), len(boot))
    if base in ("ece", "ace"):
        method = "cluster bootstrap over groups, percentile moved by its bias"
        return Margin(value, lambda level: centred(value, known, level), method, note)
    degrees = degrees_of(table, row, resamples.jack(values))
    return _transformed(table, row, base, value, known, resamples.jack(values), note, degrees)


def _left_out(known: int, total: int) -> str:
    if known == total:
        return ""
    warning = "not to be trusted: " if known < _FEW_DEFINED * total else ""
    return f"{warning}{total - known} of {total} resamples lacked a class and were left out"


def _rate(
    table: Table, lines: Lines, row: Metric, values: Floats, resamples: Resamples, threshold: Floats | None
) -> Margin:
    n, n_groups = denominator(lines, row, threshold, table.classes)
    variance = jackknife_variance(resamples.jack(values))
    value = float(values[0])
    note = "" if n_groups >= 10 else f"only {n_groups} groups in the denominator"
    method = "Wilson at the effective sample size of the groups, t quantile"
    return Margin(
        value,
        lambda level: wilson_clustered(value, max(1, n), max(1, n_groups), variance, level),
        method,
        note,
    )


def _recalls(
    table: Table,
    repeats: list[Lines],
    value: float,
    resamples: Resamples,
    thresholds: list[Floats | None] | None,
) -> Margin:
    """Return the margin of a mean of class recalls, from Wilson's interval of each recall.

    The spreads of independent recalls add in squares towards each end (Zou and Donner 2008); unlike a
    single standard error this holds where a class is hardly ever, or always, recognised.
    """
    k = len(table.classes)
    cuts = thresholds or [None] * len(repeats)
    weights = np.concatenate([resamples.weights[:, :1], resamples.weights[:, 1 + resamples.n_boot :]], axis=1)
    matrices = [
        confusion(lines.label, predicted(lines, cut), lines.group, k, weights)
        for lines, cut in zip(repeats, cuts, strict=True)
    ]
    parts = []
    for c in range(k):
        recall = np.mean([ratio(matrix[c, c], matrix[c].sum(axis=0)) for matrix in matrices], axis=0)
        counted = repeats[0].label == c
        n, n_groups = int(counted.sum()), len(np.unique(repeats[0].group[counted]))
        parts.append((float(recall[0]), n, n_groups, jackknife_variance(recall[1:])))

    def ends(level: float) -> Ends:
        single = [(r, *wilson_clustered(r, n, g, variance, level)) for r, n, g, variance in parts]
        down = math.sqrt(sum((r - low) ** 2 for r, low, _ in single)) / k
        up = math.sqrt(sum((high - r) ** 2 for r, _, high in single)) / k
        return max(0.0, value - down), min(1.0, value + up)

    method = (
        "Wilson of each class recall at the effective sample size of the groups, spreads added in squares"
    )
    return Margin(value, ends, method)


def degrees_of(table: Table, row: Metric, jack: Floats) -> float:
    """Return the degrees of freedom of a jackknife variance, by Welch and Satterthwaite.

    Where a metric sets classes against each other, its variance is a sum over the groups that hold the
    rarest class and the others; few of the former leave few degrees of freedom, however many there are
    of the latter (Satterthwaite 1946, Biometrics Bull 2:110). Blocks of groups take the rarest class's
    groups less one.
    """
    if row.kind not in ("rank", "curve") and row.name not in ("f1", "mcc", "kappa"):
        return table.n_groups - 1
    rarest = min(range(len(table.classes)), key=table.groups_with)
    holders = np.unique(table.sample_group[table.sample_label == rarest])
    if len(jack) != table.n_groups or np.isnan(jack).any():
        return max(1, len(holders) - 1)
    rare = np.isin(np.arange(table.n_groups), holders)
    squares = (jack - jack.mean()) ** 2
    total, parts = (
        float(squares.sum()),
        ((float(squares[side].sum()), int(side.sum())) for side in (rare, ~rare)),
    )
    below = sum(part**2 / max(1, n - 1) for part, n in parts if n)
    return max(1.0, total**2 / below) if below > 0 else table.n_groups - 1


def _fixed(table: Table, lines: Lines, row: Metric, base: str, value: float) -> Margin:
    found = degenerate_interval(table, lines, row, base, value, 0.95)
    if found is None:
        note = f"{value:.3f} in all resamples, so that an interval is not defined"
        return Margin(value, lambda level: None, "none", note)  # noqa: ARG005 - no level has an interval

    def ends(level: float) -> Ends | None:
        at = degenerate_interval(table, lines, row, base, value, level)
        return None if at is None else (at[0], at[1])

    return Margin(value, ends, found[2], found[3])


def _transformed(
    table: Table, row: Metric, base: str, value: float, boot: Floats, jack: Floats, note: str, degrees: float
) -> Margin:
    low, high = row.low, row.high
    if base == "brier":
        high = 1.0 if table.binary else 2.0
    edge = value <= low or value >= high
    by_bootstrap = base in _BY_BOOTSTRAP
    variance = float(boot.var(ddof=1)) if by_bootstrap else jackknife_variance(jack)
    n = table.n_groups
    if edge or not variance > 0:
        method = f"cluster bootstrap over groups, expanded percentile, {len(boot)} replicates"
        return Margin(value, lambda level: expanded(boot, level, n), method, note)
    if row.kind == "probability":
        note = "; ".join(filter(None, [note, _leaning(jack)]))
    scale = "logit" if math.isfinite(high) else "log" if math.isfinite(low) else "plain"
    source = f"cluster bootstrap ({len(boot)} replicates)" if by_bootstrap else "jackknife"
    error = math.sqrt(variance)
    return Margin(
        value,
        lambda level: transformed_interval(value, error, degrees, level, low, high),
        f"{source} over groups, t interval on the {scale} scale",
        note,
    )


def _leaning(jack: Floats) -> str:
    """Return a warning where a single group (or block) makes up most of the variance.

    Then the variance itself is hardly known: in the coverage study such intervals of Brier score and log
    loss (few errors, each of them large) cover 80 to 90 % instead of 95 %. Ranks are spared: there no
    single group can weigh that much without the interval of AUROC knowing it.
    """
    known = jack[~np.isnan(jack)]
    squares = (known - known.mean()) ** 2
    share = float(squares.max() / squares.sum())
    if share < _LEANING:
        return ""
    return f"one group makes up {100 * share:.0f} % of the variance: the interval is likely too short"


def denominator(
    lines: Lines, row: Metric, threshold: Floats | None, classes: tuple[str, ...]
) -> tuple[int, int]:
    """Return how many lines, and how many groups, the rate `row` is a share of."""
    which = 1 if row.of_class is None else list(classes).index(row.of_class)
    base = row.name if row.of_class is None else row.name.removesuffix(f"_{row.of_class}")
    called = predicted(lines, threshold)
    counted = {
        "accuracy": np.ones(len(called), dtype=bool),
        "sensitivity": lines.label == which,
        "specificity": lines.label != which,
        "ppv": called == which,
        "npv": called != which,
    }[base]
    return int(counted.sum()), len(np.unique(lines.group[counted]))
