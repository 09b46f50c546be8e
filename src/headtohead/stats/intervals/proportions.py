"""Exact tests and score intervals for counts, with the standard library alone.

scipy and statsmodels have Wilson's interval and the exact tests of Fisher and McNemar, but importing them takes
longer than `headtohead claim` may (0.4 s in all, no numpy). The tests hold every function here against them. Mid-p
values and Newcombe's paired interval are in neither.
"""

from __future__ import annotations

import math
from statistics import NormalDist

__all__ = ["fisher_exact", "mcnemar_exact", "newcombe", "newcombe_paired", "wilson_interval"]

_NORMAL = NormalDist()
# Tables whose log probabilities differ by less are equally probable; R's fisher.test takes 1e-7 too.
_SAME_LOG = 1e-7


def wilson_interval(
    successes: float, total: float, level: float = 0.95, z: float | None = None
) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927, JASA 22:209).

    Args:
        successes, total: counts; fractions serve where the sample size is an effective one.
        z: quantile to use, where it is not the normal one of `level`.

    >>> tuple(round(end, 3) for end in wilson_interval(43, 50))
    (0.738, 0.93)
    """
    z = _NORMAL.inv_cdf((1 + level) / 2) if z is None else z
    p = successes / total
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    low = 0.0 if successes <= 0 else max(0.0, centre - half)  # exactly 0 and 1 where rounding leaves a hair
    return low, 1.0 if successes >= total else min(1.0, centre + half)


def fisher_exact(correct_a: int, total_a: int, correct_b: int, total_b: int) -> tuple[float, float]:
    """Return the two-sided exact p-value and its mid-p form (Fisher 1935; Lancaster 1961).

    Two-sided: all tables with the same margins that are no more probable than the observed one. Mid-p
    counts the tables exactly as probable as the observed one by half.

    >>> round(fisher_exact(35, 36, 43, 50)[0], 4)
    0.1313
    """
    right, total = correct_a + correct_b, total_a + total_b
    low, high = max(0, right - total_b), min(right, total_a)
    constant = _log_choose(total, right)
    logs = [
        _log_choose(total_a, x) + _log_choose(total_b, right - x) - constant for x in range(low, high + 1)
    ]
    observed = logs[correct_a - low]
    below = math.fsum(math.exp(value) for value in logs if value < observed - _SAME_LOG)
    equal = math.fsum(math.exp(value) for value in logs if abs(value - observed) <= _SAME_LOG)
    return min(1.0, below + equal), min(1.0, below + equal / 2)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)  # C(1030, 515) overflows a float


def mcnemar_exact(only_a: int, only_b: int) -> tuple[float, float]:
    """Return McNemar's exact p-value and mid-p (McNemar 1947; Fagerland et al. 2013, BMC Med Res Meth 13:91).

    Given the discordant cases, each goes either way with probability one half. Mid-p is the exact
    p-value less the probability of the observed count; with equal counts the exact value is 1 and mid-p
    is 1 less half of that probability doubled, as in that paper.

    >>> tuple(round(p, 4) for p in mcnemar_exact(1, 7))
    (0.0703, 0.0391)
    """
    n, few = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0, 1.0
    logs = [_log_choose(n, x) - n * math.log(2) for x in range(few + 1)]
    tail, point = math.fsum(map(math.exp, logs)), math.exp(logs[-1])
    if only_a == only_b:
        return 1.0, 1.0 - point / 2
    return min(1.0, 2 * tail), min(1.0, 2 * tail - point)


def newcombe(
    correct_a: int, total_a: int, correct_b: int, total_b: int, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of the difference of two independent shares (Newcombe 1998, Stat Med 17:873, method 10).

    >>> tuple(round(end, 4) for end in newcombe(56, 70, 48, 80))
    (0.0524, 0.3339)
    """
    p1, p2 = correct_a / total_a, correct_b / total_b
    l1, u1 = wilson_interval(correct_a, total_a, level)
    l2, u2 = wilson_interval(correct_b, total_b, level)
    return p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2)


def newcombe_paired(
    both: int, only_a: int, only_b: int, neither: int, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of the difference of two shares on the same cases (Newcombe 1998, Stat Med 17:2635).

    Method 10: square-and-add on Wilson's intervals with the correlation of the two results, the
    latter with continuity correction when positive.

    >>> tuple(round(end, 4) for end in newcombe_paired(36, 12, 2, 0))
    (0.0569, 0.3404)
    """
    n = both + only_a + only_b + neither
    p1, p2 = (both + only_a) / n, (both + only_b) / n
    l1, u1 = wilson_interval(both + only_a, n, level)
    l2, u2 = wilson_interval(both + only_b, n, level)
    phi = _correlation(both, only_a, only_b, neither)
    below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - math.sqrt(max(0.0, below)), p1 - p2 + math.sqrt(max(0.0, above))


def _correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    excess = both * neither - only_a * only_b
    if excess > 0:
        excess = max(excess - (both + only_a + only_b + neither) / 2, 0)  # type: ignore[assignment]
    return excess / math.sqrt(margins)
