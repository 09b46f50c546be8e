"""AUROC's variance in closed form: DeLong for independent samples, Obuchowski for groups.

Written here because no maintained Python library has Obuchowski's variance for groups of dependent samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy import stats

from headtohead.stats.predictions import ContenderPredictions

__all__ = [
    "StructuralComponents",
    "auroc_components",
    "auroc_test",
    "covariance",
    "logit_interval",
    "placements",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class StructuralComponents:
    """Structural components of an AUROC: what each unit (sample or group) adds beyond its expectation.

    Attributes:
        value: the AUROC, averaged over repeats (and classes, one against the rest).
        positive, negative: (n_units,) components of the unit's positives and of its negatives.
        has_positive, has_negative: (n_units,) whether the unit holds any.
    """

    value: float
    positive: Floats
    negative: Floats
    has_positive: npt.NDArray[np.bool_]
    has_negative: npt.NDArray[np.bool_]


def placements(score: Floats, positive: npt.NDArray[np.bool_]) -> Floats:
    """Return (n,) placement values: the share of the other class on the right side, ties by half.

    The structural components of DeLong, DeLong and Clarke-Pearson 1988 (Biometrics 44:837), by ranks
    in O(n log n) (Sun and Xu 2014, IEEE Signal Process Lett 21:1389).

    >>> placements(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])).tolist()
    [1.0, 0.5, 0.5, 1.0]
    """
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    ranks = stats.rankdata(score)
    result = np.empty(len(score))
    result[positive] = (ranks[positive] - stats.rankdata(score[positive])) / n_neg
    result[~positive] = 1 - (ranks[~positive] - stats.rankdata(score[~positive])) / n_pos
    return result


def auroc_components(
    repeats: Sequence[ContenderPredictions], n_units: int, *, by_group: bool
) -> StructuralComponents:
    """Compute the structural components of AUROC averaged over repeats; beyond two classes macro one-vs-rest.

    The mean over repeats of U-statistics on the same samples is a U-statistic whose components are
    the means of the components, so one variance serves all repeats.

    Args:
        n_units: number of samples, or of groups if `by_group`.
    """
    k = repeats[0].prob.shape[1]
    which = [1] if k == 2 else list(range(k))
    value, components = 0.0, np.zeros((2, n_units))
    holds = np.zeros((2, n_units), dtype=bool)
    parts = len(repeats) * len(which)
    for lines in repeats:
        unit = lines.group if by_group else lines.sample
        for c in which:
            positive = lines.label == c
            if positive.all() or not positive.any():
                nothing = np.zeros(n_units)
                return StructuralComponents(math.nan, nothing, nothing, nothing > 0, nothing > 0)
            placed = placements(lines.prob[:, c], positive)
            area = float(placed[positive].mean())
            value += area / parts
            for side, members in enumerate((positive, ~positive)):
                share = (placed[members] - area) / members.sum() / parts
                components[side] += np.bincount(unit[members], weights=share, minlength=n_units)
                holds[side, unit[members]] = True
    return StructuralComponents(value, components[0], components[1], holds[0], holds[1])


def covariance(a: StructuralComponents, b: StructuralComponents) -> float:
    """Return the covariance of two AUROCs on the same units; with a = b the variance.

    Obuchowski 1997 (Biometrics 53:567): S10/M + S01/N + 2 S11/(MN) on sums of placements per group.
    With each sample its own unit the cross term vanishes and DeLong's estimate remains.
    """
    first, second, both = (
        int(a.has_positive.sum()),
        int(a.has_negative.sum()),
        int((a.has_positive | a.has_negative).sum()),
    )
    if min(first, second) < 2:  # one unit on a side shows no spread
        return math.nan
    across = float(a.positive @ b.negative + a.negative @ b.positive) * both / (both - 1)
    return (
        float(a.positive @ b.positive) * first / (first - 1)
        + float(a.negative @ b.negative) * second / (second - 1)
        + across
    )


def auroc_test(a: StructuralComponents, b: StructuralComponents) -> tuple[float, float, float] | None:
    """Return (z, two-sided p, standard error) of the difference, or None where the variance is 0.

    DeLong, DeLong and Clarke-Pearson 1988 (Biometrics 44:837); by group Obuchowski 1997 (Biometrics 53:567).
    """
    variance = covariance(a, a) + covariance(b, b) - 2 * covariance(a, b)
    if not variance > 1e-18:  # rounding alone, as of two contenders that rank alike; also NaN
        return None
    error = math.sqrt(variance)
    z = (a.value - b.value) / error
    return z, 2 * _NORMAL.cdf(-abs(z)), error


def logit_interval(
    value: float, variance: float, level: float, degrees: float = math.inf
) -> tuple[float, float]:
    """Return the interval of an AUROC on the logit scale (Pepe 2003, section 5.2.3; Qin and Hotilovac 2008).

    Stays inside (0, 1) and is skewed as the sampling distribution is; the delta method gives the
    standard error of the logit.

    Args:
        value: the AUROC, strictly between 0 and 1. degrees: of the t quantile.

    >>> tuple(round(end, 3) for end in logit_interval(0.9, 0.03**2, 0.95))
    (0.824, 0.945)
    """
    error = math.sqrt(variance) / (value * (1 - value))
    # Beyond a million degrees of freedom the two quantiles agree to five decimals; infinity is the default.
    t = float(stats.t.ppf((1 + level) / 2, degrees)) if degrees < 1e6 else _NORMAL.inv_cdf((1 + level) / 2)
    centre = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(centre + side * t * error))) for side in (-1, 1))
    return low, high
