"""Pairs of contenders: the paired difference, its interval, and what it allows to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.evaluate.intervals import Resamples, expanded, two_sided_p
from headtohead.evaluate.metrics import Metric
from headtohead.evaluate.multiplicity import holm
from headtohead.evaluate.table import Table

__all__ = ["Difference", "differences", "rarer_class_groups"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """The paired difference a - b of one metric.

    Attributes:
        value, low, high: None where it is not defined.
        inner: the (1 - 2 alpha) interval, for equivalence.
        p, p_adjusted: of the same bootstrap, before and after Holm.
        favours: the contender that the sign favours, None at exactly 0.
    """

    a: str
    b: str
    value: float | None
    low: float | None
    high: float | None
    inner: tuple[float, float] | None
    p: float
    p_adjusted: float
    favours: str | None
    method: str
    note: str


def rarer_class_groups(table: Table) -> int:
    """Return the number of groups that hold the class found in the fewest groups."""
    return min(table.groups_with(c) for c in range(len(table.classes)))


def differences(
    table: Table,
    pairs: Sequence[tuple[str, str]],
    row: Metric,
    replicates: Mapping[str, Floats],
    resamples: Resamples,
    level: float,
) -> list[Difference]:
    """Return the difference of each pair, Holm-adjusted over the pairs given.

    Args:
        replicates: by contender, (1 + n_boot + n_jack,) values of the metric `row` on common weights.
    """
    raw = [_difference(table, a, b, row, replicates[a] - replicates[b], resamples, level) for a, b in pairs]
    adjusted = holm([found.p for found in raw])
    return [
        Difference(d.a, d.b, d.value, d.low, d.high, d.inner, d.p, p, d.favours, d.method, d.note)
        for d, p in zip(raw, adjusted, strict=True)
    ]


def _difference(
    table: Table, a: str, b: str, row: Metric, values: Floats, resamples: Resamples, level: float
) -> Difference:
    value = float(values[0])
    boot = resamples.boot(values)
    known = boot[~np.isnan(boot)]
    if np.isnan(value) or table.n_groups < 2 or len(known) < 0.5 * len(boot):
        note = "one group only" if table.n_groups < 2 else f"{row.title} is not defined for both"
        return Difference(a, b, None, None, None, None, 1.0, 1.0, None, "none", note)
    low, high = expanded(known, level, table.n_groups)
    inner = expanded(known, 2 * level - 1, table.n_groups)
    better = None if value == 0 else (a if value * row.sign > 0 else b)
    note = "" if len(known) == len(boot) else f"{len(boot) - len(known)} resamples without a class left out"
    method = f"paired cluster bootstrap over groups, expanded percentile, {len(known)} replicates"
    return Difference(
        a, b, value, min(low, value), max(high, value), inner, two_sided_p(known), 1.0, better, method, note
    )
