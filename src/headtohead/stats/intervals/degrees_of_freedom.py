"""Degrees of freedom of a variance over groups, and the warnings where they are few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headtohead.core.records import ScoreWarning
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.predictions import PredictionTable

__all__ = [
    "FEW_DEGREES",
    "degrees_of_freedom",
    "effective_degrees",
    "proportion_degrees_of_freedom",
    "small_sample_warnings",
]

Floats = npt.NDArray[np.float64]

# In the coverage study intervals fall short where fewer degrees of freedom, or groups of a class, are left
# (docs/statistics.md).
FEW_DEGREES = 10
_FEW_GROUPS = 10
# The fewest that unequal deviations leave: their fourth moment says no more than that one group outweighs the others.
_FEWEST = 3.0


def effective_degrees(parts: Sequence[Floats], *, even: bool = False) -> float:
    """Return the degrees of freedom of a sum of squared deviations, from how unequal they are.

    Satterthwaite 1946 (Biometrics Bull 2:110): 2 v² / Var(v). The variance of each part's sum of squares
    is taken from its own fourth moments, and never below what normal deviations would give, so that even deviations
    yield Welch's degrees of freedom and one deviation that outweighs all others leaves three, the fewest.

    Args:
        parts: squared deviations of the groups of each class (or all in one part).
        even: take the deviations as normal (Welch), whatever they look like.

    >>> effective_degrees([np.ones(20)])
    19.0
    >>> effective_degrees([np.array([100.0] + [1.0] * 19)])
    3.0
    """
    filled = [part for part in parts if len(part)]
    total = sum(float(part.sum()) for part in filled)
    welch = sum(_noise(part, even=True) for part in filled)
    if not welch > 0:
        return float(max(1, sum(map(len, filled)) - 1))
    most = max(1.0, 2 * total**2 / welch)
    if even:
        return most
    return max(2 * total**2 / sum(_noise(part, even=False) for part in filled), min(_FEWEST, most))


def _noise(squares: Floats, *, even: bool) -> float:
    n, mean_square = len(squares), float(squares.sum()) ** 2 / len(squares)
    observed = 0.0 if even else float((squares**2).sum()) - mean_square
    return max(observed, 2 * mean_square) * n / max(1, n - 1)  # n / (n - 1): n even deviations leave n - 1


def degrees_of_freedom(table: PredictionTable, metric: Metric, jack: Floats) -> float:
    """Return the degrees of freedom of a jackknife variance over groups (see `effective_degrees`).

    Where a metric sets classes against each other, its variance is a sum over the groups that hold the
    rarest class and the others; few of the former leave few degrees of freedom, however many there are
    of the latter. Of classes that are equally rare the one that leaves the fewest counts, so that names
    decide nothing. Blocks of groups cannot be distinguished by class; they get at most the rarest class's
    groups less one. A count (F1 and the like) has deviations of a few sizes only; Wilson's form knows of rare
    errors there, so they are taken as even.

    Args:
        jack: (n_jack,) jackknife values of the metric, or of a difference.
    """
    defined = jack[~np.isnan(jack)]
    if len(defined) < 2:
        return 1.0
    squares = (defined - defined.mean()) ** 2
    if metric.degrees == "groups":
        return effective_degrees([squares])
    rarest, even = _rarest(table), metric.degrees == "groups_by_class_even"
    if len(defined) != table.n_groups:
        return max(1.0, min(effective_degrees([squares], even=even), len(rarest[0]) - 1))
    splits = (np.isin(np.arange(table.n_groups), holders) for holders in rarest)
    return min(effective_degrees([squares[rare], squares[~rare]], even=even) for rare in splits)


def proportion_degrees_of_freedom(jack: Floats, n: int, n_groups: int) -> float:
    """Return the degrees of freedom of a share of `n` samples in `n_groups` groups.

    Samples that are their own groups err one by one, which Wilson's form knows of; where groups hold
    several, a few of them may hold all the errors.
    """
    most = float(max(1, n_groups - 1))
    defined = jack[~np.isnan(jack)]
    if n <= n_groups or len(defined) < 2 or float(np.ptp(defined)) < 1e-12:
        return most
    return min(most, effective_degrees([(defined - defined.mean()) ** 2]))


def _rarest(table: PredictionTable) -> list[npt.NDArray[np.int64]]:
    """Return the groups that hold the rarest class; of each class where several are equally rare."""
    counts = [table.groups_with(c) for c in range(len(table.classes))]
    return [
        np.unique(table.sample_group[table.sample_label == c])
        for c, count in enumerate(counts)
        if count == min(counts)
    ]


def small_sample_warnings(table: PredictionTable, metric: Metric, degrees: float) -> tuple[ScoreWarning, ...]:
    """Return the warnings that an interval may be too narrow: few groups of a class, or few that carry the variance.

    In the coverage study the intervals that fall short of 93 % are those of settings in which this
    warning is frequent (docs/statistics.md).
    """
    warnings = []
    groups = len(_rarest(table)[0])
    if metric.degrees != "groups" and groups < _FEW_GROUPS:
        text = f"only {groups} groups hold the rarer class: the interval may be too narrow"
        warnings.append(ScoreWarning(code="few_class_groups", text=text))
    if degrees < FEW_DEGREES:
        text = (
            f"a few groups make up most of the variance ({degrees:.0f} effective degrees of freedom): "
            "the interval may be too narrow"
        )
        warnings.append(ScoreWarning(code="few_degrees", text=text))
    return tuple(warnings)
