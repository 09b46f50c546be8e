"""Multiple comparison with the best: a confidence set of the best of several contenders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["best_candidates"]


def best_candidates(
    names: Sequence[str], worse: Mapping[tuple[str, str], float], alpha: float
) -> tuple[str, ...]:
    """Return a confidence set of the best contender, in the order given.

    A contender is left out where some other is shown to be better than it, one-sided, at alpha over the k - 1 others
    (Bonferroni). The set holds the truly best one with probability 1 - alpha at least, because only the comparisons
    of that one can go wrong: no adjustment over all k (k - 1)/2 pairs is needed (Gupta 1965, Technometrics 7:225; Hsu
    1984, Ann Stat 12:1136; Hsu 1996, Multiple Comparisons, chapter 4). Of equally good contenders each counts as best.

    Args:
        names: the contenders.
        worse: (worse, better) -> one-sided p-value that the first is worse; pairs without a verdict are left out.
        alpha: chance that the best is not in the set.

    >>> best_candidates("abc", {("b", "a"): 0.2, ("c", "a"): 0.001, ("c", "b"): 0.04}, 0.05)
    ('a', 'b')
    """
    others = max(1, len(names) - 1)
    out = {loser for (loser, _), p in worse.items() if others * p <= alpha}
    return tuple(name for name in names if name not in out)
