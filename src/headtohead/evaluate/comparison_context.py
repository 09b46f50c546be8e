"""Context of the paired comparisons: what all pairs of a verdict share, and one pair before it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.evaluate.decision_rule import DecisionRule
from headtohead.evaluate.wording.pair import Cases, PairContext
from headtohead.stats.hypothesis.paired_difference import Difference
from headtohead.stats.hypothesis.paired_tests import PairTests
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["ComparisonContext", "PairUnderTest"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ComparisonContext:
    """Data and rule that every pair shares.

    Attributes:
        primary: replicates of the primary metric by contender. pooled: of the same across folds, or empty.
        leaks: sentences on leaks; any refuses.
        backwards: contenders that rank the classes the wrong way round, so that no pair with them has a winner.
        stated: the pair that was named beforehand, or empty. matters: the difference that would matter, or None.
    """

    setting: ResampledPredictions
    row: Metric
    rule: DecisionRule
    primary: Mapping[str, Floats]
    pooled: Mapping[str, Floats]
    tests: PairTests
    leaks: Sequence[str]
    cases: Cases
    backwards: frozenset[str] = frozenset()
    stated: tuple[str, ...] = ()
    matters: float | None = None

    def value(self, name: str) -> float:
        """Return a contender's value in the direction in which more is better, NaN last."""
        return float(np.nan_to_num(self.row.sign * self.primary[name][0], nan=-np.inf))


@dataclass(frozen=True, slots=True)
class PairUnderTest:
    """One pair before it is judged.

    Attributes:
        pooled: the same difference across folds, or None. words: what the sentences of this family share.
        refusal: why nothing may be judged, or "". primary: whether this pair stands first.
    """

    found: Difference
    pooled: Difference | None
    words: PairContext
    refusal: str
    n_permutations: int
    primary: bool
