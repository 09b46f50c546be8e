"""Interval of an AUROC of which only the numbers of positives and negatives are known. No numpy."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

__all__ = ["auroc_difference_interval", "auroc_interval"]

_NORMAL = NormalDist()
# Halvings of an interval within [0, 1]: exact to double precision.
_BISECTIONS = 60


def auroc_interval(area: float, positives: int, negatives: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of an AUROC from its value and two counts.

    Method 5 of Newcombe 2006 (Stat Med 25:559): the areas whose distance from the reported one is z standard errors,
    the error being that of Hanley and McNeil (1982, Radiology 143:29) at that area, with (m + n)/2 - 1 in place of
    both m - 1 and n - 1. Inverting the test instead of adding z errors keeps the ends inside [0, 1] and gives an
    area of 1 an interval.

    Args:
        area: the AUROC, from 0 to 1.
        positives, negatives: independent cases of each class.

    >>> tuple(round(end, 3) for end in auroc_interval(0.95, 20, 80))
    (0.856, 0.983)
    """
    z = _NORMAL.inv_cdf((1 + level) / 2)

    def beyond(truth: float) -> bool:
        return abs(area - truth) > z * _error(truth, positives, negatives)

    return _end(area, 0.0, beyond), _end(area, 1.0, beyond)


def auroc_difference_interval(
    first: tuple[float, int, int], other: tuple[float, int, int], level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of the difference of two AUROCs on different cases.

    Square-and-add on both single intervals (Newcombe 1998, Stat Med 17:873, method 10; Zou and Donner 2008, Stat
    Med 27:1693).

    Args:
        first, other: (AUROC, positives, negatives).
    """
    a, b = first[0], other[0]
    (low_a, high_a), (low_b, high_b) = auroc_interval(*first, level), auroc_interval(*other, level)
    return a - b - math.hypot(a - low_a, high_b - b), a - b + math.hypot(high_a - a, b - low_b)


def _error(area: float, positives: int, negatives: int) -> float:
    both = (positives + negatives) / 2 - 1
    inflation = 1 + both * (1 - area) / (2 - area) + both * area / (1 + area)
    return math.sqrt(area * (1 - area) * inflation / (positives * negatives))


def _end(area: float, limit: float, beyond: Callable[[float], bool]) -> float:
    """Return where, on the way from the area to 0 or 1, the areas begin that the data exclude."""
    inside, outside = area, limit
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        if beyond(middle):
            outside = middle
        else:
            inside = middle
    return limit if abs(inside - limit) < 1e-12 else inside  # nothing excluded: halving ends a hair before it
