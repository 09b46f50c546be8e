"""Intervals from a value and its standard error, and the jackknife's variance over groups."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from headtohead.stats.intervals.proportions import wilson_interval

__all__ = ["jackknife_variance", "score_interval", "transformed_interval"]

Floats = npt.NDArray[np.float64]
Ends = tuple[float, float]

# The largest exponent that double precision holds, a little below 709.
_LARGEST_EXPONENT = 700.0


def jackknife_variance(jack: Floats) -> float:
    """Return the jackknife variance over groups: (J - 1)/J times the sum of squares (Tukey 1958).

    >>> data = np.array([1.0, 2.0, 4.0, 9.0])
    >>> means = (data.sum() - data) / 3
    >>> round(jackknife_variance(means), 6) == round(float(data.var(ddof=1)) / 4, 6)
    True
    """
    defined = jack[~np.isnan(jack)]
    if len(defined) < 2:
        return math.nan
    return float((len(defined) - 1) / len(defined) * ((defined - defined.mean()) ** 2).sum())


def transformed_interval(
    value: float, error: float, degrees: float, level: float, low: float, high: float
) -> Ends:
    """Return value ± t * error, set up on the scale that suits the metric's range.

    Logit of the position between `low` and `high` where both are finite (Pepe 2003, section 5.2.3, for
    AUROC), log above a finite `low` alone, the plain scale otherwise; standard errors by the delta method.

    >>> tuple(round(end, 3) for end in transformed_interval(0.9, 0.03, 1e9, 0.95, 0.0, 1.0))
    (0.824, 0.945)
    """
    t = float(special.stdtrit(degrees, (1 + level) / 2))
    if not math.isfinite(low):
        return value - t * error, value + t * error
    if not math.isfinite(high):
        factor = math.exp(min(_LARGEST_EXPONENT, t * error / (value - low)))
        return low + (value - low) / factor, low + (value - low) * factor
    share = (value - low) / (high - low)
    half = t * error / (high - low) / (share * (1 - share))
    centre = math.log(share / (1 - share))
    down, up = (float(special.expit(centre + side * half)) for side in (-1, 1))
    return low + (high - low) * down, low + (high - low) * up


def score_interval(value: float, error: float, degrees: float, level: float, low: float, high: float) -> Ends:
    """Return Wilson's interval at the effective sample size p (1 - p) / error², p the place in the range.

    Where a statistic is a share of pairs or of a range, its standard error shrinks towards the ends like a
    share's does; Wilson's form asks which truths would have given the value instead of trusting the error
    at the value itself (Wilson 1927; for areas: Kottas, Kuss and Zapf 2014, BMC Med Res Methodol 14:26).

    >>> tuple(round(end, 3) for end in score_interval(0.9, 0.03, 1e9, 0.95, 0.0, 1.0))
    (0.826, 0.945)
    """
    t = float(special.stdtrit(degrees, (1 + level) / 2))
    share, spread = (value - low) / (high - low), error / (high - low)
    size = share * (1 - share) / spread**2
    down, up = wilson_interval(share * size, size, level, z=t)
    return low + (high - low) * down, low + (high - low) * up
