"""Bounds for results without variation: everything right, a constant score, no error at all.

There the bootstrap returns a single number, which would claim certainty. Each case below gets a bound
with a reason, or none at all. Which case a metric is, its record says (`Metric.boundary`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headtohead.stats.intervals.proportions import wilson_interval
from headtohead.stats.intervals.resampling import concordance_bound, disjoint_pairs
from headtohead.stats.metrics.confusion_matrix import FromClassCounts, FromConfusion, count_values
from headtohead.stats.metrics.metric import Boundary, FoldMean, Metric, WithinFolds
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = ["BOUNDS", "BoundaryInterval", "boundary_interval"]

# Probabilities and losses that differ by less are equal but for rounding.
_ROUNDING = 1e-12
_NO_LOSS = 1e-9
# The partial area looks at a tenth of the negatives, those above specificity 0.9.
_PARTIAL_SHARE = 10


@dataclass(frozen=True, slots=True)
class BoundaryInterval:
    """A bound at one level, how it was formed and what to know about it."""

    low: float
    high: float
    method: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class BoundaryCase:
    """A metric whose replicates all agree on `value`."""

    table: PredictionTable
    lines: ContenderPredictions
    metric: Metric
    value: float
    level: float

    @property
    def positive(self) -> int:
        """Index of the class that counts as positive."""
        of_class = self.metric.of_class
        return 1 if of_class is None else self.table.classes.index(of_class)

    @property
    def constant(self) -> bool:
        """Whether all lines that the metric compares, all or those of a fold, have the same probabilities."""
        lines = self.lines
        folds = np.unique(lines.fold) if isinstance(self.metric.kernel, WithinFolds | FoldMean) else [None]
        parts = [lines.prob if fold is None else lines.prob[lines.fold == fold] for fold in folds]
        return all(bool((np.ptp(part, axis=0) < _ROUNDING).all()) for part in parts)

    @property
    def groups_with_others(self) -> int:
        """Number of groups that hold a sample of another class than the positive one."""
        others = self.table.sample_label != self.positive
        return len(np.unique(self.table.sample_group[others]))


def boundary_interval(
    table: PredictionTable, lines: ContenderPredictions, metric: Metric, value: float, level: float
) -> BoundaryInterval | None:
    """Return the bound where all replicates agree, or None where no bound is known.

    Args:
        lines: the contender's lines of one repeat. value: the value of every replicate.
    """
    case = BoundaryCase(table, lines, metric, value, level)
    bound = BOUNDS[metric.boundary](case)
    if bound is None and case.constant:
        note = "constant score: no case is ranked above another"
        return BoundaryInterval(value, value, "exact: the score is constant", note)
    return bound


def _none(case: BoundaryCase) -> BoundaryInterval | None:
    del case
    return None


def _trials(case: BoundaryCase) -> BoundaryInterval:
    """Return Wilson's interval of a share of all samples, each group one trial."""
    n = case.table.n_groups
    return BoundaryInterval(*wilson_interval(case.value * n, n, case.level), "Wilson, one trial per group")


def _concordance(case: BoundaryCase) -> BoundaryInterval | None:
    return _concordant(case, case.groups_with_others)


