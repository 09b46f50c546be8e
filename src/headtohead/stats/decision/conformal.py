"""Abstention: class-conditional conformal sets from inner lines, and risk against coverage.

Written here because the libraries for conformal prediction (MAPIE, crepes) take single samples as exchangeable;
here the exchangeable unit is the group.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import InsufficientDataError
from headtohead.core.tables.probability import ConformalResult, ConformalSets, RiskCoverage, RiskPoint
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions
from headtohead.stats.metrics.confusion_matrix import predicted_labels
from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.metrics.weight_blocks import weighted_sums
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["conformal_sets", "conformal_threshold", "fewest_groups", "risk_coverage"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# 1 - p and the quantile it is held against are rounded differently.
_ROUNDING = 1e-12
# Votes are sums of shares 1/size; 1e-9 is far above their rounding and far below one vote.
_VOTE_ROUNDING = 1e-9


def fewest_groups(alpha: float) -> int:
    """Return the fewest groups of a class with which its conformal set can leave the class out at error rate alpha.

    With n groups the smallest possible error rate is 1 / (n + 1) (Vovk, Gammerman and Shafer 2005).

    >>> fewest_groups(0.05)
    19
    """
    return math.ceil(1 / alpha - 1 - _VOTE_ROUNDING)


def conformal_threshold(cell: InnerCell, which: int, alpha: float) -> float:
    """Return the largest 1 - p that still belongs to the set of class `which` at error rate alpha.

    Class-conditional (Mondrian) split conformal prediction (Vovk, Gammerman and Shafer 2005, section
    4.5) with groups as the exchangeable unit: each group's samples of the class share one vote (Lee,
    Barber and Willett 2023, arXiv 2306.06342). The votes needed are (1 - alpha)(n + 1) of n groups.

    Raises:
        InsufficientDataError: fewer than 1/alpha - 1 groups of the class, where only the set of all classes
            could keep the promise.

    >>> cell = InnerCell(np.ones(9, dtype=int), np.arange(9), np.stack([np.arange(9) / 10, 1 - np.arange(9) / 10], 1))
    >>> conformal_threshold(cell, 1, 0.1)
    0.8
    """
    of_class = cell.label == which
    _, code, size = np.unique(cell.group[of_class], return_inverse=True, return_counts=True)
    n = len(size)
    least = fewest_groups(alpha)
    if n < least:
        raise InsufficientDataError(
            f"Conformal sets at error rate {alpha:g} need at least {least} groups of each class to learn from; one "
            f"class has {n}. Raise the error rate or add cases."
        )
    score = 1 - cell.prob[of_class, which]
    order = np.argsort(score, kind="stable")
    votes = np.cumsum((1 / size)[code][order])
    reached = np.flatnonzero(votes >= (1 - alpha) * (n + 1) - _VOTE_ROUNDING)
    return float(score[order][reached[0]]) if len(reached) else 1.0


def conformal_sets(
    resampled: ResampledPredictions, inner: InnerPredictions, alpha: float = 0.1
) -> ConformalSets:
    """Return, per contender, coverage and size of conformal sets on the test lines.

    Quantiles come from the inner lines of the same fold (cross-conformal over groups: Vovk 2015, Ann Math Artif
    Intell 74:9). A contender whose inner lines are missing, or too few to learn from, gets the reason instead.

    Args:
        alpha: error rate, in (0, 1).
    """
    contenders = {}
    for contender in resampled.table.contenders:
        if not inner.has(contender):
            contenders[contender] = ConformalResult(refused="no inner predictions to learn the sets from")
            continue
        try:
            contenders[contender] = _sets(resampled, inner, contender, alpha)
        except InsufficientDataError as error:
            contenders[contender] = ConformalResult(refused=str(error))
    return ConformalSets(alpha=alpha, contenders=contenders)


def _sets(
    resampled: ResampledPredictions, inner: InnerPredictions, contender: str, alpha: float
) -> ConformalResult:
    table = resampled.table
    k = len(table.classes)
    columns, group = [], []
    for repeat, lines in zip(table.repeats, table.of(contender), strict=True):
        member = np.zeros(lines.prob.shape, dtype=bool)
        for fold in np.unique(lines.fold):
            cell = inner.cells[contender, repeat, int(fold)]
            cuts = np.array([conformal_threshold(cell, c, alpha) for c in range(k)])
            in_fold = lines.fold == fold
            member[in_fold] = 1 - lines.prob[in_fold] <= cuts + _ROUNDING
        columns.append(_set_columns(member, lines.label, k))
        group.append(lines.group)
    by_group = group_sums(np.concatenate(columns), np.concatenate(group), table.n_groups)
    sums = weighted_sums(by_group, resampled.resamples.weights)
    # In the order of `_set_columns`.
    total, size, single, right, empty, covered = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    n_groups = table.n_groups
    return ConformalResult(
        coverage=resampled.proportion(ratio(covered, total), n_groups),
        singletons=resampled.proportion(ratio(single, total), n_groups),
        singletons_right=resampled.proportion(ratio(right, single), n_groups),
        empty=resampled.proportion(ratio(empty, total), n_groups),
        by_class={
            name: resampled.proportion(ratio(sums[6 + k + c], sums[6 + c]), table.groups_with(c))
            for c, name in enumerate(table.classes)
        },
        mean_size=resampled.interval(ratio(size, total)),
    )


def _set_columns(member: npt.NDArray[np.bool_], label: Ints, k: int) -> Floats:
    """Return (n, 6 + 2k) what each line adds to the sums: counts, sizes, and coverage by class."""
    size = member.sum(axis=1)
    covered = member[np.arange(len(label)), label]
    truth = np.eye(k)[label]
    parts = [np.ones(len(label)), size, size == 1, (size == 1) & covered, size == 0, covered]
    return np.concatenate([np.stack(parts, axis=1).astype(float), truth, truth * covered[:, None]], axis=1)


def risk_coverage(resampled: ResampledPredictions, contender: str) -> RiskCoverage:
    """Return the error rate among the most confident lines, for ten shares of lines from 0.1 to 1.

    Confidence is the highest probability (El-Yaniv and Wiener 2010, JMLR 11:1605; Geifman and El-Yaniv
    2017). The cut that keeps each share is taken on all lines and is the same in every resample.
    """
    table = resampled.table
    repeats = table.of(contender)
    wrong = np.concatenate(
        [(predicted_labels(lines, None) != lines.label).astype(float) for lines in repeats]
    )
    confidence = np.concatenate([lines.prob.max(axis=1) for lines in repeats])
    group = np.concatenate([lines.group for lines in repeats])
    shares = np.linspace(0.1, 1.0, 10)
    cuts = np.quantile(confidence, 1 - shares, method="lower")  # an observed value: keeps the share or more
    answered = (confidence[:, None] >= cuts).astype(float)
    weights = resampled.resamples.weights
    columns = np.concatenate([answered * wrong[:, None], answered], axis=1)
    sums = weighted_sums(group_sums(columns, group, len(weights)), weights)
    risk = ratio(sums[:10], sums[10:])
    order = np.argsort(-confidence, kind="stable")
    n_groups = [len(np.unique(group[answered[:, i] > 0])) for i in range(len(shares))]
    points = tuple(
        RiskPoint(
            kept=float(answered[:, i].mean()),
            confidence=float(cuts[i]),
            risk=resampled.proportion(risk[i], n_groups[i]),
        )
        for i in range(len(shares))
    )
    # among equally confident lines the expected risk over their orders, so that names decide nothing
    _, tied = np.unique(confidence, return_inverse=True)
    expected = (np.bincount(tied, wrong) / np.bincount(tied))[tied]
    area = float((np.cumsum(expected[order]) / np.arange(1, len(wrong) + 1)).mean())
    return RiskCoverage(points=points, area=area)
