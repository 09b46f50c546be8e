"""Everything that a verdict and a comparison rest on beside scores and tests: one typed table per field."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from headtohead.core.tables.comparison import (
    ConfusionTable,
    CriticalDifference,
    RankTable,
    RocCurve,
    SubgroupTable,
    VarianceSplit,
)
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
    "ComparisonDetails",
    "DiscordantCounts",
    "EnsembleGain",
    "FoldScore",
    "PowerAnalysis",
    "SampleSize",
    "TuningBudget",
    "VerdictDetails",
]

FoldScore = tuple[int, int, float | None, int]
"""Repeat, fold, value of the primary metric (None where not defined) and number of samples."""


class PowerAnalysis(TableRecord):
    """What a study of this size could show for one pair, and how many groups it would take.

    Attributes:
        detectable_difference: smallest true difference that would be shown with `power`.
        assumed_difference: the difference that `groups_needed` is for.
        groups_needed: None where even 100,000 groups would not show it.
        more_groups: those needed beyond the present ones.
        groups_for_observed_difference: None as above.
        groups_for_width: groups that would narrow the interval to the rule's bound.
    """

    detectable_difference: float | None
    assumed_difference: float
    groups_needed: int | None
    more_groups: int | None
    groups_for_observed_difference: int | None
    groups_for_width: int
    power: float
    method: str


class DiscordantCounts(TableRecord):
    """Samples of one repeat that only one of two contenders gets right, with McNemar's p-values."""

    only_a: int
    only_b: int
    p_exact: float | None
    p_midp: float | None


class ComparisonDetails(TableRecord):
    """What the decision rule looked at for one pair.

    Attributes:
        p_value, p_holm: of the interval, before and after Holm's adjustment.
        reason: the clause of the rule that decided.
        equivalence_interval: the (1 - 2 alpha) interval. rope: half-width of practical equivalence.
        power: None where the difference is not defined ({} in JSON).
        refusal: why no verdict was given, or "".
        discordant: one entry for each repeat.
    """

    p_value: float | None = None
    p_holm: float | None = None
    reason: str = ""
    equivalence_interval: tuple[float, float] | None = None
    rope: float | None = None
    power: PowerAnalysis | None = None
    refusal: str = ""
    discordant: tuple[DiscordantCounts, ...] = ()

    @field_validator("power", mode="before")
    @classmethod
    def _none_if_empty(cls, value: Any) -> Any:
        return value or None

    @model_serializer(mode="wrap")
    def _empty_if_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = self._without_omitted(dump)
        return content | {"power": content["power"] or {}}


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
        roc: contender -> class -> curve. subgroups: column -> table.
        per_repeat: contender -> the primary metric in each repeat. per_fold: and in each fold.
        intervals: contender -> method -> (low, high) of the primary metric.
        decision_curves: None beyond two classes ({} in JSON).
        gains, budget: None where the study did not ask for them (left out of the JSON).
    """

    omitted: ClassVar[frozenset[str]] = frozenset({"gains", "budget"})

    classes: tuple[str, ...] = ()
    positive: str | None = None
    size: SampleSize | None = None
    confusion: dict[str, ConfusionTable] = Field(default_factory=dict)
    roc: dict[str, dict[str, RocCurve]] = Field(default_factory=dict)
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
    per_repeat: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    per_fold: dict[str, tuple[FoldScore, ...]] = Field(default_factory=dict)
    intervals: dict[str, dict[str, tuple[float, float]]] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    gains: tuple[EnsembleGain, ...] | None = None
    budget: TuningBudget | None = None

    @field_validator("decision_curves", mode="before")
    @classmethod
    def _none_if_empty(cls, value: Any) -> Any:
        return value or None

    @model_serializer(mode="wrap")
    def _empty_if_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = self._without_omitted(dump)
        return content | {"decision_curves": content["decision_curves"] or {}}
