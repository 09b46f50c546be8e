"""AUROC of probabilities with the percentile interval of the cluster bootstrap, without a table of contenders.

The audit's shortcut probes use it: they need one AUROC and have neither repeats nor folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UndefinedMetricError
from headtohead.stats.intervals.resampling import draw_groups, percentile
from headtohead.stats.metrics.ranking import weighted_auroc
from headtohead.stats.metrics.weight_blocks import weight_blocks

__all__ = ["AurocInterval", "auroc", "bootstrap_auroc"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AurocInterval:
    """An AUROC with its interval, the sizes it rests on and how it was made."""

    value: float
    low: float
    high: float
    n_samples: int
    n_groups: int
    method: str
    level: float = 0.95

    def record(self) -> dict[str, Any]:
        """Return it as plain values rounded to four digits, for JSON."""
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
    value = float(_aurocs(probabilities, labels, np.arange(len(labels)), np.ones((len(labels), 1)))[0])
    if np.isnan(value):
        raise UndefinedMetricError("AUROC is not defined where a class has no sample.")
    return value


def _aurocs(probabilities: Floats, labels: Ints, group: Ints, weights: Floats) -> Floats:
    """Return the AUROC under each column of group weights (n_groups, b); NaN where a class has no weight."""
    k = probabilities.shape[1]
    columns = [1] if k == 2 else list(range(k))
    each = [weighted_auroc(probabilities[:, c], labels == c, group, weights) for c in columns]
    return np.asarray(np.mean(each, axis=0), dtype=np.float64)


def bootstrap_auroc(
    probabilities: Floats,
    labels: Ints,
    groups: npt.NDArray[Any],
    *,
    n_boot: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> AurocInterval:
    """Return the AUROC with a percentile interval from resampling whole groups.

    Copies of one scene, and slices of one patient, do not count as independent: they are drawn
    together (cluster bootstrap, Field and Welsh, JRSS B 2007). Draws in which a class is missing
    are left out.

    Args:
        probabilities: (n, k) out-of-fold.
        labels: (n,) class indices.
        groups: (n,) names.
        n_boot: number of draws.
        seed: of the draws.
        level: confidence of the interval, in (0, 1).

    Raises:
        UndefinedMetricError: a class has no sample, or in every draw one was missing.
    """
    value = auroc(probabilities, labels)
    names, group = np.unique(groups.astype(str), return_inverse=True)
    weights = draw_groups(len(names), n_boot, np.random.default_rng(seed))
    draws = np.concatenate(
        [_aurocs(probabilities, labels, group.astype(np.int64), block) for block in weight_blocks(weights)]
    )
    defined = draws[~np.isnan(draws)]
    if defined.size == 0:
        raise UndefinedMetricError("AUROC has no interval: a class is missing from every draw of groups.")
    low, high = percentile(defined, level)
    method = f"percentile bootstrap over {len(names)} groups, {defined.size} draws"
    return AurocInterval(value, min(low, value), max(high, value), len(labels), len(names), method, level)
