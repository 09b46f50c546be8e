"""Adjustment of p-values for many comparisons at once."""

from __future__ import annotations

from collections.abc import Sequence

from statsmodels.stats.multitest import multipletests

__all__ = ["holm"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order given (Holm 1979, Scand J Stat 6:65).

    >>> [round(p, 4) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    >>> holm([])
    []
    """
    if not p_values:
        return []
    adjusted: list[float] = multipletests(p_values, method="holm")[1].tolist()
    return adjusted
