"""Abstention: class-conditional conformal sets from inner lines, and risk against coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import InsufficientDataError
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions
from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.metrics.registry import predicted_labels
from headtohead.stats.resampled import ResampledPredictions, bootstrap_interval, proportion_interval

__all__ = ["conformal_sets", "conformal_threshold", "risk_coverage"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
    mine = cell.label == which
    _, code, size = np.unique(cell.group[mine], return_inverse=True, return_counts=True)
    n = len(size)
    if n < 1 / alpha - 1 - 1e-9:
        raise InsufficientDataError(
            f"Conformal sets at error rate {alpha:g} need at least {int(np.ceil(1 / alpha - 1 - 1e-9))} groups of each "
            f"class to learn from; one class has {n}. Raise the error rate or add cases."
        )
    score = 1 - cell.prob[mine, which]
    order = np.argsort(score, kind="stable")
    votes = np.cumsum((1 / size)[code][order])
    reached = np.flatnonzero(votes >= (1 - alpha) * (n + 1) - 1e-9)
    return float(score[order][reached[0]]) if len(reached) else 1.0


def conformal_sets(
    setting: ResampledPredictions, inner: InnerPredictions, alpha: float = 0.1
) -> dict[str, Any]:
    """Return, per contender, how conformal sets do on the test lines: coverage by class, size, singletons.

    Quantiles come from the inner lines of the same fold (cross-conformal over groups: Vovk 2015, Ann
    Math Artif Intell 74:9). A contender whose setting is vacuous gets the reason instead.
    """
    result: dict[str, Any] = {"alpha": alpha, "contenders": {}}
    for contender in setting.table.contenders:
        if not inner.has(contender):
            result["contenders"][contender] = {"refused": "no inner predictions to learn the sets from"}
            continue
        try:
            result["contenders"][contender] = _sets(setting, inner, contender, alpha)
        except InsufficientDataError as error:
            result["contenders"][contender] = {"refused": str(error)}
    return result


def _sets(
    setting: ResampledPredictions, inner: InnerPredictions, contender: str, alpha: float
) -> dict[str, Any]:
    table = setting.table
    k = len(table.classes)
    columns, group = [], []
    for repeat, lines in zip(table.repeats, table.of(contender), strict=True):
        member = np.zeros(lines.prob.shape, dtype=bool)
        for fold in np.unique(lines.fold):
            cell = inner.cells[contender, repeat, int(fold)]
            cuts = np.array([conformal_threshold(cell, c, alpha) for c in range(k)])
            mine = lines.fold == fold
            member[mine] = 1 - lines.prob[mine] <= cuts + 1e-12
        columns.append(_set_columns(member, lines.label, k))
        group.append(lines.group)
    sums = (
        group_sums(np.concatenate(columns), np.concatenate(group), table.n_groups).T
        @ setting.resamples.weights
    )
    total, size, single, right, empty, covered = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    tell = {
        "coverage": ratio(covered, total),
        "mean_size": ratio(size, total),
        "singletons": ratio(single, total),
        "singletons_right": ratio(right, single),
        "empty": ratio(empty, total),
    } | {f"coverage_{name}": ratio(sums[6 + k + c], sums[6 + c]) for c, name in enumerate(table.classes)}
    holders = {f"coverage_{name}": table.groups_with(c) for c, name in enumerate(table.classes)}
    found = {
        name: proportion_interval(values, setting.resamples, setting.level, holders.get(name, table.n_groups))
        for name, values in tell.items()
        if name != "mean_size"
    }
    return found | {"mean_size": bootstrap_interval(tell["mean_size"], setting.resamples, setting.level)}


def _set_columns(member: npt.NDArray[np.bool_], label: Ints, k: int) -> Floats:
    size = member.sum(axis=1)
    covered = member[np.arange(len(label)), label]
    truth = np.eye(k)[label]
    parts = [np.ones(len(label)), size, size == 1, (size == 1) & covered, size == 0, covered]
    return np.concatenate([np.stack(parts, axis=1).astype(float), truth, truth * covered[:, None]], axis=1)


def risk_coverage(setting: ResampledPredictions, contender: str) -> dict[str, Any]:
    """Return the error rate among the most confident lines, for shares from 0.1 to 1 kept.

    Confidence is the highest probability (El-Yaniv and Wiener 2010, JMLR 11:1605; Geifman and El-Yaniv
    2017). The cut that keeps each share is taken on all lines and held in the resamples. `area` is the
    mean risk over all shares.
    """
    table = setting.table
    repeats = table.of(contender)
    wrong = np.concatenate(
        [(predicted_labels(lines, None) != lines.label).astype(float) for lines in repeats]
    )
    confidence = np.concatenate([lines.prob.max(axis=1) for lines in repeats])
    group = np.concatenate([lines.group for lines in repeats])
    shares = np.linspace(0.1, 1.0, 10)
    cuts = np.quantile(confidence, 1 - shares, method="lower")
    kept = (confidence[:, None] >= cuts).astype(float)
    weights = setting.resamples.weights
    sums = group_sums(np.concatenate([kept * wrong[:, None], kept], axis=1), group, len(weights)).T @ weights
    risk = ratio(sums[:10], sums[10:])
    order = np.argsort(-confidence, kind="stable")
    area = float((np.cumsum(wrong[order]) / np.arange(1, len(wrong) + 1)).mean())
    holders = [len(np.unique(group[kept[:, i] > 0])) for i in range(len(shares))]
    points = [
        {"kept": float(kept[:, i].mean()), "confidence": float(cuts[i])}
        | {"risk": proportion_interval(risk[i], setting.resamples, setting.level, holders[i])}
        for i in range(len(shares))
    ]
    return {"points": points, "area": area}
