"""What an evaluation on other data found, as records: evaluation.json."""

from __future__ import annotations

from pydantic import Field

from headtohead.core.records import Record, Score
from headtohead.core.tables.estimate import Estimate

__all__ = [
    "CalibrationShift",
    "ConformalOnData",
    "Evaluation",
    "FailedImage",
    "InternalComparison",
    "LeakCheck",
    "ModelEvaluation",
    "ThresholdScores",
]


class FailedImage(Record):
    """An image without a prediction."""

    sample: str
    error: str


class LeakCheck(Record):
    """Images of the data that a model was trained on, found by the hashes in its bundle.

    Attributes:
        samples: in training, by bytes or by pixels.
        near_copies: nearly equal to a training image; None where the model holds no hashes to tell.
        left_out: samples left out of the scores: those in training, near copies, and all others of their groups.
    """

    samples: tuple[str, ...] = ()
    near_copies: tuple[str, ...] | None = None
    left_out: int = 0
    sentence: str


class InternalComparison(Record):
    """One score here against the cross-validated one of the bundle.

    Attributes:
        difference: external - internal, with an interval by the method of variance estimates recovery.
        shifted: the interval leaves 0 out.
    """

    metric: str
    internal: Score
    external: Score
    difference: Estimate
    shifted: bool


class CalibrationShift(Record):
    """Whether probabilities mean here what they meant in training.

    Attributes:
        intercept, slope: of the logistic recalibration; 0 and 1 where nothing has shifted.
        before, after: log loss before and after the temperature is refitted, cross-fitted over groups;
            None where recalibration was not asked for.
        temperature: on top of the bundle's own.
    """

    intercept: Score | None = None
    slope: Score | None = None
    sentence: str
    temperature: float | None = None
    before: float | None = None
    after: float | None = None


class ConformalOnData(Record):
    """What conformal sets do here; `promised` is 1 - alpha."""

    promised: float
    coverage: Estimate
    by_class: dict[str, Estimate]
    abstained: Estimate


class ThresholdScores(Record):
    """Scores at one of the model's thresholds, which was chosen before these data were seen."""

    name: str
    value: float
    scores: tuple[Score, ...]


class ModelEvaluation(Record):
    """One model on the data.

    Attributes:
        flags: what the guard noticed -> on how many images.
        expected_flags: share of images like the training images that a flag is raised on.
    """

    name: str
    digest: str
    leak: LeakCheck
    failed: tuple[FailedImage, ...] = ()
    flags: dict[str, int] = Field(default_factory=dict)
    expected_flags: dict[str, float] = Field(default_factory=dict)
    internal: tuple[InternalComparison, ...] = ()
    calibration: CalibrationShift
    conformal: ConformalOnData | None = None
    thresholds: tuple[ThresholdScores, ...] = ()
    caveats: tuple[str, ...] = ()


class Evaluation(Record):
    """Models on data that they were not trained on.

    Attributes:
        per: "case:mean" or "case:max" where each case is scored once; None where each image is.
    """

    format: int = 1
    data: str
    n_samples: int
    n_scored: int
    n_groups: int
    models: tuple[ModelEvaluation, ...]
    sentences: tuple[str, ...]
    caveats: tuple[str, ...] = ()
    per: str | None = None
    research_use_only: bool = True
