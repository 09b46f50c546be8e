"""Values of metrics in all resamples of one contender at once.

A metric's value on repeated cross-validation is the mean over repeats of the metric of each repeat's pooled
out-of-fold lines; a `FoldMean` averages over single folds instead, and `WithinFolds` counts pairs of one fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UndefinedMetricError
from headtohead.stats.metrics.confusion_matrix import (
    FromClassCounts,
    FromConfusion,
    confusion,
    count_values,
    predicted_labels,
)
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.metric import FoldMean, Metric, WithinFolds
from headtohead.stats.metrics.probabilistic import FromProbabilities
from headtohead.stats.metrics.ranking import FromCurve, FromRanks, curve_values, group_sums, ratio
from headtohead.stats.metrics.weight_blocks import Weights, weight_blocks
from headtohead.stats.predictions import ContenderPredictions

__all__ = ["metric_values"]

Floats = npt.NDArray[np.float64]


def metric_values(
    repeats: Sequence[ContenderPredictions],
    weights: Weights,
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
        UndefinedMetricError: a metric for two classes where there are more.
    """
    metrics = [get_metric(name, classes) for name in names]
    for metric in metrics:
        if metric.binary_only and len(classes) != 2:
            raise UndefinedMetricError(f"{metric.title} is defined for two classes; got {len(classes)}.")
    blocks = []
    for block in weight_blocks(weights):
        per_repeat = [
            _one_repeat(lines, block, metrics, classes, None if thresholds is None else thresholds[position])
            for position, lines in enumerate(repeats)
        ]
        blocks.append({m.name: np.mean([values[m.name] for values in per_repeat], axis=0) for m in metrics})
    return {metric.name: np.concatenate([values[metric.name] for values in blocks]) for metric in metrics}


def _one_repeat(
    lines: ContenderPredictions,
    weights: Floats,
    metrics: Sequence[Metric],
    classes: Sequence[str],
    threshold: Floats | None,
) -> dict[str, Floats]:
    values: dict[str, Floats] = {}
    matrix: Floats | None = None
    curves: dict[str, FromCurve] = {}
    for metric in metrics:
        kernel = metric.kernel
        which = None if metric.of_class is None else list(classes).index(metric.of_class)
        if isinstance(kernel, FromConfusion | FromClassCounts):
            if matrix is None:
                predicted = predicted_labels(lines, threshold)
                matrix = confusion(lines.label, predicted, lines.group, len(classes), weights)
            values[metric.name] = count_values(kernel, matrix, which)
        elif isinstance(kernel, FromProbabilities):
            values[metric.name] = kernel.compute(lines, weights)
        elif isinstance(kernel, FoldMean):
            values[metric.name] = _fold_mean(lines, weights, kernel.metric, classes, threshold)
        elif isinstance(kernel, FromCurve) and which is None and len(classes) == 2:
            curves[metric.name] = kernel  # collected, so that the scores are sorted once for all
        else:
            values[metric.name] = _against_rest(lines, weights, kernel, which, len(classes))
    if curves:
        values |= curve_values(lines.prob[:, 1], lines.label == 1, lines.group, weights, curves)
    return values


def _against_rest(
    lines: ContenderPredictions,
    weights: Floats,
    kernel: FromRanks | FromCurve | WithinFolds,
    which: int | None,
    k: int,
) -> Floats:
    """Return a metric of ranks of one class against the rest; the mean over the classes where none is named."""
    if which is None and k > 2:
        return np.asarray(np.mean([_against_rest(lines, weights, kernel, c, k) for c in range(k)], axis=0))
    positive = 1 if which is None else which
    if isinstance(kernel, WithinFolds):
        return _within_folds(lines, weights, kernel.kernel, positive)
    args = (lines.prob[:, positive], lines.label == positive, lines.group, weights)
    return kernel.compute(*args) if isinstance(kernel, FromRanks) else curve_values(*args, {"": kernel})[""]


def _within_folds(lines: ContenderPredictions, weights: Floats, kernel: FromRanks, positive: int) -> Floats:
    """Return the share of concordant pairs among all pairs (positive, negative) that share a fold."""
    folds = np.unique(lines.fold)
    if len(folds) == 1:
        return kernel.compute(lines.prob[:, positive], lines.label == positive, lines.group, weights)
    concordant, pairs = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    for fold in folds:
        part = lines.take(lines.fold == fold)
        is_positive = part.label == positive
        of_class = np.stack([is_positive, ~is_positive], axis=1).astype(np.float64)
        totals = group_sums(of_class, part.group, len(weights)).T @ weights  # rows: positives, negatives
        values = kernel.compute(part.prob[:, positive], is_positive, part.group, weights)
        concordant += np.nan_to_num(values) * totals[0] * totals[1]  # a fold without a class has no pairs
        pairs += totals[0] * totals[1]
    return ratio(concordant, pairs)


def _fold_mean(
    lines: ContenderPredictions,
    weights: Floats,
    metric: Metric,
    classes: Sequence[str],
    threshold: Floats | None,
) -> Floats:
    """Return the mean over folds of the metric within the fold, over the folds where it is defined."""
    total, defined = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    for fold in np.unique(lines.fold):
        inside = lines.fold == fold
        cut = None if threshold is None else threshold[inside]
        values = _one_repeat(lines.take(inside), weights, [metric], classes, cut)[metric.name]
        total += np.nan_to_num(values)
        defined += ~np.isnan(values)
    return ratio(total, defined)
