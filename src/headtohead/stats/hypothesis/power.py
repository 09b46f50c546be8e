"""How many groups it would take: power by simulation from the differences that were seen, group by group."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["detectable_difference", "groups_for_width", "groups_needed", "influence", "simulated_power"]

Floats = npt.NDArray[np.float64]
_NORMAL = NormalDist()
_MOST = 100_000


def influence(jack: Floats) -> Floats:
    """Return each unit's pull on the statistic, centred: (J - 1) (mean - value without the unit).

    The pulls of J jackknife units have variance J times that of the statistic (Efron and Tibshirani
    1993, section 11.5), so a study of n units is imitated by the mean of n draws from them.
    """
    known = jack[~np.isnan(jack)]
    return np.asarray((len(known) - 1) * (known.mean() - known))


def simulated_power(
    pulls: Floats, difference: float, n: int, level: float, rng: np.random.Generator
) -> float:
    """Return the share of 400 imagined studies of `n` groups whose interval excludes 0.

    Power by simulation, for want of a formula that knows the pulls' skewness (Arnold et al. 2011, BMC Med Res
    Methodol 11:94).

    Args:
        pulls: (J,) as from `influence`; drawn with replacement, `n` per study.
        difference: the true difference supposed.
    """
    z = _NORMAL.inv_cdf((1 + level) / 2)
    drawn = pulls[rng.integers(len(pulls), size=(400, n))] + difference
    error = drawn.std(axis=1, ddof=1) / math.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.abs(drawn.mean(axis=1)) > z * error))


def groups_needed(
    pulls: Floats, difference: float, n_groups: int, *, level: float = 0.95, power: float = 0.8, seed: int = 0
) -> int | None:
    """Return how many groups a study needs to show `difference` with the given power, None above 100,000.

    The normal approximation n = ((z_alpha/2 + z_power) sd / difference)^2 gives the start (Lachin
    1981, Control Clin Trials 2:93); below 2,000
    groups bisection on the simulated power takes over, which sees the skewness of the pulls.

    Args:
        pulls: (J,) as from `influence`. n_groups: groups that the J units stand for.
    """
    spread = float(pulls.std(ddof=1)) if len(pulls) > 1 else 0.0
    if difference == 0 or spread == 0:
        return None
    scale = n_groups / len(pulls)
    z = _NORMAL.inv_cdf((1 + level) / 2) + _NORMAL.inv_cdf(power)
    guess = (z * spread / abs(difference)) ** 2
    if guess * scale > _MOST:
        return None
    if guess > 2000:
        return math.ceil(guess * scale)
    rng = np.random.default_rng([seed, 8_011])
    low, high = max(3, int(guess * 0.4)), max(8, math.ceil(guess * 1.8))
    while high - low > max(1, low // 40):
        middle = (low + high) // 2
        if simulated_power(pulls, difference, middle, level, rng) >= power:
            high = middle
        else:
            low = middle
    return math.ceil(high * scale)


def detectable_difference(standard_error: float, level: float = 0.95, power: float = 0.8) -> float:
    """Return the true difference that this study would have shown with the given power.

    That is (z_alpha/2 + z_power) times the standard error (Lachin 1981, Control Clin Trials 2:93).

    >>> round(detectable_difference(0.01), 4)
    0.028
    """
    return (_NORMAL.inv_cdf((1 + level) / 2) + _NORMAL.inv_cdf(power)) * standard_error


def groups_for_width(n_groups: int, half_width: float, wanted: float) -> int:
    """Return how many groups bring the interval's half-width down to `wanted` (it shrinks as 1/sqrt(n)).

    From the half-width z sd / sqrt(n) (Lachin 1981, Control Clin Trials 2:93).

    >>> groups_for_width(100, 0.1, 0.05)
    400
    """
    return math.ceil(n_groups * (half_width / wanted) ** 2 - 1e-9)
