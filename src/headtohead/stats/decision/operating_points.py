"""Operating points: thresholds chosen on inner lines, applied to the test lines of the same fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.stats.inner_predictions import InnerCell, InnerPredictions, per_line
from headtohead.stats.metrics.ranking import ratio
from headtohead.stats.resampled import ResampledPredictions, bootstrap_interval

__all__ = [
    "RULES",
    "ThresholdRule",
    "choose_threshold",
    "operating_points",
    "predictive_values_at_prevalence",
]

Floats = npt.NDArray[np.float64]

_REPORTED = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1")


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
    ThresholdRule("youden", "largest sensitivity + specificity - 1 (Youden 1950, Cancer 3:32)", _youden),
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
    cuts = np.concatenate([[levels[0] + 1e-9], (levels[:-1] + levels[1:]) / 2, [levels[-1]]])
    true = np.searchsorted(np.sort(-score[positive]), -cuts, side="right") / positive.sum()
    false = np.searchsorted(np.sort(-score[~positive]), -cuts, side="right") / (~positive).sum()
    return float(cuts[rule.pick(true, 1 - false, float(positive.mean()))])


def operating_points(
    setting: ResampledPredictions, inner: InnerPredictions, prevalence: float | None
) -> dict[str, Any]:
    """Return, per rule and contender, thresholds, what they were chosen for, and scores at them.

    Empty for more than two classes. With a prevalence, PPV and NPV there are added.
    """
    table = setting.table
    if not table.binary:
        return {}
    result: dict[str, Any] = {"half": _point(setting, None, "fixed beforehand at 0.5", prevalence)}
    ready = [name for name in table.contenders if inner.has(name)]
    for rule in RULES if ready else ():
        cuts = {
            name: per_line(table, inner, name, lambda cell, rule=rule: choose_threshold(rule, cell))  # type: ignore[misc]
            for name in ready
        }
        result[rule.name] = _point(setting, cuts, rule.purpose, prevalence)
    return result


def _point(
    setting: ResampledPredictions,
    cuts: dict[str, list[Floats]] | None,
    purpose: str,
    prevalence: float | None,
) -> dict[str, Any]:
    contenders: dict[str, Any] = {}
    for name in setting.table.contenders if cuts is None else cuts:
        thresholds: list[Floats | None] | None = None if cuts is None else list(cuts[name])
        values = setting.values(setting.table.of(name), _REPORTED, thresholds)
        entry: dict[str, Any] = {"scores": setting.scores(name, values, thresholds)}
        if cuts is not None:
            entry["thresholds"] = [sorted(set(map(float, chosen))) for chosen in cuts[name]]
        if prevalence is not None:
            entry["at_prevalence"] = _there(setting, values, entry["scores"], prevalence)
        contenders[name] = entry
    return {
        "chosen_for": purpose,
        "chosen_on": "nothing" if cuts is None else "inner folds",
        "contenders": contenders,
    }


def _there(
    setting: ResampledPredictions, values: dict[str, Floats], scores: list[dict[str, Any]], prevalence: float
) -> dict[str, dict[str, float | None]]:
    """Return PPV and NPV at the prevalence; where no resample varies, their bound at the rates' lower bounds."""
    lows = [next(s["low"] for s in scores if s["metric"] == name) for name in ("sensitivity", "specificity")]
    found = predictive_values_at_prevalence(values["sensitivity"], values["specificity"], prevalence)
    result = {}
    for name, replicates in found.items():
        result[name] = bootstrap_interval(replicates, setting.resamples, setting.level)
        if result[name]["value"] is not None and result[name]["low"] is None and None not in lows:
            worst = predictive_values_at_prevalence(np.array(lows[:1]), np.array(lows[1:]), prevalence)[name][
                0
            ]
            result[name] |= {"low": float(worst), "high": result[name]["value"]}
    return result


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
