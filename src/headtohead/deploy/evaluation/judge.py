"""Compare a model's scores on other data with those that came with it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Score
from headtohead.core.tables.estimate import Estimate
from headtohead.deploy.bundle.records import BundleCalibration, NamedThreshold
from headtohead.deploy.evaluation.records import (
    CalibrationShift,
    ConformalOnData,
    InternalComparison,
    ThresholdScores,
)
from headtohead.deploy.predict.calibrated import ROUNDING, calibrate
from headtohead.stats.inner_predictions import InnerCell
from headtohead.stats.metrics.lookup import metrics_shown
from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.resampled import ResampledPredictions

__all__ = [
    "at_thresholds",
    "calibration_shift",
    "compare_internal",
    "conformal_on_data",
    "difference_interval",
]

Floats = npt.NDArray[np.float64]
SMALLEST = 1e-12  # a probability of 0 has no logarithm; far below any calibrated one
FOLDS = 5  # of the cross-fitted recalibration, as elsewhere
# A metric is compared where both numbers mean the same: those of calibration are compared in `CalibrationShift`.
OF_CALIBRATION = ("calibration_intercept", "calibration_slope", "ece", "ace")


def difference_interval(external: Score, internal: Score) -> Estimate:
    """Return external - internal of two independent samples with its interval.

    Method of variance estimates recovery: the limits of both scores are combined by squares (Zou and Donner 2008,
    Stat Med 27:1693; for proportions Newcombe 1998, Stat Med 17:873, method 10).
    """
    numbers = (external.value, external.low, external.high, internal.value, internal.low, internal.high)
    if any(number is None for number in numbers):
        return Estimate(value=None, low=None, high=None)
    # No number is None here, which mypy cannot tell.
    value, low, high, base, base_low, base_high = (float(number or 0.0) for number in numbers)
    gap = value - base
    return Estimate(
        value=gap,
        low=gap - math.hypot(value - low, base_high - base),
        high=gap + math.hypot(high - value, base - base_low),
    )


def compare_internal(
    external: tuple[Score, ...],
    internal: tuple[Score, ...],
    calibrated: tuple[Score, ...],
    *,
    comparable: bool = True,
) -> tuple[InternalComparison, ...]:
    """Return each score here against the cross-validated one, after calibration where it matters.

    Args:
        external: of these data. internal: of the bundle. calibrated: the same after calibration.
        comparable: both count the same units, images or cases; else no difference is defined.
    """
    # The calibrated come last and win: what the bundle answers is calibrated.
    known = {score.metric: score for score in (*internal, *calibrated)}
    found = []
    for score in external:
        if score.metric not in known or score.metric in OF_CALIBRATION:
            continue
        difference = Estimate(value=None, low=None, high=None)
        if comparable:
            difference = difference_interval(score, known[score.metric])
        shifted = difference.low is not None and difference.high is not None
        shifted = shifted and not (difference.low or 0.0) <= 0 <= (difference.high or 0.0)
        found.append(
            InternalComparison(
                metric=score.metric,
                internal=known[score.metric],
                external=score,
                difference=difference,
                shifted=shifted,
            )
        )
    return tuple(found)


def calibration_shift(
    scores: tuple[Score, ...], cell: InnerCell, *, recalibrate: bool, seed: int
) -> CalibrationShift:
    """Return whether probabilities mean here what they meant in training, and what a new temperature would change.

    Args:
        scores: of the model on these data.
        cell: labels, groups and probabilities of all scored images.
        recalibrate: fit a temperature here too, judged by cross-fitting over whole groups.
    """
    known = {score.metric: score for score in scores}
    intercept, slope = known.get("calibration_intercept"), known.get("calibration_slope")
    looked_at = (("level", intercept, 0.0), ("spread", slope, 1.0))
    moved = [name for name, score, still in looked_at if _leaves(score, still)]
    if intercept is None or slope is None or intercept.value is None or slope.value is None:
        sentence = "Calibration intercept and slope are not defined here."
    elif moved:
        sentence = (
            f"The {' and '.join(moved)} of the probabilities shifted on these data (intercept {intercept}, slope "
            f"{slope}; 0 and 1 where nothing shifts)."
        )
    else:
        sentence = f"No evidence that calibration shifted (intercept {intercept}, slope {slope})."
    if not recalibrate:
        return CalibrationShift(intercept=intercept, slope=slope, sentence=sentence)
    temperature, before, after = _recalibrated(cell, seed)
    return CalibrationShift(
        intercept=intercept,
        slope=slope,
        sentence=sentence,
        temperature=temperature,
        before=before,
        after=after,
    )


def _leaves(score: Score | None, value: float) -> bool:
    if score is None or score.low is None or score.high is None:
        return False
    return not score.low <= value <= score.high


def _recalibrated(cell: InnerCell, seed: int) -> tuple[float, float, float]:
    from headtohead.data.splits.folds import inner_folds
    from headtohead.stats.calibration.recalibration import fit_temperature

    logs = np.log(np.clip(cell.prob, SMALLEST, 1.0)).astype(np.float32)
    after = cell.prob.copy()
    covered = np.zeros(len(cell.label), bool)
    # inner_folds takes names of groups, and the cell has numbers
    for fit, held_out in inner_folds(cell.label, cell.group.astype(str).astype(object), FOLDS, seed):
        t = fit_temperature(InnerCell(cell.label[fit], cell.group[fit], cell.prob[fit]))
        after[held_out], covered[held_out] = calibrate(logs[held_out], t), True
    rows = np.flatnonzero(covered)
    return (
        fit_temperature(cell),
        _log_loss(cell.prob[rows], cell.label[rows]),
        _log_loss(after[rows], cell.label[rows]),
    )


def _log_loss(prob: Floats, label: npt.NDArray[np.int64]) -> float:
    return float(-np.log(np.clip(prob[np.arange(len(label)), label], SMALLEST, 1.0)).mean())


def conformal_on_data(
    resampled: ResampledPredictions, contender: str, calibration: BundleCalibration
) -> ConformalOnData | None:
    """Return coverage of the model's conformal sets here, in all and by class, and how often it abstains."""
    if calibration.quantiles is None:
        return None
    table = resampled.table
    (lines,) = table.of(contender)
    cuts = np.array([calibration.quantiles[name] for name in table.classes])
    member = 1 - lines.prob <= cuts + ROUNDING
    covered = member[np.arange(len(lines.label)), lines.label].astype(float)
    truth = np.eye(len(table.classes))[lines.label]
    # Columns: lines, covered, abstained; then for each class its lines and those covered.
    columns = np.column_stack(
        [np.ones(len(covered)), covered, member.sum(axis=1) != 1, truth, truth * covered[:, None]]
    ).astype(float)
    # rows are these columns, columns resamples
    sums = group_sums(columns, lines.group, table.n_groups).T @ resampled.resamples.weights
    k = len(table.classes)
    return ConformalOnData(
        promised=1 - calibration.alpha,
        coverage=resampled.proportion(ratio(sums[1], sums[0]), table.n_groups),
        by_class={
            name: resampled.proportion(ratio(sums[3 + k + c], sums[3 + c]), table.groups_with(c))
            for c, name in enumerate(table.classes)
        },
        abstained=resampled.proportion(ratio(sums[2], sums[0]), table.n_groups),
    )


def at_thresholds(
    resampled: ResampledPredictions, contender: str, thresholds: tuple[NamedThreshold, ...]
) -> tuple[ThresholdScores, ...]:
    """Return scores at the thresholds of the bundle; empty beyond two classes."""
    if not resampled.table.binary:
        return ()
    found = []
    for threshold in thresholds:
        lines = resampled.table.of(contender)
        cuts = [np.full(len(part.label), threshold.value) for part in lines]
        values = resampled.values(lines, metrics_shown("operating_point"), cuts)
        scores = tuple(resampled.scores(contender, values, cuts))
        found.append(ThresholdScores(name=threshold.name, value=threshold.value, scores=scores))
    return tuple(found)
