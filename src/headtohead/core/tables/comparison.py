"""Tables on the contenders: confusion matrices, ROC curves, subgroups, ranks and sources of variance."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import model_validator

from headtohead.core.tables.estimate import Estimate, TableRecord
from headtohead.core.tables.score import Score

__all__ = [
    "ConfusionTable",
    "ContenderRank",
    "CriticalDifference",
    "CurveBand",
    "PrecisionRecallCurve",
    "RankTable",
    "RocCurve",
    "Subgroup",
    "SubgroupDifference",
    "SubgroupScore",
    "SubgroupTable",
    "VarianceSplit",
]


class ConfusionTable(TableRecord):
    """Counts of one contender, truth in rows and prediction in columns.

    Attributes:
        mean: (k, k) averaged over repeats. repeats: (k, k) counts of each repeat.
    """

    classes: tuple[str, ...]
    mean: tuple[tuple[float, ...], ...]
    repeats: tuple[tuple[tuple[float, ...], ...], ...]


class CurveBand(TableRecord):
    """A pointwise interval around a curve: at each place of the horizontal axis its lower and upper end."""

    at: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class RocCurve(TableRecord):
    """Points of a ROC curve from (0, 0) to (1, 1); `band` is None where it is not defined."""

    omitted: ClassVar[frozenset[str]] = frozenset({"band"})

    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    band: CurveBand | None = None


class PrecisionRecallCurve(TableRecord):
    """Precision at each recall (None where it is not defined); `prevalence` is the precision of a random answer."""

    omitted: ClassVar[frozenset[str]] = frozenset({"band"})

    recall: tuple[float, ...]
    precision: tuple[float | None, ...]
    prevalence: float
    band: CurveBand | None = None


class SubgroupScore(TableRecord):
    """A contender's score in a subgroup and its difference from all other samples.

    Attributes:
        p_value: where the interval of the difference touches 0; None for one of two values, which are one contrast.
        p_holm: adjusted over the tested values and contenders of the column; None without a p-value.
    """

    omitted: ClassVar[frozenset[str]] = frozenset({"p_holm"})

    score: Score
    difference: Estimate | None
    p_value: float | None
    p_holm: float | None = None


class SubgroupDifference(TableRecord):
    """The paired difference of two contenders in a subgroup, and whether it differs elsewhere (interaction).

    Attributes:
        difference: a - b within the subgroup. interaction: that less a - b in all other samples.
        p_value: of the interaction; None for one of two values. p_holm: adjusted over the tested values.
    """

    omitted: ClassVar[frozenset[str]] = frozenset({"p_holm"})

    a: str
    b: str
    difference: Estimate
    interaction: Estimate | None
    p_value: float | None = None
    p_holm: float | None = None


class Subgroup(TableRecord):
    """One value of a subgroup column; `too_few` says why it has no scores.

    Attributes:
        pair: of the two contenders that are compared first; None without them (left out of the JSON).
    """

    omitted: ClassVar[frozenset[str]] = frozenset({"too_few", "pair"})

    n_samples: int
    n_groups: int
    too_few: str | None = None
    contenders: dict[str, SubgroupScore]
    pair: SubgroupDifference | None = None


class SubgroupTable(TableRecord):
    """The primary metric within each value of one column."""

    metric: str
    values: dict[str, Subgroup]
    note: str = ""


class ContenderRank(TableRecord):
    """A contender's rank in the data and over the bootstrap (None where no replicate is defined)."""

    rank: float
    mean_rank: float | None
    low: float | None
    high: float | None
    share_first: float | None


class RankTable(TableRecord):
    """Ranks by contender, and runs of contenders among which no pair was judged "better"."""

    contenders: dict[str, ContenderRank]
    cliques: tuple[tuple[str, ...], ...]


class CriticalDifference(TableRecord):
    """Mean ranks over folds with Friedman's statistic and Nemenyi's critical difference; no test, since folds depend.

    All but `note` None where undefined.
    """

    omitted: ClassVar[frozenset[str]] = frozenset(
        {"mean_ranks", "critical_difference", "friedman_chi2", "n_folds"}
    )

    mean_ranks: dict[str, float] | None = None
    critical_difference: float | None = None
    friedman_chi2: float | None = None
    n_folds: int | None = None
    note: str

    @model_validator(mode="before")
    @classmethod
    def _without_p_value(cls, data: Any) -> Any:
        """Drop the p-value that earlier verdicts gave."""
        return {k: v for k, v in data.items() if k != "p_value"} if isinstance(data, dict) else data


class VarianceSplit(TableRecord):
    """Standard deviations of a metric by source, in the metric's unit; None where there is no such source."""

    metric: str
    sd_contender: float | None
    sd_group: float | None
    sd_repeat: float | None
    sd_fold: float | None
    contenders: tuple[str, ...]
