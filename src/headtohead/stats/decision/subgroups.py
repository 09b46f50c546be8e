"""Subgroups: does the answer hold for men and women, for each scanner?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import ManifestError
from headtohead.stats.hypothesis.multiplicity import holm
from headtohead.stats.hypothesis.paired_difference import rarer_class_groups
from headtohead.stats.intervals.resampling import make_resamples, two_sided_p
from headtohead.stats.intervals.score import make_score
from headtohead.stats.metrics.registry import Metric, metric_values
from headtohead.stats.resampled import ResampledPredictions, bootstrap_interval

__all__ = ["subgroup_tables"]

Floats = npt.NDArray[np.float64]

_FEWEST_GROUPS = 10
_FEWEST_EVENTS = 5


def subgroup_tables(
    setting: ResampledPredictions, row: Metric, by: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return, per column, each value's scores and its difference from all other samples.

    The difference between a subgroup and the rest has a cluster-bootstrap interval and a p-value,
    adjusted by Holm's method (1979, Scand J Stat 6:65) over all values and contenders of the column; "too
    few" takes the place of numbers below 10 groups or 5 groups of the rarer class.

    Raises:
        ManifestError: a sample has no value.
    """
    return {column: _column(setting, row, column, values) for column, values in by.items()}


def _column(
    setting: ResampledPredictions, row: Metric, column: str, values: Mapping[str, str]
) -> dict[str, Any]:
    table = setting.table
    missing = [str(name) for name in table.samples if str(name) not in values]
    if missing:
        raise ManifestError(
            f"{len(missing)} sample(s) have no {column!r}, first {missing[0]!r}; give each a value."
        )
    value = np.array([str(values[str(name)]) for name in table.samples])
    parts = {name: _value(setting, row, value == name) for name in sorted(set(value))}
    _adjust(parts)
    return {
        "metric": row.name,
        "values": parts,
        "note": "Holm-adjusted over all values and contenders of this column; not planned beforehand unless you say so",
    }


def _value(setting: ResampledPredictions, row: Metric, keep: npt.NDArray[np.bool_]) -> dict[str, Any]:
    part = setting.table.restrict(keep)
    sizes: dict[str, Any] = {"n_samples": part.n_samples, "n_groups": part.n_groups}
    events = rarer_class_groups(part)
    if part.n_groups < _FEWEST_GROUPS or events < _FEWEST_EVENTS:
        why = f"too few: {part.n_groups} groups, {events} with the rarer class"
        return sizes | {"too_few": why, "contenders": {}}
    resamples = make_resamples(part.n_groups, setting.resamples.n_boot, setting.seed)
    contenders: dict[str, Any] = {}
    for name in part.contenders:
        values = metric_values(part.of(name), resamples.weights, [row.name], part.classes)[row.name]
        score = make_score(part, name, row, values, resamples, setting.level)
        contenders[name] = {"score": score.model_dump(mode="json")} | _against_rest(setting, row, name, keep)
    return sizes | {"contenders": contenders}


def _against_rest(
    setting: ResampledPredictions, row: Metric, contender: str, keep: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Return the metric inside less the metric outside, on the common resamples of all groups."""
    if keep.all():
        return {"difference": None, "p_value": None}
    lines = setting.table.of(contender)
    inside = setting.values([part.take(keep[part.sample]) for part in lines], [row.name])[row.name]
    outside = setting.values([part.take(~keep[part.sample]) for part in lines], [row.name])[row.name]
    gap = inside - outside
    boot = setting.resamples.bootstrap(gap)
    known = boot[~np.isnan(boot)]
    p = two_sided_p(known) if len(known) > 0.5 * len(boot) and not np.isnan(gap[0]) else None
    return {"difference": bootstrap_interval(gap, setting.resamples, setting.level), "p_value": p}


def _adjust(parts: dict[str, Any]) -> None:
    cells = [
        cell for part in parts.values() for cell in part["contenders"].values() if cell["p_value"] is not None
    ]
    for cell, p in zip(cells, holm([cell["p_value"] for cell in cells]), strict=True):
        cell["p_holm"] = p