def _concordance_in_partial_range(case: BoundaryCase) -> BoundaryInterval | None:
    return _concordant(case, max(1, case.groups_with_others // _PARTIAL_SHARE))


def _concordant(case: BoundaryCase, others: int) -> BoundaryInterval | None:
    """Return the bound of an area of 1 or 0; a constant score has exactly one half."""
    if case.constant:
        note = "constant score: 0.5 by definition"
        return BoundaryInterval(case.value, case.value, "exact: the score is constant", note)
    if case.value not in (0.0, 1.0):
        return None
    pairs = disjoint_pairs(case.table.groups_with(case.positive), others, case.table.n_groups)
    bound = concordance_bound(pairs, case.level)
    ends = (bound, 1.0) if case.value == 1.0 else (0.0, 1 - bound)
    return BoundaryInterval(*ends, "Clopper-Pearson on disjoint pairs of groups")


def _class_recalls(case: BoundaryCase) -> BoundaryInterval | None:
    """Return the metric of the confusion matrix in which each class recall is at its joint lower bound."""
    kernel = case.metric.kernel
    if case.value != 1.0 or not isinstance(kernel, FromConfusion | FromClassCounts):
        return None
    table = case.table
    k = len(table.classes)
    share = np.bincount(table.sample_label, minlength=k) / table.n_samples
    matrix = np.empty((k, k, 1))
    for c, recall in enumerate(_recalls(table, case.level)):
        missed = share[c] * (1 - recall)
        matrix[c, :, 0] = missed / (k - 1)
        if case.metric.needs_order:  # the worst that the missed can be is the class farthest off
            matrix[c, :, 0] = 0
            matrix[c, 0 if 2 * c >= k - 1 else k - 1, 0] = missed
        matrix[c, c, 0] = share[c] * recall
    method = "metric at Bonferroni-joint Wilson bounds of the class recalls, one trial per group"
    return BoundaryInterval(float(count_values(kernel, matrix)[0]), 1.0, method)


def _recalls(table: PredictionTable, level: float) -> list[float]:
    """Return Wilson's lower bound of each class's recall, jointly at `level` (Bonferroni)."""
    each = 1 - (1 - level) / len(table.classes)
    counts = [max(1, table.groups_with(c)) for c in range(len(table.classes))]
    return [wilson_interval(n, n, each)[0] for n in counts]


def _precision_curve(case: BoundaryCase) -> BoundaryInterval | None:
    """Return the average precision of the worst curve through the joint bounds of recall.

    All false positives that the bound of specificity allows come first, then positives at a steady
    pace up to the bound of sensitivity, the rest at the prevalence.
    """
    if case.value != 1.0:
        return None
    share = float((case.table.sample_label == case.positive).mean())
    each = 1 - (1 - case.level) / 2
    events, others = max(1, case.table.groups_with(case.positive)), max(1, case.groups_with_others)
    recall, fallout = wilson_interval(events, events, each)[0], 1 - wilson_interval(others, others, each)[0]
    c = fallout * (1 - share) / share  # false positives that come first, per positive
    # The precision x / (x + c), integrated over recalls x from 0 to the bound, and the prevalence beyond.
    worst = recall - c * math.log((recall + c) / c) + (1 - recall) * share
    return BoundaryInterval(worst, 1.0, "worst curve through joint Wilson bounds")


def _positive_trials(case: BoundaryCase) -> BoundaryInterval | None:
    return _all_right(case, case.table.groups_with(1))


def _negative_trials(case: BoundaryCase) -> BoundaryInterval | None:
    return _all_right(case, case.table.groups_with(0))


def _all_right(case: BoundaryCase, n: int) -> BoundaryInterval | None:
    if case.value != 1.0:
        return None
    return BoundaryInterval(wilson_interval(n, n, case.level)[0], 1.0, "Wilson, one trial per group")


def _largest_loss(case: BoundaryCase) -> BoundaryInterval | None:
    """Return the bound of a mean loss of 0: the largest loss, as often as unseen errors may be."""
    if case.value >= _NO_LOSS:
        return None
    largest = case.metric.upper_end(len(case.table.classes))
    high = largest * (1 - ((1 - case.level) / 2) ** (1 / case.table.n_groups))
    method = "largest loss times the Clopper-Pearson bound of any loss, one trial per group"
    return BoundaryInterval(0.0, high, method)


BOUNDS: dict[Boundary, Callable[[BoundaryCase], BoundaryInterval | None]] = {
    "none": _none,
    "trials": _trials,
    "class_recalls": _class_recalls,
    "concordance": _concordance,
    "concordance_in_partial_range": _concordance_in_partial_range,
    "precision_curve": _precision_curve,
    "positive_trials": _positive_trials,
    "negative_trials": _negative_trials,
    "largest_loss": _largest_loss,
}
