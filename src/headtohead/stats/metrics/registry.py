"""The metrics by name, and their values for all resamples of one contender at once.

A metric's value on repeated cross-validation is the mean over repeats of the metric of each
repeat's pooled out-of-fold lines; `auroc_fold_mean` alone averages over single folds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UndefinedMetricError, unknown_name
from headtohead.stats.metrics.confusion_matrix import confusion, count_metric
from headtohead.stats.metrics.probabilistic import probability_metrics
from headtohead.stats.metrics.ranking import curve_metrics, ratio, weighted_auroc
from headtohead.stats.predictions import ContenderPredictions

__all__ = [
    "METRICS",
    "Metric",
    "check_name",
    "default_metrics",
    "get_metric",
    "metric_values",
    "predicted_labels",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Kind = Literal["counts", "rank", "curve", "probability"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        title: as the field writes it.
        kind: which kernel computes it.
        best: "high", "low", or the ideal number for calibration parameters.
        low, high: range of its values.
        binary_only: whether it needs two classes.
        of_class: the class that counts as positive, for the per-class metrics of more than two.
        source: where the formula stands.
    """

    name: str
    title: str
    kind: Kind
    best: Literal["high", "low", "one", "zero"]
    low: float
    high: float
    binary_only: bool = False
    of_class: str | None = None
    source: str = ""

    @property
    def sign(self) -> int:
        """+1 where higher is better, -1 where lower is."""
        return -1 if self.best == "low" else 1


_INF = float("inf")
METRICS: dict[str, Metric] = {
    row.name: row
    for row in (
        Metric("auroc", "AUROC", "rank", "high", 0, 1, source="Hanley & McNeil 1982"),
        Metric("auroc_fold_mean", "AUROC, mean of folds", "rank", "high", 0, 1, source="Forman 2010"),
        Metric("average_precision", "average precision", "curve", "high", 0, 1, source="Davis 2006"),
        Metric("accuracy", "accuracy", "counts", "high", 0, 1),
        Metric("balanced_accuracy", "balanced accuracy", "counts", "high", 0, 1, source="Brodersen 2010"),
        Metric("sensitivity", "sensitivity", "counts", "high", 0, 1),
        Metric("specificity", "specificity", "counts", "high", 0, 1),
        Metric("ppv", "positive predictive value", "counts", "high", 0, 1),
        Metric("npv", "negative predictive value", "counts", "high", 0, 1),
        Metric("f1", "F1", "counts", "high", 0, 1, source="van Rijsbergen 1979"),
        Metric("mcc", "Matthews correlation", "counts", "high", -1, 1, source="Matthews 1975; Gorodkin 2004"),
        Metric("kappa", "Cohen's kappa", "counts", "high", -1, 1, source="Cohen 1960"),
        Metric("brier", "Brier score", "probability", "low", 0, 2, source="Brier 1950"),
        Metric("log_loss", "log loss", "probability", "low", 0, _INF),
        Metric("ece", "expected calibration error", "probability", "low", 0, 1, source="Guo 2017"),
        Metric("ace", "adaptive calibration error", "probability", "low", 0, 1, source="Nixon 2019"),
        Metric("calibration_slope", "calibration slope", "probability", "one", -_INF, _INF, True, None,
               "Cox 1958"),
        Metric("calibration_intercept", "calibration-in-the-large", "probability", "zero", -_INF, _INF, True,
               None, "Van Calster et al. 2016"),
        Metric("partial_auroc", "partial AUROC (specificity 0.9 to 1)", "curve", "high", 0, 1, True,
               None, "McClish 1989"),
        Metric("sensitivity_at_specificity_90", "sensitivity at specificity 0.9", "curve", "high", 0, 1,
               True),
        Metric("specificity_at_sensitivity_90", "specificity at sensitivity 0.9", "curve", "high", 0, 1,
               True),
    )
}  # fmt: skip
_PER_CLASS = ("sensitivity", "specificity", "ppv", "npv", "f1", "auroc", "average_precision")


def get_metric(name: str, classes: Sequence[str] = ()) -> Metric:
    """Return the metric called `name`; "sensitivity_<class>" and the like are known beyond two classes.

    There the title of a metric of one class against the rest says that it is a mean.

    Raises:
        UnknownNameError: with the nearest names.
    """
    if name in METRICS:
        row = METRICS[name]
        mean = len(classes) > 2 and name in _PER_CLASS
        return replace(row, title=f"{row.title} (mean over the {len(classes)} classes)") if mean else row
    for base in _PER_CLASS:
        rest = name.removeprefix(f"{base}_")
        if rest != name and rest in classes:
            row = METRICS[base]
            return Metric(name, f"{row.title} of {rest}", row.kind, row.best, row.low, row.high, False, rest)
    raise unknown_name("metric", name, METRICS)


def check_name(name: str) -> None:
    """Refuse a name that is no metric whatever the classes are.

    Raises:
        UnknownNameError: with the nearest names.
    """
    if name not in METRICS and not any(name.startswith(f"{base}_") for base in _PER_CLASS):
        raise unknown_name("metric", name, METRICS)


