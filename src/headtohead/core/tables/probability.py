"""Tables on the probabilities: calibration, operating points, net benefit, conformal sets, abstention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from headtohead.core.tables.estimate import Estimate, TableRecord
from headtohead.core.tables.score import Score

__all__ = [
    "BrierParts",
    "CalibrationBin",
    "CalibrationCurve",
    "ConformalResult",
    "ConformalSets",
    "DecisionCurves",
    "OperatingPoint",
    "OperatingScores",
    "PredictiveValues",
    "RecalibratedScores",
    "Recalibration",
    "RiskCoverage",
    "RiskPoint",
]

_LOSS_CHANGE = "_log_loss_change"
_COVERAGE_OF = "coverage_"


class CalibrationBin(TableRecord):
    """Predictions of similar probability: their mean probability and the observed share of the class."""

    mean_probability: float
    n_lines: int
    n_groups: int
    observed: Estimate


class BrierParts(TableRecord):
    """The Brier score as reliability - resolution + uncertainty + within_bin."""

    reliability: float
    resolution: float
    uncertainty: float
    within_bin: float
    brier: float


class CalibrationCurve(TableRecord):
    """Calibration of one contender in equal-mass bins, with the parts of its Brier score."""

    bins: tuple[CalibrationBin, ...]
    brier_parts: BrierParts
    note: str = ""


class RecalibratedScores(TableRecord):
    """Scores after one method of recalibration, and the change of the log loss (below 0 is better)."""

    scores: tuple[Score, ...]
    log_loss_change: Estimate


class Recalibration(TableRecord):
    """Scores of one contender before and after each method of recalibration.

    In JSON each method is two keys: its name for the scores and <name>_log_loss_change.

    Attributes:
        methods: by name ("temperature", "platt", "isotonic", "venn_abers").
        venn_abers_width: mean distance of Venn-Abers' two probabilities on the test lines.
    """

    omitted: ClassVar[frozenset[str]] = frozenset({"venn_abers_width"})

    before: tuple[Score, ...]
    methods: dict[str, RecalibratedScores] = Field(default_factory=dict)
    venn_abers_width: float | None = None
    notes: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "methods" in data:
            return data
        names = [key.removesuffix(_LOSS_CHANGE) for key in data if key.endswith(_LOSS_CHANGE)]
        rest = {k: v for k, v in data.items() if k.removesuffix(_LOSS_CHANGE) not in names}
        methods = {n: {"scores": data[n], "log_loss_change": data[n + _LOSS_CHANGE]} for n in names}
        return rest | {"methods": methods}

    @model_serializer(mode="wrap")
    def _flat(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = self._without_omitted(dump)
        methods = content.pop("methods")
        flat = {"before": content.pop("before")}
        for name, after in methods.items():
            flat |= {name: after["scores"], f"{name}{_LOSS_CHANGE}": after["log_loss_change"]}
        return flat | content


class PredictiveValues(TableRecord):
    """Positive and negative predictive value at a given prevalence."""

    ppv: Estimate
    npv: Estimate


class OperatingScores(TableRecord):
    """Scores of one contender at its thresholds.

    Attributes:
        thresholds: by repeat, the thresholds that its folds chose; None where one was fixed beforehand.
        at_prevalence: None where no prevalence was given.
    """

    omitted: ClassVar[frozenset[str]] = frozenset({"thresholds", "at_prevalence"})

    scores: tuple[Score, ...]
    thresholds: tuple[tuple[float, ...], ...] | None = None
    at_prevalence: PredictiveValues | None = None


class OperatingPoint(TableRecord):
    """One rule for choosing a threshold, and the scores it leads to by contender."""

    chosen_for: str
    chosen_on: str
    contenders: dict[str, OperatingScores]


class DecisionCurves(TableRecord):
    """Net benefit over thresholds, for treating everybody, nobody, and by each contender."""

    prevalence: float
    prevalence_of_data: float
    thresholds: tuple[float, ...]
    treat_all: tuple[float, ...]
    treat_none: tuple[float, ...]
    contenders: dict[str, tuple[Estimate, ...]]
    note: str = ""


class ConformalResult(TableRecord):
    """Conformal sets of one contender on the test lines, or the reason why there are none.

    In JSON the coverage of each class is a key coverage_<class>.

    Attributes:
        refused: why no sets were formed; then every other field is None or empty.
        coverage: share of lines whose set holds the true class. mean_size: classes per set.
        singletons: share of sets of one class. singletons_right: of these, the share that is right.
        empty: share of empty sets. by_class: coverage of the lines of each class.
    """

    omitted: ClassVar[frozenset[str]] = frozenset(
        {"refused", "coverage", "singletons", "singletons_right", "empty", "mean_size"}
    )

    refused: str | None = None
    coverage: Estimate | None = None
    singletons: Estimate | None = None
    singletons_right: Estimate | None = None
    empty: Estimate | None = None
    by_class: dict[str, Estimate] = Field(default_factory=dict)
    mean_size: Estimate | None = None

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "by_class" in data:
            return data
        by_class = {k.removeprefix(_COVERAGE_OF): v for k, v in data.items() if k.startswith(_COVERAGE_OF)}
        return {k: v for k, v in data.items() if not k.startswith(_COVERAGE_OF)} | {"by_class": by_class}

    @model_serializer(mode="wrap")
    def _flat(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = self._without_omitted(dump)
        by_class = content.pop("by_class")
        return content | {f"{_COVERAGE_OF}{name}": value for name, value in by_class.items()}


class ConformalSets(TableRecord):
    """Conformal prediction sets at error rate `alpha`, by contender."""

    alpha: float
    contenders: dict[str, ConformalResult]


class RiskPoint(TableRecord):
    """The error rate among the lines whose confidence is at least `confidence`.

    Attributes:
        kept: share of lines that are answered.
    """

    kept: float
    confidence: float
    risk: Estimate


class RiskCoverage(TableRecord):
    """Error rate against the share of lines answered; `area` is the mean risk over all shares."""

    points: tuple[RiskPoint, ...]
    area: float
