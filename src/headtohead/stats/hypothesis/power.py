"""Power and sample size: by simulation from the observed differences of the groups, and in closed form."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = [
    "detectable_difference",
    "groups_for_difference",
    "groups_needed",
    "hanley_mcneil_error",
    "influence",
    "simulated_power",
    "smallest_accuracy_difference",
    "smallest_auroc_difference",
]

Floats = npt.NDArray[np.float64]
_NORMAL = NormalDist()
# A study of more groups than this is not going to be made.
_MOST = 100_000
# Simulated studies per sample size: the power is then known to two points (sqrt(0.8 * 0.2 / 400)).
_STUDIES = 400
# Above this the normal approximation holds, and a simulation would only cost time and memory.
_ENOUGH_FOR_NORMAL = 2000
# Keeps this stream apart from the others that are drawn from the same seed.
_STREAM = 8_011


def influence(jack: Floats) -> Floats:
    """Return each unit's influence on the statistic, centred: (J - 1) (mean - value without the unit).

    The influences of J jackknife units have variance J times that of the statistic (Efron and Tibshirani
    1993, section 11.5), so a study of n units is imitated by the mean of n draws from them.
    """
    known = jack[~np.isnan(jack)]
    return np.asarray((len(known) - 1) * (known.mean() - known))


def simulated_power(
    influences: Floats, difference: float, n: int, level: float, rng: np.random.Generator
) -> float:
    """Return the share of 400 simulated studies of `n` groups whose interval excludes 0.

    Power by simulation, because no formula accounts for the influences' skewness (Arnold et al. 2011, BMC Med Res
    Methodol 11:94).

    Args:
        influences: (J,) as from `influence`; drawn with replacement, `n` per study.
        difference: the true difference supposed.
    """
    z = _NORMAL.inv_cdf((1 + level) / 2)
    drawn = influences[rng.integers(len(influences), size=(_STUDIES, n))] + difference
    error = drawn.std(axis=1, ddof=1) / math.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.abs(drawn.mean(axis=1)) > z * error))


def groups_needed(
    influences: Floats,
    difference: float,
    n_groups: int,
    *,
    level: float = 0.95,
    power: float = 0.8,
    seed: int = 0,
) -> int | None:
    """Return how many groups a study needs to show `difference` with the given power, None above 100,000.

    The normal approximation n = ((z_alpha/2 + z_power) sd / difference)^2 gives the start (Lachin
    1981, Control Clin Trials 2:93); below 2,000
    groups bisection on the simulated power takes over, which sees the skewness of the influences.

    Args:
        influences: (J,) as from `influence`. n_groups: groups that the J units stand for.
    """
    spread = float(influences.std(ddof=1)) if len(influences) > 1 else 0.0
    if difference == 0 or spread == 0:
        return None
    scale = n_groups / len(influences)
    z = _NORMAL.inv_cdf((1 + level) / 2) + _NORMAL.inv_cdf(power)
    guess = (z * spread / abs(difference)) ** 2
    if guess * scale > _MOST:
        return None
    if guess > _ENOUGH_FOR_NORMAL:
        return math.ceil(guess * scale)
    rng = np.random.default_rng([seed, _STREAM])
    low, high = max(3, int(guess * 0.4)), max(8, math.ceil(guess * 1.8))
    while high - low > max(1, low // 40):  # within 2.5 %: two digits are told
        middle = (low + high) // 2
        if simulated_power(influences, difference, middle, level, rng) >= power:
            high = middle
        else:
            low = middle
    return math.ceil(high * scale)


def groups_for_difference(
    influences: Floats, difference: float, n_groups: int, *, level: float, degrees: float, seed: int = 0
) -> tuple[int, int] | None:
    """Return the range of groups that a study needs to show `difference` with power 0.8, None where none will do.

    The spread of the groups is itself an estimate: its variance lies between degrees/chi-squared at 0.9 and at 0.1 of
    the observed one in four studies of five, and the number of groups is proportional to it. The order of the groups
    does not matter.

    Args:
        influences: (J,) as from `influence`. n_groups: groups that the J units stand for.
        level: confidence of the interval that must exclude 0; where k pairs are adjusted for, 1 - (1 - level)/k.
        degrees: of freedom of the variance.
    """
    from scipy import stats

    # Sorted, so that the same draws meet the same influences whatever the groups are called.
    likeliest = groups_needed(np.sort(influences), difference, n_groups, level=level, seed=seed)
    if likeliest is None:
        return None
    low, high = (likeliest * degrees / float(stats.chi2.ppf(tail, degrees)) for tail in (0.9, 0.1))
    return (math.ceil(low), math.ceil(high)) if high <= _MOST else None


def detectable_difference(standard_error: float, level: float = 0.95, power: float = 0.8) -> float:
    """Return the true difference that this study would have shown with the given power.

    That is (z_alpha/2 + z_power) times the standard error (Lachin 1981, Control Clin Trials 2:93).

    >>> round(detectable_difference(0.01), 4)
    0.028
    """
    return (_NORMAL.inv_cdf((1 + level) / 2) + _NORMAL.inv_cdf(power)) * standard_error


def hanley_mcneil_error(area: float, positives: int, negatives: int) -> float:
    """Return the standard error of an AUROC from its value alone (Hanley and McNeil 1982, Radiology 143:29).

    Args:
        area: the AUROC, in (0, 1). positives, negatives: independent cases of each class.

    >>> round(hanley_mcneil_error(0.9, 50, 50), 3)
    0.032
    """
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (q1 - area * area) + (negatives - 1) * (q2 - area * area)
    return math.sqrt(spread / (positives * negatives))


def smallest_auroc_difference(area: float, positives: int, negatives: int, correlation: float = 0.5) -> float:
    """Return the true difference of two paired AUROCs that 80 % of such studies would show at 5 %.

    `detectable_difference` at the standard error SE sqrt(2 (1 - r)), SE that of `hanley_mcneil_error` for both
    (Hanley and McNeil 1983, Radiology 148:839).

    Args:
        area: about which AUROC.
        positives, negatives: independent cases.
        correlation: r of the two areas, 0 for unpaired.

    >>> round(smallest_auroc_difference(0.9, 100, 100), 3)
    0.063
    """
    error = hanley_mcneil_error(area, positives, negatives)
    return detectable_difference(error * math.sqrt(2 * (1 - correlation)))


def smallest_accuracy_difference(discordant: float, n: int) -> float:
    """Return the true paired difference of accuracies that 80 % of such studies would show at 5 %.

    Solves n = (z_0.975 sqrt(d) + z_0.80 sqrt(d - x^2))^2 / x^2 for x (Connor, Biometrics 1987).

    Args:
        discordant: d, share of cases that one model has right and the other wrong.
        n: independent cases.

    Returns:
        the difference; `discordant` itself where even that could not be shown.

    >>> round(smallest_accuracy_difference(0.1, 200), 3)
    0.062
    """
    z_level, z_power = _NORMAL.inv_cdf(0.975), _NORMAL.inv_cdf(0.8)
    low, high = 0.0, discordant
    for _ in range(60):
        middle = (low + high) / 2
        need = (z_level * math.sqrt(discordant) + z_power * math.sqrt(max(0.0, discordant - middle**2))) ** 2
        low, high = (middle, high) if need > n * middle * middle else (low, middle)
    return high
