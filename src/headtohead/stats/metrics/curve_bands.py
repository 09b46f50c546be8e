"""ROC and precision-recall curves with pointwise bands, from one set of resampled groups.

Both are averaged vertically over repeats (Fawcett 2006, Pattern Recognit Lett 27:861); between its points a
precision-recall curve is not a line, so precision is read at the first threshold that reaches a recall (Davis and
Goadrich 2006, ICML).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headtohead.core.tables.comparison import CurveBand, PrecisionRecallCurve, RocCurve
from headtohead.stats.metrics.roc_curves import roc_curves
from headtohead.stats.predictions import ContenderPredictions

if TYPE_CHECKING:
    from headtohead.stats.resampled import ResampledPredictions

__all__ = ["curves_with_bands"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_RATES = np.round(np.linspace(0.0, 1.0, 51), 2)  # linspace alone has 0.7000000000000001 and the like
_RECALLS = _RATES[1:]  # at a recall of 0 precision is not defined
# The 2.5 % quantile of 300 resamples is known to about a percentage point of its level; a line is no wider.
_DRAWS = 300
# More thresholds than a figure has pixels change nothing but the time.
_MOST_STEPS = 512


def curves_with_bands(
    resampled: ResampledPredictions,
) -> tuple[dict[str, dict[str, RocCurve]], dict[str, dict[str, PrecisionRecallCurve]]]:
    """Return contender -> class -> curve, for ROC and precision-recall; one class of two, else each against the rest.

    Bands are percentile intervals at each point, at the level of the verdict, resampling groups; they say nothing
    about the curve as a whole. There is none where too few resamples hold both kinds of samples.
    """
    table = resampled.table
    weights = resampled.resamples.weights[:, : 1 + min(resampled.resamples.n_boot, _DRAWS)]
    which = [1] if table.binary else list(range(len(table.classes)))
    roc, recall = roc_curves(table), dict[str, dict[str, PrecisionRecallCurve]]()
    for name in table.contenders:
        recall[name] = {}
        for c in which:
            label = table.classes[c]
            values = [_one_repeat(lines, c, weights) for lines in table.of(name)]
            sensitivity, precision = (np.mean([v[part] for v in values], axis=0) for part in range(2))
            band = _band(_RATES, sensitivity, resampled.level)
            roc[name][label] = roc[name][label].model_copy(update={"band": band})
            recall[name][label] = PrecisionRecallCurve(
                recall=tuple(_RECALLS.tolist()),
                # JSON has no NaN.
                precision=tuple(None if v != v else round(float(v), 4) for v in precision[0]),
                band=_band(_RECALLS, precision, resampled.level),
                prevalence=float((table.sample_label == c).mean()),
            )
    return roc, recall


def _one_repeat(
    lines: ContenderPredictions, which: int, weights: npt.NDArray[np.uint8]
) -> tuple[Floats, Floats]:
    """Return (draws, points): sensitivity by rate of false positives, and precision by recall; NaN if undefined."""
    step, positive = _steps(lines.prob[:, which]), lines.label == which
    n_steps = int(step.max()) + 1
    sensitivity = np.full((weights.shape[1], len(_RATES)), np.nan)
    precision = np.full((weights.shape[1], len(_RECALLS)), np.nan)
    for draw in range(weights.shape[1]):
        weight = weights[lines.group, draw].astype(np.float64)
        true = np.cumsum(np.bincount(step, weights=weight * positive, minlength=n_steps))
        false = np.cumsum(np.bincount(step, weights=weight * ~positive, minlength=n_steps))
        if true[-1] == 0 or false[-1] == 0:
            continue
        rate, found = np.append(0, false / false[-1]), np.append(0, true / true[-1])
        top = np.append(np.flatnonzero(np.diff(rate)), n_steps)  # where the curve rises, its upper end
        sensitivity[draw] = np.interp(_RATES, rate[top], found[top])
        first = np.searchsorted(found[1:], _RECALLS - 1e-12)  # a recall reached but for rounding is reached
        precision[draw] = true[first] / (true[first] + false[first])
    return sensitivity, precision


def _steps(score: Floats) -> Ints:
    """Return (n,) the place of each score among the different scores, highest first, merged where there are many."""
    different, place = np.unique(-score, return_inverse=True)
    if len(different) > _MOST_STEPS:
        place = place * _MOST_STEPS // len(different)
    return np.asarray(place.reshape(-1), dtype=np.int64)


def _band(at: Floats, values: Floats, level: float) -> CurveBand | None:
    """Return the pointwise percentile interval; None where fewer than half of the resamples are defined."""
    draws = values[1:]
    known = ~np.isnan(draws).any(axis=1)
    if np.isnan(values[0]).any() or len(draws) == 0 or known.mean() < 0.5:
        return None
    low, high = np.quantile(draws[known], [(1 - level) / 2, (1 + level) / 2], axis=0)
    low, high = np.minimum(low, values[0]), np.maximum(high, values[0])  # a curve lies in its band
    return CurveBand(
        at=tuple(at.tolist()), low=tuple(low.round(4).tolist()), high=tuple(high.round(4).tolist())
    )
