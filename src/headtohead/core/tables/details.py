"""Everything that a verdict and a comparison rest on beside scores and tests: one typed table per field."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from headtohead.core.tables.comparison import (
    ConfusionTable,
    CriticalDifference,
    PrecisionRecallCurve,
    RankTable,
    RocCurve,
    SubgroupTable,
    VarianceSplit,
)
from headtohead.core.tables.differences import MetricDifference
from headtohead.core.tables.estimate import TableRecord
from headtohead.core.tables.probability import (
    CalibrationCurve,
    ConformalSets,
    DecisionCurves,
    OperatingPoint,
    Recalibration,
    RiskCoverage,
)

__all__ = [
    "BestSet",
    "ComparisonDetails",
    "DiscordantCounts",
    "EnsembleGain",
    "FoldScore",
    "PowerAnalysis",
    "RepeatsRun",
    "SampleSize",
    "SeedStability",
    "TuningBudget",
    "VerdictDetails",
]

FoldScore = tuple[int, int, float | None, int]
"""Repeat, fold, value of the primary metric (None where not defined) and number of samples."""


class PowerAnalysis(TableRecord):
    """What a study of this size could show for one pair, and how many groups a stated difference would take.

    Attributes:
        detectable_difference: smallest true difference that would be shown with `power`.
        matters: the difference stated beforehand to matter, or None.
        fewest_groups, most_groups: range of groups that show it with `power`; None where none was stated, where even
            100,000 would not do, or where one group outweighs the others.
    """

    detectable_difference: float | None
    matters: float | None = None
    fewest_groups: int | None = None
    most_groups: int | None = None
    power: float
    method: str

    @model_validator(mode="before")
    @classmethod
    def _without_former_fields(cls, data: Any) -> Any:
        """Drop the sample sizes that verdicts of 0.1 worked out from the observed difference."""
        former = {"assumed_difference", "groups_needed", "more_groups", "groups_for_observed_difference"}
        if isinstance(data, dict):
            return {k: v for k, v in data.items() if k not in former | {"groups_for_width"}}
        return data


class DiscordantCounts(TableRecord):
    """Samples of one repeat that only one of two contenders gets right, with McNemar's p-values."""

    only_a: int
    only_b: int
    p_exact: float | None
    p_midp: float | None


class SeedStability(TableRecord):
    """How often the same rule would decide otherwise on a pair with other seeds of the folds.

    Attributes:
        changes: share of runs with as many repeats that would name a winner where none is named now, or none where one
            is named now.
        repeats: number of repeats at which that share is at most 5 %, if the difference stays; None above 100.
    """

    changes: float
    repeats: int | None = None


class RepeatsRun(TableRecord):
    """How `compare` came to its number of repeats, where that was left to it.

    Attributes:
        foretold: repeats, and the share of runs with other seeds that would then decide otherwise on the first pair, at
            each look; empty where seeds play no part in the decision.
        most: repeats that would have been run at most. sentence: the same in words.
    """

    foretold: tuple[tuple[int, float], ...]
    most: int
    sentence: str


class ComparisonDetails(TableRecord):
    """What the decision rule looked at for one pair.

    Attributes:
        p_value, p_holm: of the interval, before and after adjustment over the pairs (Holm; a stated primary pair keeps
            its own).
        p_equivalence: adjusted p-value of the two one-sided tests; None without a margin.
        degrees: effective degrees of freedom of the difference.
        rests_on: fewest groups of any kind that the metric rests on, and which.
        reason: the clause of the rule that decided.
        equivalence_interval: the (1 - 2 alpha) interval. rope: half-width of practical equivalence.
        power: None where the difference is not defined ({} in JSON).
        refusal: why no verdict was given, or "".
        discordant: one entry for each repeat.
        seeds: of cross-validation with three repeats or more; else None (left out of the JSON).
    """

    omitted: ClassVar[frozenset[str]] = frozenset({"seeds"})

    p_value: float | None = None
    p_holm: float | None = None
    p_equivalence: float | None = None
    degrees: float | None = None
    rests_on: tuple[int, str] | None = None
    reason: str = ""
    equivalence_interval: tuple[float, float] | None = None
    rope: float | None = None
    power: PowerAnalysis | None = None
    refusal: str = ""
    discordant: tuple[DiscordantCounts, ...] = ()
    seeds: SeedStability | None = None

    @field_validator("power", mode="before")
    @classmethod
    def _none_if_empty(cls, value: Any) -> Any:
        return value or None

    @model_serializer(mode="wrap")
    def _empty_if_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = self._without_omitted(dump)
        return content | {"power": content["power"] or {}}


