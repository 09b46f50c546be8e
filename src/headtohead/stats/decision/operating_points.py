"""Operating points: thresholds chosen on inner lines, applied to the test lines of the same fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Score
from headtohead.core.tables.estimate import Estimate
from headtohead.core.tables.probability import OperatingPoint, OperatingScores, PredictiveValues
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions, per_line
from headtohead.stats.metrics.lookup import metrics_shown
from headtohead.stats.metrics.ranking import ratio
from headtohead.stats.resampled import Replicates, ResampledPredictions

__all__ = [
    "RULES",
    "ThresholdRule",
    "choose_threshold",
    "operating_points",
    "predictive_values_at_prevalence",
]

Floats = npt.NDArray[np.float64]

_RATES = ("sensitivity", "specificity")
# Replicates by metric, and the thresholds they were taken at: by repeat, or None for 0.5.
_AtThresholds = tuple[dict[str, Floats], list[Floats] | None]


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """One way to choose a threshold and the words for what it was chosen for."""

    name: str
    purpose: str
    pick: Callable[[Floats, Floats, float], int]


def _youden(sensitivity: Floats, specificity: Floats, share: float) -> int:
    del share
    return int(np.argmax(sensitivity + specificity))


def _keep_sensitivity(sensitivity: Floats, specificity: Floats, share: float) -> int:
    del share
    return int(np.argmax(np.where(sensitivity >= 0.9, specificity, -1.0)))


def _keep_specificity(sensitivity: Floats, specificity: Floats, share: float) -> int:
    del share
    return int(np.argmax(np.where(specificity >= 0.9, sensitivity, -1.0)))


def _cost(sensitivity: Floats, specificity: Floats, share: float) -> int:
    loss = 5 * share * (1 - sensitivity) + (1 - share) * (1 - specificity)
    return int(np.argmin(loss))


RULES = (
    ThresholdRule("youden", "largest sensitivity + specificity − 1 (Youden 1950, Cancer 3:32)", _youden),
    ThresholdRule(
        "sensitivity_90", "best specificity with an inner sensitivity of at least 0.9", _keep_sensitivity
    ),
    ThresholdRule(
        "specificity_90", "best sensitivity with an inner specificity of at least 0.9", _keep_specificity
    ),
    ThresholdRule("cost_5_to_1", "least cost when a missed positive costs five false alarms", _cost),
)


def choose_threshold(rule: ThresholdRule, cell: InnerCell) -> float:
    """Return the threshold that the rule picks on inner lines; midway between two neighbouring scores.

    Ties go to the highest threshold.

    >>> cell = InnerCell(np.array([0, 0, 1, 1]), np.arange(4), np.array([[.9, .1], [.6, .4], [.5, .5], [.1, .9]]))
    >>> choose_threshold(RULES[0], cell)
    0.45
    """
    score, positive = cell.prob[:, 1], cell.label == 1
    levels = np.unique(score)[::-1]
    # From a cut that calls nothing positive to one that calls everything positive.
    cuts = np.concatenate([[levels[0] + 1e-9], (levels[:-1] + levels[1:]) / 2, [levels[-1]]])
    # Negated, since searchsorted counts up to a value and the scores at or above the cut are wanted.
    true = np.searchsorted(np.sort(-score[positive]), -cuts, side="right") / positive.sum()
    false = np.searchsorted(np.sort(-score[~positive]), -cuts, side="right") / (~positive).sum()
    return float(cuts[rule.pick(true, 1 - false, float(positive.mean()))])


def operating_points(
    resampled: ResampledPredictions,
    inner: InnerPredictions,
    prevalence: float | None,
    replicates: Replicates,
) -> dict[str, OperatingPoint]:
    """Return the operating point of each rule: thresholds, what they were chosen for, and scores at them.

    Empty beyond two classes, and where only the order of the scores counts. With a prevalence, PPV and NPV there are
    added.

    Args:
        replicates: of all metrics, classes called at 0.5.
    """
    table = resampled.table
    if not table.binary or table.ranks_only:
        return {}
    shown = metrics_shown("operating_point")
    half = {name: ({m: replicates[name][m] for m in shown}, None) for name in table.contenders}
    points = {"half": _point(resampled, half, "fixed beforehand at 0.5", prevalence)}
    with_inner = [name for name in table.contenders if inner.has(name)]
    for rule in RULES if with_inner else ():
        choose = partial(choose_threshold, rule)
        chosen: dict[str, _AtThresholds] = {}
        for name in with_inner:
            thresholds = per_line(table, inner, name, choose)
            chosen[name] = resampled.values(table.of(name), shown, thresholds), thresholds
        points[rule.name] = _point(resampled, chosen, rule.purpose, prevalence)
    return points


def _point(
    resampled: ResampledPredictions,
    at_thresholds: Mapping[str, _AtThresholds],
    purpose: str,
    prevalence: float | None,
) -> OperatingPoint:
    contenders = {}
    for name, (values, thresholds) in at_thresholds.items():
        scores = resampled.scores(name, values, thresholds)
        contenders[name] = OperatingScores(
            scores=scores,
            thresholds=None
            if thresholds is None
            else tuple(tuple(sorted(set(map(float, lines)))) for lines in thresholds),
            at_prevalence=None
            if prevalence is None
            else _at_prevalence(resampled, values, scores, prevalence),
        )
    fixed = all(thresholds is None for _, thresholds in at_thresholds.values())
    chosen_on = "nothing" if fixed else "inner folds"
    return OperatingPoint(chosen_for=purpose, chosen_on=chosen_on, contenders=contenders)


def _at_prevalence(
    resampled: ResampledPredictions, values: dict[str, Floats], scores: Sequence[Score], prevalence: float
) -> PredictiveValues:
    """Return PPV and NPV at a prevalence; where no resample varies, their bound at the rates' lower bounds."""
    sensitivity, specificity = (values[name] for name in _RATES)
    replicates = predictive_values_at_prevalence(sensitivity, specificity, prevalence)
    lows = [next(score.low for score in scores if score.metric == name) for name in _RATES]
    result = {}
    for name, of_name in replicates.items():
        estimate = resampled.interval(of_name)
        if estimate.value is not None and estimate.low is None and None not in lows:
            worst = predictive_values_at_prevalence(np.array(lows[:1]), np.array(lows[1:]), prevalence)
            low = float(worst[name][0])
            estimate = Estimate(value=estimate.value, low=low, high=estimate.value)
        result[name] = estimate
    return PredictiveValues(**result)


def predictive_values_at_prevalence(
    sensitivity: Floats, specificity: Floats, prevalence: float
) -> dict[str, Floats]:
    """Return PPV and NPV where a share `prevalence` is positive (Bayes; Altman and Bland 1994, BMJ 309:102).

    >>> found = predictive_values_at_prevalence(np.array([0.9]), np.array([0.9]), 0.02)
    >>> round(float(found["ppv"][0]), 4), round(float(found["npv"][0]), 4)
    (0.1552, 0.9977)
    """
    true, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    clear, missed = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    return {"ppv": ratio(true, true + false), "npv": ratio(clear, clear + missed)}
