"""How often other seeds of the folds would change what the rule decides on a pair, read off the repeats.

The mean difference of R repeats and that of R others on the same samples differ by a t variable of R - 1 degrees of
freedom times s * sqrt(2 / R), s the standard deviation between repeats (the prediction of a mean: Geisser 1993,
Predictive Inference, 2.2). The edge of "better" is where the interval of the difference, at the level that the adjusted
p asks of this pair, ends at 0; its width is taken to stay. How well this predicts what changes is shown by
`benchmarks/verdict_stability.py` (docs/statistics.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from headtohead.core.tables.details import SeedStability

__all__ = ["STABLE", "seed_stability"]

STABLE = 0.05
"""The share of runs with other seeds that may decide otherwise before it is said."""
# With two repeats the t variable has one degree of freedom and says nothing.
_FEWEST_REPEATS = 3
_MOST_REPEATS = 100


def seed_stability(
    differences: Sequence[float], half_width: float, degrees: float, *, alpha: float, adjusted: float = 1.0
) -> SeedStability | None:
    """Return how often another seed would change whether a winner is named, and how many repeats would settle it.

    Args:
        differences: a - b in each repeat, whose mean is the difference that is judged.
        half_width: of its t interval at 1 - alpha. degrees: of that interval.
        alpha: of the rule.
        adjusted: adjusted p over p of this pair, at least 1.

    Returns:
        None with fewer than three repeats, or where the interval has no width.

    >>> found = seed_stability([0.05, 0.07, 0.06], 0.05, 60.0, alpha=0.05)
    >>> found and (round(found.changes, 3), found.repeats)
    (0.173, 8)
    """
    n = len(differences)
    if n < _FEWEST_REPEATS or not half_width > 0 or not np.isfinite(differences).all():
        return None
    spread = float(np.std(differences, ddof=1))
    at_level, plain = (
        float(special.stdtrit(degrees, 1 - alpha / (2 * ratio))) for ratio in (max(1.0, adjusted), 1.0)
    )
    edge = abs(abs(float(np.mean(differences))) - half_width * at_level / plain)
    if spread == 0:
        return SeedStability(changes=0.0, repeats=n)
    counts = np.arange(n, max(n, _MOST_REPEATS) + 1)
    changes = special.stdtr(counts - 1, -edge / (spread * np.sqrt(2 / counts)))
    enough = counts[changes <= STABLE]
    return SeedStability(changes=float(changes[0]), repeats=int(enough[0]) if len(enough) else None)
