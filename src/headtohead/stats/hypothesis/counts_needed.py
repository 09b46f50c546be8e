"""Sample size for a difference of two shares that is stated beforehand. Standard library only, as `claim` is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from headtohead.stats.intervals.proportions import wilson_interval

__all__ = ["cases_needed", "fewest_and_most_cases", "fewest_and_most_pairs", "paired_cases_needed"]

_NORMAL = NormalDist()


def cases_needed(p1: float, p2: float, *, level: float = 0.95, power: float = 0.8) -> int | None:
    """Return the cases per arm whose interval of the difference excludes 0 with the given power.

    Normal approximation with the pooled variance under equality (Fleiss, Levin and Paik 2003, section 4.2); the power
    of Newcombe's interval at that size is 0.80 to 0.83 where it was computed exactly. None where the shares are equal.

    >>> cases_needed(0.9, 0.8)
    199
    """
    gap = abs(p1 - p2)
    if gap < 1e-12:
        return None
    z_alpha, z_power = _NORMAL.inv_cdf((1 + level) / 2), _NORMAL.inv_cdf(power)
    mean = (p1 + p2) / 2
    root = z_alpha * math.sqrt(2 * mean * (1 - mean)) + z_power * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return math.ceil((root / gap) ** 2)


def paired_cases_needed(
    only_a: float, only_b: float, *, level: float = 0.95, power: float = 0.8
) -> int | None:
    """Return the pairs that show the difference by McNemar's test (Connor 1987, Biometrics 43:207).

    Args:
        only_a, only_b: shares of cases that only one of the two has right.

    >>> paired_cases_needed(0.15, 0.05)
    155
    """
    gap, discordant = only_a - only_b, only_a + only_b
    if abs(gap) < 1e-12:
        return None
    z_alpha, z_power = _NORMAL.inv_cdf((1 + level) / 2), _NORMAL.inv_cdf(power)
    root = z_alpha * math.sqrt(discordant) + z_power * math.sqrt(max(0.0, discordant - gap * gap))
    return math.ceil((root / gap) ** 2)


def fewest_and_most_cases(shares: Sequence[float], difference: float, level: float) -> tuple[int, int] | None:
    """Return the range of cases per arm over the shares that one side may truly have.

    Args:
        shares: the candidates. difference: between the sides, towards either.

    Returns:
        (fewest, most); None where no share has room for the difference.
    """
    counts = [
        cases_needed(share, side, level=level)
        for share in shares
        for side in (share + difference, share - difference)
        if 0 <= side <= 1
    ]
    return _range(counts)


def fewest_and_most_pairs(
    discordant: int, total: int, difference: float, level: float
) -> tuple[int, int] | None:
    """Return the range of pairs over the shares of discordant cases that the count goes with."""
    # A difference cannot be larger than the share of discordant cases.
    shares = [max(difference, share) for share in wilson_interval(discordant, total, level)]
    counts = [
        paired_cases_needed((share + difference) / 2, (share - difference) / 2, level=level)
        for share in shares
    ]
    return _range(counts)


def _range(counts: Sequence[int | None]) -> tuple[int, int] | None:
    known = [count for count in counts if count is not None]
    return (min(known), max(known)) if known else None
