"""AUROC and its interval by resampling whole groups; small, so that the audit stands on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UndefinedMetricError

__all__ = ["Interval", "auroc", "bootstrap_auroc"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval, what it rests on and how it was made."""

    value: float
    low: float
    high: float
    n_samples: int
    n_groups: int
    method: str
    level: float = 0.95

    def record(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "n_samples": self.n_samples,
            "n_groups": self.n_groups,
            "method": self.method,
            "level": self.level,
        }

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def auroc(probabilities: Floats, labels: Ints) -> float:
    """Return the AUROC; macro average of one-vs-rest beyond two classes.

    Args:
        probabilities: (n, k), for two classes the positive one last.
        labels: (n,) class indices.

    Raises:
        UndefinedMetricError: a class has no sample, or all.

    >>> auroc(np.array([[.9, .1], [.4, .6], [.2, .8]]), np.array([0, 0, 1]))
    1.0
    """
    value = float(_aurocs(probabilities, labels, np.ones((1, len(labels))))[0])
    if np.isnan(value):
        raise UndefinedMetricError("AUROC is not defined where a class has no sample.")
    return value


def _aurocs(probabilities: Floats, labels: Ints, weights: Floats) -> Floats:
    """Return the AUROC under each row of sample weights (b, n); NaN where a class has no weight."""
    k = probabilities.shape[1]
    columns = [1] if k == 2 else list(range(k))
    each = [_weighted(probabilities[:, c], labels == c, weights) for c in columns]
    return np.asarray(np.mean(each, axis=0), dtype=np.float64)


def _weighted(score: Floats, positive: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the weighted Mann-Whitney statistic, ties counted half, for each row of weights."""
    order = np.argsort(score, kind="stable")
    ranked, plus = score[order], positive[order]
    weights = weights[:, order]
    last = np.searchsorted(ranked, ranked, side="right") - 1
    first = np.searchsorted(ranked, ranked, side="left")
    minus = np.where(plus, 0.0, weights)
    below = np.cumsum(minus, axis=1)
    beaten = (below[:, last] + below[:, first] - minus[:, first]) / 2
    gained = (np.where(plus, weights, 0.0) * beaten).sum(axis=1)
    total = weights[:, plus].sum(axis=1) * weights[:, ~plus].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, gained / total, np.nan))


def bootstrap_auroc(
    probabilities: Floats,
    labels: Ints,
    groups: npt.NDArray[Any],
    *,
    n_boot: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the AUROC with a percentile interval from resampling whole groups.

    Copies of one scene, and slices of one patient, do not count as independent: they are drawn
    together (cluster bootstrap, Field and Welsh, JRSS B 2007). Draws in which a class is missing
    are left out.

    Args:
        probabilities: (n, k) out-of-fold.
        labels: (n,) class indices.
        groups: (n,).
        n_boot: draws.
        seed: of the draws.
        level: of the interval.

    Raises:
        UndefinedMetricError: a class has no sample, or in every draw one was missing.
    """
    value = auroc(probabilities, labels)
    names, which = np.unique(groups.astype(str), return_inverse=True)
    draws = _draw(probabilities, labels, which, len(names), n_boot, seed)
    kept = draws[~np.isnan(draws)]
    if kept.size == 0:
        raise UndefinedMetricError("AUROC has no interval: a class is missing from every draw of groups.")
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    method = f"percentile bootstrap over {len(names)} groups, {kept.size} draws"
    return Interval(
        value, min(float(low), value), max(float(high), value), len(labels), len(names), method, level
    )


def _draw(
    probabilities: Floats, labels: Ints, which: npt.NDArray[np.intp], n_groups: int, n_boot: int, seed: int
) -> Floats:
    rng = np.random.default_rng(seed)
    chunk = max(1, min(n_boot, 4_000_000 // max(1, len(labels))))
    found = []
    for start in range(0, n_boot, chunk):
        size = min(chunk, n_boot - start)
        counts = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=size)
        found.append(_aurocs(probabilities, labels, counts[:, which].astype(np.float64)))
    return np.concatenate(found)
