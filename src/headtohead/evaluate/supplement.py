"""The tables behind a verdict, JSON-able, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic_core import to_jsonable_python

from headtohead.core.records import Comparison
from headtohead.stats.calibration.recalibration import calibration_curve, recalibration
from headtohead.stats.decision.conformal import conformal_sets, risk_coverage
from headtohead.stats.decision.decision_curve import decision_curves
from headtohead.stats.decision.operating_points import operating_points
from headtohead.stats.decision.subgroups import subgroup_tables
from headtohead.stats.hypothesis.ranks import critical_difference, rank_table, variance_split
from headtohead.stats.inner_predictions import InnerPredictions
from headtohead.stats.intervals.delong import auroc_components, covariance, logit_interval
from headtohead.stats.intervals.resampling import bca, expanded_percentile, percentile
from headtohead.stats.metrics.fold_values import FoldValue
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.metrics.roc_curves import confusion_tables, roc_curves
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["SupplementRequest", "build_supplement"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SupplementRequest:
    """What the user asked for beyond the comparison."""

    row: Metric
    inner: InnerPredictions
    prevalence: float | None
    by: Mapping[str, Mapping[str, str]]
    baselines: tuple[str, ...]


def build_supplement(
    setting: ResampledPredictions,
    asked: SupplementRequest,
    primary: Mapping[str, Floats],
    folds: Mapping[str, Sequence[FoldValue]],
    comparisons: Sequence[Comparison],
) -> dict[str, Any]:
    """Return every further table of a verdict.

    Args:
        primary: replicates of the primary metric by contender. folds: its values within folds.
    """
    table = setting.table
    fighters = [name for name in table.contenders if name not in asked.baselines]
    per_repeat = {name: _per_repeat(setting, asked.row, name) for name in table.contenders}
    tables = {
        "classes": list(table.classes),
        "positive": table.classes[-1] if table.binary else None,
        "size": _size(setting),
        "confusion": confusion_tables(table),
        "roc": roc_curves(table),
        "calibration": {name: calibration_curve(setting, name) for name in table.contenders},
        "recalibration": recalibration(setting, asked.inner),
        "operating_points": operating_points(setting, asked.inner, asked.prevalence),
        "decision_curves": decision_curves(setting, asked.prevalence) or {},
        "conformal": conformal_sets(setting, asked.inner),
        "risk_coverage": {name: risk_coverage(setting, name) for name in table.contenders},
        "subgroups": subgroup_tables(setting, asked.row, asked.by),
        "ranks": rank_table(setting, asked.row, fighters, primary, comparisons),
        "critical_difference": critical_difference({n: folds[n] for n in fighters}, asked.row.sign, setting.level),
        "variance": variance_split(setting, asked.row, {n: primary[n] for n in fighters}, folds, per_repeat),
        "per_repeat": per_repeat,
        "per_fold": {name: [list(line) for line in _plain(lines)] for name, lines in folds.items()},
        "intervals": {name: _intervals(setting, asked.row, name, primary[name]) for name in table.contenders},
        "notes": _notes(setting, asked),
    }  # fmt: skip
    jsonable: dict[str, Any] = to_jsonable_python(tables, inf_nan_mode="null")
    return jsonable


def _size(setting: ResampledPredictions) -> dict[str, Any]:
    table = setting.table
    return {
        "n_samples": table.n_samples,
        "n_groups": table.n_groups,
        "n_repeats": len(table.repeats),
        "samples_per_class": {
            name: int((table.sample_label == c).sum()) for c, name in enumerate(table.classes)
        },
        "groups_per_class": {name: table.groups_with(c) for c, name in enumerate(table.classes)},
        "n_boot": setting.resamples.n_boot,
        "seed": setting.seed,
    }


def _per_repeat(setting: ResampledPredictions, row: Metric, contender: str) -> list[float]:
    ones = np.ones((setting.table.n_groups, 1))
    values = [
        metric_values([lines], ones, [row.name], setting.table.classes)[row.name][0]
        for lines in setting.table.of(contender)
    ]
    return [float(value) for value in values if not np.isnan(value)]


def _plain(lines: Sequence[FoldValue]) -> list[tuple[int, int, float | None, int]]:
    return [(repeat, fold, None if np.isnan(value) else value, n) for repeat, fold, value, n in lines]


def _intervals(
    setting: ResampledPredictions, row: Metric, contender: str, values: Floats
) -> dict[str, list[float]]:
    """Return the primary metric's interval by every method, for who wants to see how they agree."""
    table, resamples, level = setting.table, setting.resamples, setting.level
    boot = resamples.bootstrap(values)
    known = boot[~np.isnan(boot)]
    if np.isnan(values[0]) or table.n_groups < 2 or len(known) < 2:
        return {}
    found = {
        "percentile": percentile(known, level),
        "expanded_percentile": expanded_percentile(known, level, table.n_groups),
        "bca": bca(float(values[0]), known, resamples.jackknife(values), level),
    }
    if row.delong_interval and 0 < values[0] < 1:
        for name, n, by_group in (("delong", table.n_samples, False), ("obuchowski", table.n_groups, True)):
            pulls = auroc_components(table.of(contender), n, by_group=by_group)
            variance = covariance(pulls, pulls)
            if variance > 0:
                found[f"{name}_logit"] = logit_interval(pulls.value, variance, level)
    return {name: list(ends) for name, ends in found.items()}


def _notes(setting: ResampledPredictions, asked: SupplementRequest) -> list[str]:
    table, without = setting.table, asked.inner.without
    if not without:
        return []
    if len(without) < len(table.contenders):
        chosen = "threshold or temperature" if table.binary else "temperature"
        return [f"No {chosen} was chosen for {', '.join(without)}: inner predictions are missing."]
    if table.binary:
        return ["Classes were called at 0.5: there are no inner predictions to choose thresholds on."]
    return [
        "Each image was given its most probable class; without inner predictions nothing was recalibrated."
    ]
