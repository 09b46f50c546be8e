"""Ranks of many contenders under the bootstrap, the critical difference over folds, and sources of variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from headtohead.core.records import Comparison
from headtohead.core.tables.comparison import ContenderRank, CriticalDifference, RankTable, VarianceSplit
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.metrics.fold_values import FoldValue
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["critical_difference", "rank_table", "variance_split"]

Floats = npt.NDArray[np.float64]


def rank_table(
    resampled: ResampledPredictions,
    metric: Metric,
    names: Sequence[str],
    replicates: Mapping[str, Floats],
    pairs: Sequence[Comparison],
) -> RankTable:
    """Return each contender's rank, how stable it is when groups are resampled, and the cliques.

    Rank stability follows Hall and Miller 2009 (Ann Stat 37:3929): the ranks of all replicates. A clique
    is a run of contenders among which no pair has the verdict "better" (Demsar 2006, JMLR 7:1). A contender
    without a value has no rank.
    """
    sign = metric.sign
    names = [name for name in names if not np.isnan(replicates[name][0])]
    if not names:
        return RankTable(contenders={}, cliques=())
    boot = np.stack([sign * resampled.resamples.bootstrap(replicates[name]) for name in names])
    known = ~np.isnan(boot).any(axis=0)
    ranks = stats.rankdata(-boot[:, known], axis=0)
    now = stats.rankdata([-sign * replicates[name][0] for name in names])
    contenders = {
        name: ContenderRank(
            rank=float(now[i]),
            mean_rank=float(ranks[i].mean()) if known.any() else None,
            low=float(np.quantile(ranks[i], (1 - resampled.level) / 2)) if known.any() else None,
            high=float(np.quantile(ranks[i], (1 + resampled.level) / 2)) if known.any() else None,
            # A tie ranks 1.5 and counts for none.
            share_first=float((ranks[i] == 1).mean()) if known.any() else None,
        )
        for i, name in enumerate(names)
    }
    ordered = [names[i] for i in np.argsort(now, kind="stable")]
    return RankTable(contenders=contenders, cliques=_cliques(ordered, pairs))


def _cliques(ordered: Sequence[str], pairs: Sequence[Comparison]) -> tuple[tuple[str, ...], ...]:
    """Return the longest runs of contenders, best first, that hold no pair judged "better"."""
    different = {frozenset((pair.a, pair.b)) for pair in pairs if pair.verdict == "better"}
    cliques: list[tuple[str, ...]] = []
    for start in range(len(ordered)):
        stop = start + 1
        while stop < len(ordered) and not any(
            frozenset((ordered[stop], other)) in different for other in ordered[start:stop]
        ):
            stop += 1
        run = tuple(ordered[start:stop])
        if len(run) > 1 and not any(set(run) <= set(other) for other in cliques):
            cliques.append(run)
    return tuple(cliques)


def critical_difference(
    folds: Mapping[str, Sequence[FoldValue]], sign: int, level: float
) -> CriticalDifference:
    """Return Friedman's statistic and Nemenyi's critical difference of mean ranks over folds (Demsar 2006).

    Folds of one data set share training samples, so this shows consistency and does not test which contender is
    better: no p-value is formed, and the paired comparisons decide. As published, without a correction for ties.

    Args:
        folds: values within folds by contender. sign: -1 where a lower value is better.
    """
    names = list(folds)
    values = np.array([[sign * one.value for one in folds[name]] for name in names])
    values = values[:, ~np.isnan(values).any(axis=0)]
    k, n = values.shape
    if k < 3 or n < 2:
        return CriticalDifference(note="needs three contenders and two folds")
    ranks = stats.rankdata(-values, axis=0)
    mean = ranks.mean(axis=1)
    chi2 = 12 * n / (k * (k + 1)) * float(((mean - (k + 1) / 2) ** 2).sum())
    # Nemenyi's q (Demsar 2006, table 5).
    q = float(stats.studentized_range.ppf(level, k, np.inf)) / np.sqrt(2)
    return CriticalDifference(
        mean_ranks=dict(zip(names, mean.tolist(), strict=True)),
        critical_difference=float(q * np.sqrt(k * (k + 1) / (6 * n))),
        friedman_chi2=chi2,
        n_folds=n,
        note="folds share training samples: a picture of consistency, not a test",
    )


def variance_split(
    resampled: ResampledPredictions,
    metric: Metric,
    replicates: Mapping[str, Floats],
    folds: Mapping[str, Sequence[FoldValue]],
    per_repeat: Mapping[str, Sequence[float | None]],
) -> VarianceSplit:
    """Return the spread of the metric over contenders, groups drawn, repeats and folds.

    Standard deviations in the metric's unit: between contenders; of resampled groups (jackknife,
    Tukey 1958); between repeats (seed and split together); between folds of one repeat, most of which
    is the small size of a fold. Averages over contenders, as root mean square.
    """
    names = list(replicates)
    values = [float(replicates[name][0]) for name in names if not np.isnan(replicates[name][0])]
    group = [jackknife_variance(resampled.resamples.jackknife(replicates[name])) for name in names]
    known = [[value for value in per_repeat[name] if value is not None] for name in names]
    repeat = [float(np.var(of_one, ddof=1)) for of_one in known if len(of_one) > 1]
    fold = [_within(folds[name]) for name in names]
    return VarianceSplit(
        metric=metric.name,
        sd_contender=_sd(float(np.var(values, ddof=1)) if len(values) > 1 else None),
        sd_group=_sd(_mean(group)),
        sd_repeat=_sd(_mean(repeat)),
        sd_fold=_sd(_mean(fold)),
        contenders=tuple(names),
    )


def _within(of_contender: Sequence[FoldValue]) -> float:
    spreads = []
    for repeat in sorted({one.repeat for one in of_contender}):
        values = [one.value for one in of_contender if one.repeat == repeat and not np.isnan(one.value)]
        if len(values) > 1:
            spreads.append(float(np.var(values, ddof=1)))
    return float(np.mean(spreads)) if spreads else float("nan")


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else None


def _sd(variance: float | None) -> float | None:
    return None if variance is None or np.isnan(variance) else float(np.sqrt(variance))