def default_metrics(classes: Sequence[str], folds: bool) -> tuple[str, ...]:
    """Return the metrics that a verdict reports; per-fold ones only where there are folds."""
    names = [n for n, row in METRICS.items() if len(classes) == 2 or not row.binary_only]
    if not folds:
        names.remove("auroc_fold_mean")
    if len(classes) > 2:
        names += [f"{base}_{name}" for base in ("sensitivity", "specificity", "auroc") for name in classes]
    return tuple(names)


def predicted_labels(lines: ContenderPredictions, threshold: Floats | None) -> Ints:
    """Return the predicted class of each line.

    Args:
        threshold: (n,) probability of the positive class from which on a line is called positive;
            None for the most probable class (of two: positive from 0.5 on).
    """
    if threshold is None:
        if lines.prob.shape[1] == 2:
            return np.asarray(lines.prob[:, 1] >= 0.5, dtype=np.int64)
        return np.asarray(lines.prob.argmax(axis=1), dtype=np.int64)
    return np.asarray(lines.prob[:, 1] >= threshold, dtype=np.int64)


def metric_values(
    repeats: Sequence[ContenderPredictions],
    weights: Floats,
    names: Iterable[str],
    classes: Sequence[str],
    thresholds: Sequence[Floats | None] | None = None,
) -> dict[str, Floats]:
    """Return each metric's value in each replicate, (n_replicates,), averaged over repeats.

    Args:
        repeats: the contender's lines, one entry per repeat.
        weights: (n_groups, n_replicates), how often each group counts.
        thresholds: per repeat as in `predicted_labels`.

    Raises:
        UnknownNameError: a metric that does not exist.
        UndefinedMetricError: a metric for two classes asked of more.
    """
    rows = [get_metric(name, classes) for name in names]
    for row in rows:
        if row.binary_only and len(classes) != 2:
            raise UndefinedMetricError(f"{row.title} is defined for two classes; got {len(classes)}.")
    per_repeat = [
        _one_repeat(lines, weights, rows, classes, None if thresholds is None else thresholds[position])
        for position, lines in enumerate(repeats)
    ]
    return {row.name: np.mean([values[row.name] for values in per_repeat], axis=0) for row in rows}


def _one_repeat(
    lines: ContenderPredictions,
    weights: Floats,
    rows: Sequence[Metric],
    classes: Sequence[str],
    threshold: Floats | None,
) -> dict[str, Floats]:
    result: dict[str, Floats] = {}
    counted = [row for row in rows if row.kind == "counts"]
    if counted:
        matrix = confusion(
            lines.label, predicted_labels(lines, threshold), lines.group, len(classes), weights
        )
        for row in counted:
            base = row.name if row.of_class is None else row.name.removesuffix(f"_{row.of_class}")
            which = None if row.of_class is None else list(classes).index(row.of_class)
            result[row.name] = count_metric(base, matrix, which)
    asked = frozenset(row.name for row in rows if row.kind == "probability")
    if asked:
        result |= probability_metrics(lines, weights, asked)
    for row in rows:
        if row.kind in ("rank", "curve") and row.name not in result:
            result |= _ranked(lines, weights, row, rows, classes)
    return result


def _ranked(
    lines: ContenderPredictions, weights: Floats, row: Metric, rows: Sequence[Metric], classes: Sequence[str]
) -> dict[str, Floats]:
    if row.name == "auroc_fold_mean":
        return {row.name: _fold_mean(lines, weights)}
    if row.of_class is not None:
        which = list(classes).index(row.of_class)
        return {row.name: _against_rest(lines, weights, row.name.removesuffix(f"_{row.of_class}"), which)}
    if len(classes) > 2:
        return {
            row.name: np.mean(
                [_against_rest(lines, weights, row.name, c) for c in range(len(classes))], axis=0
            )
        }
    if row.kind == "rank":
        return {row.name: _against_rest(lines, weights, row.name, 1)}
    curves = frozenset(other.name for other in rows if other.kind == "curve")
    return curve_metrics(lines.prob[:, 1], lines.label == 1, lines.group, weights, curves)


def _against_rest(lines: ContenderPredictions, weights: Floats, name: str, which: int) -> Floats:
    """Return AUROC or average precision of one class against all others."""
    score, positive = lines.prob[:, which], lines.label == which
    if name == "auroc":
        return weighted_auroc(score, positive, lines.group, weights)
    return curve_metrics(score, positive, lines.group, weights, frozenset({name}))[name]


def _fold_mean(lines: ContenderPredictions, weights: Floats) -> Floats:
    """Return the mean over folds of AUROC within the fold, over the folds where it is defined."""
    classes = lines.prob.shape[1]
    which = [1] if classes == 2 else list(range(classes))
    total, defined = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    for fold in np.unique(lines.fold):
        part = lines.take(lines.fold == fold)
        values = np.mean([_against_rest(part, weights, "auroc", c) for c in which], axis=0)
        total += np.nan_to_num(values)
        defined += ~np.isnan(values)
    return ratio(total, defined)