class BestSet(TableRecord):
    """Which of three or more contenders may be the best (multiple comparison with the best).

    Attributes:
        highest: the contender with the best value. candidates: those that may be the best, best value first.
        excluded: those that are shown not to be. level: confidence that the best is among the candidates.
    """

    highest: str
    candidates: tuple[str, ...]
    excluded: tuple[str, ...]
    level: float


class SampleSize(TableRecord):
    """Samples, groups and repeats behind a verdict, and how its intervals were resampled."""

    n_samples: int
    n_groups: int
    n_repeats: int
    samples_per_class: dict[str, int]
    groups_per_class: dict[str, int]
    n_boot: int
    seed: int


class EnsembleGain(TableRecord):
    """The gain of an ensemble over its best member; above 0 is better, whatever the metric's direction."""

    contender: str
    member: str
    gain: float
    low: float
    high: float
    verdict: str
    sentence: str


class TuningBudget(TableRecord):
    """The budget for choosing hyper-parameters, and the combinations tried in each cell by contender."""

    stated: str
    trials: dict[str, tuple[int, ...]]


class VerdictDetails(TableRecord):
    """Tables behind a verdict.

    Attributes:
        positive: the positive of two classes; None beyond two.
        roc, precision_recall: contender -> class -> curve. subgroups: column -> table.
        per_repeat: contender -> the primary metric in each repeat, None where not defined. per_fold: and in each fold.
        intervals: contender -> method -> (low, high) of the primary metric.
        decision_curves: None beyond two classes ({} in JSON).
        best: None with fewer than three contenders, or where none may be judged (left out of the JSON).
        gains, budget: None where the study did not ask for them (left out of the JSON).
        no_probabilities: contender -> why it has no calibration, net benefit or risk-coverage curve; None where all
            contenders give probabilities (left out of the JSON).
        differences: of each pair in every metric, the primary one first; None in verdicts of earlier versions (left out
            of the JSON).
        repeats: None where their number was stated (left out of the JSON).
    """

    omitted: ClassVar[frozenset[str]] = frozenset(
        {"best", "gains", "budget", "no_probabilities", "differences", "repeats"}
    )

    classes: tuple[str, ...] = ()
    positive: str | None = None
    size: SampleSize | None = None
    confusion: dict[str, ConfusionTable] = Field(default_factory=dict)
    roc: dict[str, dict[str, RocCurve]] = Field(default_factory=dict)
    precision_recall: dict[str, dict[str, PrecisionRecallCurve]] = Field(default_factory=dict)
    calibration: dict[str, CalibrationCurve] = Field(default_factory=dict)
    recalibration: dict[str, Recalibration] = Field(default_factory=dict)
    operating_points: dict[str, OperatingPoint] = Field(default_factory=dict)
    decision_curves: DecisionCurves | None = None
    conformal: ConformalSets | None = None
    risk_coverage: dict[str, RiskCoverage] = Field(default_factory=dict)
    subgroups: dict[str, SubgroupTable] = Field(default_factory=dict)
    ranks: RankTable | None = None
    critical_difference: CriticalDifference | None = None
    variance: VarianceSplit | None = None
    per_repeat: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    per_fold: dict[str, tuple[FoldScore, ...]] = Field(default_factory=dict)
    intervals: dict[str, dict[str, tuple[float, float]]] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    best: BestSet | None = None
    gains: tuple[EnsembleGain, ...] | None = None
    budget: TuningBudget | None = None
    no_probabilities: dict[str, str] | None = None
    differences: tuple[MetricDifference, ...] | None = None
    repeats: RepeatsRun | None = None

    @field_validator("decision_curves", mode="before")
    @classmethod
    def _none_if_empty(cls, value: Any) -> Any:
        return value or None

    @model_serializer(mode="wrap")
    def _empty_if_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = self._without_omitted(dump)
        return content | {"decision_curves": content["decision_curves"] or {}}
