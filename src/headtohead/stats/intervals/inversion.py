"""P-values from intervals: a test that cannot contradict its interval. No numpy, so that `claim` is quick."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SMALLEST_P", "equivalence_p_value", "interval_p_value"]

Endpoints = tuple[float, float]

# Smaller p-values are reported as this: levels nearer to 1 are lost to rounding.
SMALLEST_P = 1e-12
# 45 halvings of log(p) over twelve decades leave the p-value exact to double precision.
_BISECTIONS = 45


def interval_p_value(interval: Callable[[float], Endpoints | None]) -> float:
    """Return the p-value of a difference: one less the level at which its interval just touches 0.

    Args:
        interval: level -> ends, longer at a higher level; None where a level has none.
    """

    def excludes(p: float) -> bool:
        ends = interval(1 - p)
        return ends is not None and not ends[0] <= 0 <= ends[1]

    return _smallest(excludes, 1.0)


def equivalence_p_value(interval: Callable[[float], Endpoints | None], margin: float) -> float:
    """Return the p-value of two one-sided tests: the least alpha whose (1 - 2 alpha) interval lies within the margin.

    Schuirmann 1987 (J Pharmacokinet Biopharm 15:657).

    Args:
        interval: level -> ends, longer at a higher level. margin: half-width, above 0.

    Returns:
        the p-value; 1 where no interval lies inside.
    """

    def inside(p: float) -> bool:
        ends = interval(1 - 2 * p)
        return ends is not None and -margin < ends[0] and ends[1] < margin

    return _smallest(inside, 0.5)


def _smallest(holds: Callable[[float], bool], most: float) -> float:
    """Return the least p from `SMALLEST_P` to `most` at which `holds`, 1 where it does not even just below `most`."""
    if holds(SMALLEST_P):
        return SMALLEST_P
    low, high = SMALLEST_P, most
    for _ in range(_BISECTIONS):
        middle = math.sqrt(low * high)
        if holds(middle):
            high = middle
        else:
            low = middle
    return 1.0 if high == most else high
