"""Groups that a metric rests on in the data, and the width of an interval that is narrow for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headtohead.stats.metrics.confusion_matrix import predicted_labels
from headtohead.stats.metrics.metric import FoldMean, Metric
from headtohead.stats.metrics.probabilistic import FromProbabilities
from headtohead.stats.metrics.ranking import FromCurve
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = ["Support", "effective_groups", "narrow_width", "supporting_groups"]

# A tenth of the way from an uninformative answer to a perfect one: 0.05 of AUROC, whose way is one half.
_NARROW = 0.1
# A share of answers has no uninformative value that all data agree on; a coin's one half gives the width of AUROC.
_NARROW_SHARE = 0.05
# A calibration error is 0 for an uninformative constant, too; two points is what is called well calibrated.
_NARROW_CALIBRATION = 0.02


@dataclass(frozen=True, slots=True)
class Support:
    """The fewest groups of any kind that a metric rests on.

    Attributes:
        kind: which groups, as in "only 8 patients <kind>"; "" where it rests on all.
    """

    n_groups: int
    kind: str


def effective_groups(table: PredictionTable) -> float:
    """Return how many groups of equal size the groups are worth, 1 to their number.

    Kish 1965 (Survey Sampling, 11.7): (sum of sizes)² / sum of squared sizes.
    """
    sizes = np.bincount(table.sample_group).astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def supporting_groups(table: PredictionTable, metric: Metric, contenders: Sequence[str]) -> Support:
    """Return the fewest groups that the metric of any of the contenders rests on.

    A share rests on the groups in its denominator (accuracy: all; sensitivity: those that hold the class). A mean over
    classes rests on each class. A metric of one class, and any other of two classes, sets the class against the
    rest and rests on both. Beyond two classes what is left (kappa, Brier score) rests on the largest class and on the
    others together, so that one more rare class does not make it uncertain.
    """
    return min(_kinds(table, metric, contenders), key=lambda support: support.n_groups)


def _kinds(table: PredictionTable, metric: Metric, contenders: Sequence[str]) -> Iterator[Support]:
    yield Support(table.n_groups, "")
    classes = range(len(table.classes))
    by_class = "class_recalls" in (metric.interval, metric.interval_of(len(table.classes)))
    if metric.is_mean(len(table.classes)) or by_class:
        yield from (Support(table.groups_with(c), f"of class {table.classes[c]}") for c in classes)
        return
    positive = len(classes) - 1 if metric.of_class is None else table.classes.index(metric.of_class)
    if metric.denominator is not None:
        for name in contenders:
            lines = table.of(name)[0]
            counted = metric.denominator.counted(lines.label, predicted_labels(lines, None), positive)
            n = len(np.unique(lines.group[counted]))
            yield Support(n, f"{metric.denominator.words} of {metric.title} ({name})")
        # A plain share; F1 goes on, since it sets classes against each other too.
        if metric.degrees == "groups":
            return
    if metric.of_class is not None:
        yield from _against_rest(table, positive)
    elif table.binary:
        yield from (Support(table.groups_with(c), f"of class {table.classes[c]}") for c in classes)
    else:
        yield from _against_rest(table, int(np.argmax([table.groups_with(c) for c in classes])))


def _against_rest(table: PredictionTable, c: int) -> Iterator[Support]:
    yield Support(table.groups_with(c), f"of class {table.classes[c]}")
    others = len(np.unique(table.sample_group[table.sample_label != c]))
    yield Support(others, f"of other classes than {table.classes[c]}")


def narrow_width(table: PredictionTable, metric: Metric) -> float:
    """Return the half-width of an interval above which the data cannot tell: a tenth of the way to perfect.

    For metrics of ranks and probabilities the way begins at the value of constant class frequencies (AUROC 0.5; the
    Brier score and the log loss of the frequencies; average precision: the prevalence). Agreement (kappa, Matthews)
    begins at 0; shares of right answers get the width of AUROC.
    """
    kernel = metric.kernel
    if metric.by_rank and not isinstance(kernel, FromCurve):
        return _NARROW * 0.5
    if isinstance(kernel, FoldMean):
        kernel = kernel.metric.kernel
    if not isinstance(kernel, FromCurve | FromProbabilities):
        return _NARROW if metric.low < 0 else _NARROW_SHARE
    constant = _constant_lines(table)
    weights = np.ones((table.n_groups, 1))
    value = float(metric_values([constant], weights, [metric.name], table.classes)[metric.name][0])
    perfect = metric.upper_end(len(table.classes)) if metric.sign > 0 else metric.low
    way = abs(perfect - value)
    if not np.isfinite(way):  # constant probabilities have no calibration slope
        return _NARROW_SHARE
    return _NARROW * way if way > 1e-9 else _NARROW_CALIBRATION


def _constant_lines(table: PredictionTable) -> ContenderPredictions:
    lines = table.of(table.contenders[0])[0]
    share = np.bincount(lines.label, minlength=len(table.classes)) / len(lines.label)
    prob = np.tile(share, (len(lines.label), 1))
    return ContenderPredictions(lines.sample, lines.group, lines.label, lines.fold, prob)
