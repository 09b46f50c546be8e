"""Bounds for results without variation: everything right, a constant score, no error at all.

There the bootstrap returns a single number, which would claim certainty. Each case below gets a bound
with a reason, or none at all.
"""

from __future__ import annotations

import math

import numpy as np

from headtohead.stats.intervals.resampling import concordance_bound, disjoint_pairs, wilson
from headtohead.stats.metrics.confusion_matrix import count_metric
from headtohead.stats.metrics.registry import Metric
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = ["boundary_interval"]

Found = tuple[float, float, str, str]
_COUNTED = {"balanced_accuracy", "f1", "mcc", "kappa", "sensitivity", "specificity", "ppv", "npv"}


def boundary_interval(
    table: PredictionTable, lines: ContenderPredictions, metric: Metric, base: str, value: float, level: float
) -> Found | None:
    """Return (low, high, method, note) where all replicates agree, or None where no bound is known.

    Args:
        lines: the contender's lines of one repeat. base: the metric's name without a class.
        value: what every replicate says.
    """
    if base in ("auroc", "auroc_fold_mean", "partial_auroc"):
        return _ranked(table, lines, metric, base, value, level)
    if value == 1.0 and base in _COUNTED:
        low = _perfect_counts(table, base, level)
        return (
            low,
            1.0,
            "metric at Bonferroni-joint Wilson bounds of the class recalls, one trial per group",
            "",
        )
    if value == 1.0 and base == "average_precision":
        return _perfect_precision(table, metric, level), 1.0, "worst curve through joint Wilson bounds", ""
    if value == 1.0 and base in ("sensitivity_at_specificity_90", "specificity_at_sensitivity_90"):
        n = table.groups_with(1 if base.startswith("sens") else 0)
        return wilson(n, n, level)[0], 1.0, "Wilson, one trial per group", ""
    if base == "brier" and value < 1e-9:
        most = 1.0 if table.binary else 2.0
        high = most * (1 - ((1 - level) / 2) ** (1 / table.n_groups))
        return 0.0, high, "largest loss times the Clopper-Pearson bound of any loss, one trial per group", ""
    if base == "accuracy":
        ends = wilson(value * table.n_groups, table.n_groups, level)
        return *ends, "Wilson, one trial per group", ""
    if _constant(lines):
        return value, value, "exact: the score is constant", "constant score: nothing is told apart"
    return None


def _constant(lines: ContenderPredictions) -> bool:
    return bool((np.ptp(lines.prob, axis=0) < 1e-12).all())


def _ranked(
    table: PredictionTable, lines: ContenderPredictions, metric: Metric, base: str, value: float, level: float
) -> Found | None:
    if _constant(lines):
        return value, value, "exact: the score is constant", "constant score: 0.5 by definition"
    if value not in (0.0, 1.0):
        return None
    positive = 1 if metric.of_class is None else table.classes.index(metric.of_class)
    events = table.groups_with(positive)
    rest = len(np.unique(table.sample_group[table.sample_label != positive]))
    if base == "partial_auroc":
        rest = max(1, rest // 10)
    bound = concordance_bound(disjoint_pairs(events, rest, table.n_groups), level)
    method = "Clopper-Pearson on disjoint pairs of groups"
    return (bound, 1.0, method, "") if value == 1.0 else (0.0, 1 - bound, method, "")


def _recalls(table: PredictionTable, level: float) -> list[float]:
    """Return Wilson's lower bound of each class's recall, jointly at `level` (Bonferroni)."""
    each = 1 - (1 - level) / len(table.classes)
    counts = [max(1, table.groups_with(c)) for c in range(len(table.classes))]
    return [wilson(n, n, each)[0] for n in counts]


def _perfect_counts(table: PredictionTable, base: str, level: float) -> float:
    k = len(table.classes)
    share = np.bincount(table.sample_label, minlength=k) / table.n_samples
    matrix = np.empty((k, k, 1))
    for c, recall in enumerate(_recalls(table, level)):
        matrix[c, :, 0] = share[c] * (1 - recall) / (k - 1)
        matrix[c, c, 0] = share[c] * recall
    return float(count_metric(base, matrix)[0])


def _perfect_precision(table: PredictionTable, metric: Metric, level: float) -> float:
    """Return the average precision of the worst curve through the joint bounds of recall.

    All false positives that the bound of specificity allows come first, then positives at a steady
    pace up to the bound of sensitivity, the rest at the prevalence.
    """
    positive = 1 if metric.of_class is None else table.classes.index(metric.of_class)
    share = float((table.sample_label == positive).mean())
    each = 1 - (1 - level) / 2
    events = max(1, table.groups_with(positive))
    others = max(1, len(np.unique(table.sample_group[table.sample_label != positive])))
    recall, fallout = wilson(events, events, each)[0], 1 - wilson(others, others, each)[0]
    c = fallout * (1 - share) / share
    return recall - c * math.log((recall + c) / c) + (1 - recall) * share
