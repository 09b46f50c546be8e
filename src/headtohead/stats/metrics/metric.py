"""The record of a metric: everything the product knows about it, so that a new one is one row of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from headtohead.stats.metrics.confusion_matrix import FromClassCounts, FromConfusion
from headtohead.stats.metrics.probabilistic import FromProbabilities
from headtohead.stats.metrics.ranking import FromCurve, FromRanks
from headtohead.stats.predictions import ScoreKind

__all__ = [
    "DENOMINATOR_IS_ZERO",
    "NO_PROBABILITIES",
    "Boundary",
    "Degrees",
    "Denominator",
    "FoldMean",
    "IntervalMethod",
    "Kernel",
    "Metric",
    "WithinFolds",
]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

IntervalMethod = Literal[
    "clustered_wilson",
    "class_recalls",
    "wilson_form",
    "transformed",
    "transformed_bootstrap",
    "bias_corrected",
]
"""How the interval is formed; `intervals/score_interval.py` has one function for each."""

Boundary = Literal[
    "none",
    "trials",
    "class_recalls",
    "concordance",
    "concordance_in_partial_range",
    "precision_curve",
    "positive_trials",
    "negative_trials",
    "largest_loss",
]
"""Which bound replaces the interval where no resample varies; `intervals/boundary_cases.py` has one for each."""

Degrees = Literal["groups", "groups_by_class", "groups_by_class_even"]
"""How the degrees of freedom of the variance are counted; see `intervals/degrees_of_freedom.py`."""

DENOMINATOR_IS_ZERO = "its denominator is 0 in at least one repeat"
NO_PROBABILITIES: dict[ScoreKind, str] = {
    "labels": "its scores are all 0 or 1: answers, not probabilities",
    "ranks": "its scores are grades: only their order counts",
}
"""Why what needs probabilities is not defined for a contender that gives none."""


@dataclass(frozen=True, slots=True)
class FoldMean:
    """The mean over folds of another metric within each fold, over the folds where that is defined."""

    metric: Metric


@dataclass(frozen=True, slots=True)
class WithinFolds:
    """The share of concordant pairs among the pairs of one fold, all folds together; `kernel` gives it for one fold.

    A fold counts by its pairs. Scores of different folds come from different models and are never compared. With a
    single fold this is `kernel` itself.
    """

    kernel: FromRanks


Kernel = FromConfusion | FromClassCounts | FromRanks | FromCurve | FromProbabilities | FoldMean | WithinFolds


@dataclass(frozen=True, slots=True)
class Denominator:
    """The lines that a share is taken of.

    Attributes:
        counted: (label, predicted, positive class) -> (n,) whether each line is in the denominator.
        words: where a group of these lines stands, as in "only 3 groups <words>".
    """

    counted: Callable[[Ints, Ints, int], Bools]
    words: str = "in the denominator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        name: as in files and on the command line. title: as the field writes it in a sentence.
        kernel: how it is computed from predictions.
        best: "high", "low", or the ideal number for calibration parameters.
        low, high: range of its values. high_of_two: upper end for two classes, where that is another.
        binary_only: whether it needs two classes.
        per_class: whether "<name>_<class>", one class against the rest, is known beyond two classes; the metric
            itself is then the mean over the classes.
        of_class: the class that counts as positive, in such a metric of one class.
        interval: method of the interval. mean_interval: that of the mean over classes, where it is another.
        degrees: how the degrees of freedom of the interval are counted.
        boundary: the bound where no resample varies.
        denominator: for a share, the lines that it is taken of.
        undefined: why it has no value, where every class has samples.
        delong_test, delong_interval: whether DeLong's and Obuchowski's closed forms hold for its difference, and
            for itself.
        headline: 1 where a reader sees it first, 2 where next, 0 where it is left to the table.
        operating_point: the same at chosen thresholds. of_each_class: the same for its metrics of one class.
        needs_order: whether it needs the order of the classes, which a user must state.
        needs_folds: whether it is reported only where the predictions carry folds.
        pooled: the name of the same metric across folds, which must agree with a verdict on this one.
        recalibrated: whether it is reported before and after recalibration.
        source: where the formula stands.
    """

    name: str
    title: str
    kernel: Kernel
    best: Literal["high", "low", "one", "zero"]
    low: float
    high: float
    high_of_two: float | None = None
    binary_only: bool = False
    per_class: bool = False
    of_class: str | None = None
    interval: IntervalMethod
    mean_interval: IntervalMethod | None = None
    degrees: Degrees = "groups"
    boundary: Boundary = "none"
    denominator: Denominator | None = None
    undefined: str = DENOMINATOR_IS_ZERO
    delong_test: bool = False
    delong_interval: bool = False
    headline: int = 0
    operating_point: int = 0
    of_each_class: int = 0
    needs_order: bool = False
    needs_folds: bool = False
    pooled: str = ""
    recalibrated: bool = False
    source: str = ""

    @property
    def sign(self) -> int:
        """+1 where higher is better, -1 where lower is."""
        return -1 if self.best == "low" else 1

    @property
    def by_rank(self) -> bool:
        """Whether the metric depends on the order of the probabilities alone."""
        if isinstance(self.kernel, FoldMean):
            return self.kernel.metric.by_rank
        return isinstance(self.kernel, FromRanks | FromCurve | WithinFolds)

    def undefined_on(self, kind: ScoreKind) -> str:
        """Return why the metric has no value on numbers of a kind, "" where it has one."""
        has_no_value = {
            "probabilities": False,
            "labels": isinstance(self.kernel, FromProbabilities | FromCurve),
            "ranks": not self.by_rank,
        }
        return NO_PROBABILITIES[kind] if has_no_value[kind] else ""

    def is_mean(self, n_classes: int) -> bool:
        """Return whether the metric is a mean over the classes, each against the rest."""
        return self.per_class and self.of_class is None and n_classes > 2

    def interval_of(self, n_classes: int) -> IntervalMethod:
        """Return the method of the interval for this number of classes."""
        return self.mean_interval if self.mean_interval and self.is_mean(n_classes) else self.interval

    def upper_end(self, n_classes: int) -> float:
        """Return the upper end of the range for this number of classes."""
        return self.high_of_two if self.high_of_two is not None and n_classes == 2 else self.high
