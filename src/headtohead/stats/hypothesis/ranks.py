"""Many contenders: ranks under the bootstrap, cliques, critical difference; and where the variance comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from headtohead.core.records import Comparison
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.metrics.registry import Metric
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["critical_difference", "rank_table", "variance_split"]

Floats = npt.NDArray[np.float64]
FoldLine = tuple[int, int, float, int]


def rank_table(
    setting: ResampledPredictions,
    row: Metric,
    names: Sequence[str],
    replicates: Mapping[str, Floats],
    pairs: Sequence[Comparison],
) -> dict[str, Any]:
    """Return each contender's rank, how stable it is when groups are resampled, and the cliques.

    Rank stability follows Hall and Miller 2009 (Ann Stat 37:3929): the ranks of all replicates. A clique
    is a run of contenders among which no pair has the verdict "better" (Demsar 2006, JMLR 7:1).
    """
    sign = row.sign
    boot = np.stack([sign * setting.resamples.bootstrap(replicates[name]) for name in names])
    known = ~np.isnan(boot).any(axis=0)
    ranks = stats.rankdata(-boot[:, known], axis=0)
    now = stats.rankdata([-sign * replicates[name][0] for name in names])
    table = {
        name: {
            "rank": float(now[i]),
            "mean_rank": float(ranks[i].mean()) if known.any() else None,
            "low": float(np.quantile(ranks[i], (1 - setting.level) / 2)) if known.any() else None,
            "high": float(np.quantile(ranks[i], (1 + setting.level) / 2)) if known.any() else None,
            "share_first": float((ranks[i] == 1).mean()) if known.any() else None,
        }
        for i, name in enumerate(names)
    }
    return {
        "contenders": table,
        "cliques": _cliques([names[i] for i in np.argsort(now, kind="stable")], pairs),
    }


def _cliques(ordered: Sequence[str], pairs: Sequence[Comparison]) -> list[list[str]]:
    apart = {frozenset((pair.a, pair.b)) for pair in pairs if pair.verdict == "better"}
    found: list[list[str]] = []
    for start in range(len(ordered)):
        stop = start + 1
        while stop < len(ordered) and not any(
            frozenset((ordered[stop], x)) in apart for x in ordered[start:stop]
        ):
            stop += 1
        run = list(ordered[start:stop])
        if len(run) > 1 and not any(set(run) <= set(other) for other in found):
            found.append(run)
    return found


def critical_difference(folds: Mapping[str, Sequence[FoldLine]], sign: int, level: float) -> dict[str, Any]:
    """Return Friedman's test and Nemenyi's critical difference of mean ranks over folds (Demsar 2006).

    Folds of one data set share training samples, so this is an image of consistency, not a test of
    which is better; the paired comparisons decide.
    """
    names = list(folds)
    values = np.array([[sign * line[2] for line in folds[name]] for name in names])
    values = values[:, ~np.isnan(values).any(axis=0)]
    k, n = values.shape
    if k < 3 or n < 2:
        return {"note": "needs three contenders and two folds"}
    ranks = stats.rankdata(-values, axis=0)
    mean = ranks.mean(axis=1)
    chi2 = 12 * n / (k * (k + 1)) * float(((mean - (k + 1) / 2) ** 2).sum())
    q = float(stats.studentized_range.ppf(level, k, np.inf)) / np.sqrt(2)
    return {
        "mean_ranks": dict(zip(names, mean.tolist(), strict=True)),
        "critical_difference": float(q * np.sqrt(k * (k + 1) / (6 * n))),
        "friedman_chi2": chi2,
        "p_value": float(stats.chi2.sf(chi2, k - 1)),
        "n_folds": n,
        "note": "folds share training samples: an image of consistency, not a test",
    }


def variance_split(
    setting: ResampledPredictions,
    row: Metric,
    replicates: Mapping[str, Floats],
    folds: Mapping[str, Sequence[FoldLine]],
    per_repeat: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    """Return how far the metric moves with the contender, the groups drawn, the repeat and the fold.

    Standard deviations in the metric's unit: between contenders; of resampled groups (jackknife,
    Tukey 1958); between repeats (seed and split together); between folds of one repeat, most of which
    is the small size of a fold. Averages over contenders, as root mean square.
    """
    names = list(replicates)
    values = [float(replicates[name][0]) for name in names if not np.isnan(replicates[name][0])]
    group = [jackknife_variance(setting.resamples.jackknife(replicates[name])) for name in names]
    repeat = [float(np.var(per_repeat[name], ddof=1)) for name in names if len(per_repeat[name]) > 1]
    fold = [_within(folds[name]) for name in names]
    return {
        "metric": row.name,
        "sd_contender": _sd(float(np.var(values, ddof=1)) if len(values) > 1 else None),
        "sd_group": _sd(_mean(group)),
        "sd_repeat": _sd(_mean(repeat)),
        "sd_fold": _sd(_mean(fold)),
        "contenders": names,
    }


def _within(lines: Sequence[FoldLine]) -> float:
    spreads = []
    for repeat in sorted({line[0] for line in lines}):
        values = [line[2] for line in lines if line[0] == repeat and not np.isnan(line[2])]
        if len(values) > 1:
            spreads.append(float(np.var(values, ddof=1)))
    return float(np.mean(spreads)) if spreads else float("nan")


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else None


def _sd(variance: float | None) -> float | None:
    return None if variance is None or np.isnan(variance) else float(np.sqrt(variance))
