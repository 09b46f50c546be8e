"""Interval of a mean of class recalls, from Wilson's interval of each recall.

The spreads of the recalls add in squares towards each end, with twice their product times the correlation where groups
hold several classes (Zou and Donner 2008; with correlation Zou 2007); unlike a single standard error this holds where a
class is hardly ever, or always, recognised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.stats.intervals.degrees_of_freedom import proportion_degrees_of_freedom
from headtohead.stats.intervals.resampling import Resamples, wilson_clustered
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.metrics.confusion_matrix import confusion, predicted_labels
from headtohead.stats.metrics.ranking import ratio
from headtohead.stats.predictions import ContenderPredictions

__all__ = ["Recall", "class_recalls", "mean_recall_interval"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recall:
    """The recall of one class, averaged over repeats.

    Attributes:
        n, n_groups: samples of the class, and groups that hold any. variance: over groups.
        degrees: of freedom of the variance.
        correlations: jackknife correlation with the recall of each class, this one included, never below 0; empty where
            every group holds one class, whose recalls are independent.
    """

    value: float
    n: int
    n_groups: int
    variance: float
    degrees: float
    correlations: tuple[float, ...] = ()

    def interval(self, level: float) -> tuple[float, float]:
        """Return Wilson's interval at the effective sample size of the groups."""
        return wilson_clustered(self.value, self.n, self.n_groups, self.variance, level, self.degrees)


def class_recalls(
    repeats: Sequence[ContenderPredictions],
    n_classes: int,
    resamples: Resamples,
    thresholds: Sequence[Floats | None] | None = None,
    *,
    inflation: float = 1.0,
) -> list[Recall]:
    """Return the recall of each class with its variance over the jackknife.

    Args:
        thresholds: per repeat as in `predicted_labels`.
        inflation: factor of the variance, for the training sample.
    """
    # The data itself and the jackknife; nothing here rests on the bootstrap.
    weights = np.concatenate([resamples.weights[:, :1], resamples.weights[:, 1 + resamples.n_boot :]], axis=1)
    matrices = [
        confusion(lines.label, predicted_labels(lines, cut), lines.group, n_classes, weights)
        for lines, cut in zip(repeats, thresholds or [None] * len(repeats), strict=True)
    ]
    recalls, first = [], repeats[0]
    values = np.stack(
        [
            np.stack([ratio(matrix[c, c], matrix[c].sum(axis=0)) for matrix in matrices]).mean(axis=0)
            for c in range(n_classes)
        ]
    )
    correlations = _correlations(values[:, 1:], first)
    for c, recall in enumerate(values):
        of_class = first.label == c
        n, n_groups = int(of_class.sum()), len(np.unique(first.group[of_class]))
        degrees = proportion_degrees_of_freedom(recall[1:], n, n_groups)
        variance = inflation * jackknife_variance(recall[1:])
        recalls.append(Recall(float(recall[0]), n, n_groups, variance, degrees, correlations[c]))
    return recalls


def _correlations(jack: Floats, lines: ContenderPredictions) -> list[tuple[float, ...]]:
    """Return the correlations of the recalls over the jackknife (k, n_jack); empty where no group holds two classes.

    A negative one would shorten the interval on the evidence of a few groups; it counts as 0.
    """
    k = len(jack)
    held = np.zeros((int(lines.group.max()) + 1, k), dtype=bool)
    held[lines.group, lines.label] = True
    if not (held.sum(axis=1) > 1).any():
        return [()] * k
    defined = jack[:, ~np.isnan(jack).any(axis=0)]
    found = np.eye(k)
    # Two points always correlate by 1 or -1, and `corrcoef` of a constant is NaN.
    varies = np.flatnonzero(np.ptp(defined, axis=1) > 0) if defined.shape[1] > 2 else np.array([], dtype=int)
    if len(varies) > 1:
        found[np.ix_(varies, varies)] = np.corrcoef(defined[varies])
    return [tuple(float(max(0.0, r)) for r in row) for row in found]


def mean_recall_interval(value: float, recalls: Sequence[Recall], level: float) -> tuple[float, float]:
    """Return the interval of the mean of the recalls, inside [0, 1].

    >>> ends = mean_recall_interval(0.9, [Recall(0.9, 40, 40, 0.0, 39.0)], 0.95)
    >>> tuple(round(end, 3) for end in ends) == tuple(round(end, 3) for end in wilson_clustered(0.9, 40, 40, 0, 0.95))
    True
    """
    single = [(recall.value, *recall.interval(level)) for recall in recalls]
    down = _added([r - low for r, low, _ in single], recalls) / len(recalls)
    up = _added([high - r for r, _, high in single], recalls) / len(recalls)
    return max(0.0, value - down), min(1.0, value + up)


def _added(spreads: Sequence[float], recalls: Sequence[Recall]) -> float:
    """Return the spread of a sum towards one end."""
    total = sum(spread**2 for spread in spreads)
    for i, recall in enumerate(recalls):
        # Each pair comes twice, as (i, j) and as (j, i): the factor 2 of the product.
        total += sum(r * spreads[i] * spreads[j] for j, r in enumerate(recall.correlations) if j != i)
    return math.sqrt(total)
