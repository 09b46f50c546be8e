"""From replicates to scores: which interval a metric gets, and what happens where it degenerates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Score
from headtohead.evaluate.degenerate import degenerate_interval
from headtohead.evaluate.intervals import Resamples, bca, centred, expanded, percentile, wilson_clustered
from headtohead.evaluate.metrics import Metric, predicted
from headtohead.evaluate.table import Lines, Table

__all__ = ["Interval", "denominator", "jackknife_variance", "make_score", "plain_interval"]

Floats = npt.NDArray[np.float64]

_RATES = {"accuracy", "sensitivity", "specificity", "ppv", "npv"}
_FEW_DEFINED = 0.8


@dataclass(frozen=True, slots=True)
class Interval:
    """Two ends, how they were had, and what to know about them."""

    low: float
    high: float
    method: str
    note: str = ""


def jackknife_variance(jack: Floats) -> float:
    """Return the jackknife variance over groups: (J - 1)/J times the sum of squares (Tukey 1958)."""
    known = jack[~np.isnan(jack)]
    if len(known) < 2:
        return float("nan")
    return float((len(known) - 1) / len(known) * ((known - known.mean()) ** 2).sum())


def plain_interval(values: Floats, resamples: Resamples, level: float, n_groups: int, kind: str) -> Interval:
    """Return the bootstrap interval of one statistic from its replicates.

    Args:
        values: (1 + n_boot + n_jack,) as `Resamples` orders them; undefined replicates are NaN and
            left out, which the note says.
        kind: "percentile", "expanded" or "bca".
    """
    boot = resamples.boot(values)
    known = boot[~np.isnan(boot)]
    note = ""
    if len(known) < len(boot):
        note = f"{len(boot) - len(known)} of {len(boot)} resamples lacked a class and were left out"
    n_boot = f"{len(known)} replicates"
    if kind == "bca":
        low, high = bca(float(values[0]), known, resamples.jack(values), level)
        return Interval(low, high, f"cluster bootstrap over groups, BCa, {n_boot}", note)
    if kind == "expanded":
        low, high = expanded(known, level, n_groups)
        return Interval(low, high, f"cluster bootstrap over groups, expanded percentile, {n_boot}", note)
    low, high = percentile(known, level)
    return Interval(low, high, f"cluster bootstrap over groups, percentile, {n_boot}", note)


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


def make_score(
    table: Table,
    contender: str,
    row: Metric,
    values: Floats,
    resamples: Resamples,
    level: float,
    thresholds: list[Floats | None] | None = None,
) -> Score:
    """Return one score with its interval.

    Rates (accuracy, sensitivity, specificity, PPV, NPV) get Wilson's interval at the effective
    sample size; everything else the cluster bootstrap. Degenerate cases: see `degenerate`.
    """
    given: dict[str, Any] = {"n_samples": table.n_samples, "n_groups": table.n_groups, "level": level}
    value = float(values[0])
    if np.isnan(value):
        return Score(contender=contender, metric=row.name, value=None, low=None, high=None, method="none",
                     note=_why_undefined(table, row), **given)  # fmt: skip
    if table.n_groups < 2:
        note = f"{value:.3f} on one group; one group says nothing about others, so there is no interval"
        return Score(contender=contender, metric=row.name, value=None, low=None, high=None, method="none",
                     note=note, **given)  # fmt: skip
    interval = _interval(table, contender, row, values, resamples, level, thresholds)
    if interval is None:
        note = f"{value:.3f} in all resamples, so that an interval is not defined"
        return Score(contender=contender, metric=row.name, value=None, low=None, high=None, method="none",
                     note=note, **given)  # fmt: skip
    note = interval.note
    if table.n_groups < 10:
        note = "; ".join(filter(None, [note, f"only {table.n_groups} groups: the interval is too short"]))
    return Score(contender=contender, metric=row.name, value=value, low=min(interval.low, value),
                 high=max(interval.high, value), method=interval.method, note=note, **given)  # fmt: skip


def _interval(
    table: Table,
    contender: str,
    row: Metric,
    values: Floats,
    resamples: Resamples,
    level: float,
    thresholds: list[Floats | None] | None,
) -> Interval | None:
    boot = resamples.boot(values)
    known = boot[~np.isnan(boot)]
    base = row.name if row.of_class is None else row.name.removesuffix(f"_{row.of_class}")
    first = table.of(contender)[0]
    threshold = None if thresholds is None else thresholds[0]
    plain_rate = base in _RATES and (table.binary or row.of_class is not None or base == "accuracy")
    if plain_rate:
        n, n_groups = denominator(first, row, threshold, table.classes)
        variance = jackknife_variance(resamples.jack(values))
        low, high = wilson_clustered(float(values[0]), max(1, n), max(1, n_groups), variance, level)
        note = "" if n_groups >= 10 else f"only {n_groups} groups in the denominator"
        return Interval(low, high, "Wilson at the effective sample size of the groups, t quantile", note)
    if not len(known) or float(np.ptp(known)) < 1e-12:
        found = degenerate_interval(table, first, row, base, float(values[0]), level)
        return None if found is None else Interval(*found)
    if base in ("ece", "ace"):
        low, high = centred(float(values[0]), known, level)
        return Interval(
            low, high, f"cluster bootstrap over groups, bias-shifted percentile, {len(known)} replicates"
        )
    interval = plain_interval(values, resamples, level, table.n_groups, "bca")
    if len(known) < _FEW_DEFINED * len(boot):
        return Interval(interval.low, interval.high, interval.method, f"not to be trusted: {interval.note}")
    return interval


def _why_undefined(table: Table, row: Metric) -> str:
    absent = [name for c, name in enumerate(table.classes) if not (table.sample_label == c).any()]
    if absent:
        return f"no sample of class {' or '.join(absent)}"
    reasons = {
        "ppv": "nothing is called positive",
        "npv": "nothing is called negative",
        "mcc": "only one class is ever called",
        "calibration_slope": "the probabilities are constant or separate the classes: no finite slope fits",
        "calibration_intercept": "no finite intercept fits",
        "auroc_fold_mean": "no fold holds both classes",
    }
    return reasons.get(row.name, "its denominator is 0 in at least one repeat")
