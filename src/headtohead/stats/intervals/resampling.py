"""Resampling of groups (cluster bootstrap and jackknife) and the intervals that rest on it.

Written here because scipy.stats.bootstrap resamples single observations, one statistic at a time; here whole groups
are drawn, and one draw serves every contender and metric so that differences stay paired.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy import special

from headtohead.stats.intervals.proportions import wilson_interval

__all__ = [
    "Resamples",
    "bca",
    "bias_corrected",
    "concordance_bound",
    "disjoint_pairs",
    "draw_groups",
    "expanded_percentile",
    "make_resamples",
    "percentile",
    "two_sided_p",
    "wilson_clustered",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# The variance from 400 blocks is itself known to 7 % (sqrt(2 / 399)); more blocks would only cost time.
_MAX_JACKKNIFE = 400
# Keeps the stream of the bootstrap apart from the other streams that are drawn from the same seed.
_STREAM = 20_251
# How many resamples are drawn at a time, since numpy draws 64-bit integers.
_DRAWN_TOGETHER = 64
# Beyond this the counts of single draws take a tenth of the time of numpy's multinomial; the distribution is the same.
_MANY_GROUPS = 5000
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Resamples:
    """Weights of all groups in the data itself, in the bootstrap and in the jackknife.

    Attributes:
        weights: (n_groups, 1 + n_boot + n_jack) small integers; column 0 is the data itself.
        n_boot, n_jack: how many columns of each kind follow.
    """

    weights: npt.NDArray[np.uint8]
    n_boot: int
    n_jack: int

    def value(self, values: Floats) -> float:
        """Return the statistic on the data itself from `values` (1 + n_boot + n_jack,)."""
        return float(values[0])

    def bootstrap(self, values: Floats) -> Floats:
        """Return the bootstrap replicates."""
        return values[1 : 1 + self.n_boot]

    def jackknife(self, values: Floats) -> Floats:
        """Return the jackknife values (leave one group, or one block of groups, out)."""
        return values[1 + self.n_boot :]


def make_resamples(n_groups: int, n_boot: int, seed: int) -> Resamples:
    """Draw groups with replacement, `n_boot` times, and add the jackknife's weights.

    Resampling the independent unit (the group) and keeping all its lines together is the cluster
    bootstrap (Davison and Hinkley 1997, section 3.8; Field and Welsh 2007, JRSS B 69:369). One draw
    serves all contenders, metrics and repeats, which keeps every difference paired. With more than
    400 groups the jackknife leaves out blocks of groups; the acceleration it yields has the same
    expectation.

    >>> make_resamples(3, 2, 0).weights[:, 1:3].sum(axis=0).tolist()
    [3, 3]
    """
    rng = np.random.default_rng([seed, _STREAM])
    n_jack = min(n_groups, _MAX_JACKKNIFE)
    weights = np.ones((n_groups, 1 + n_boot + n_jack), dtype=np.uint8)
    weights[:, 1 : 1 + n_boot] = draw_groups(n_groups, n_boot, rng)
    # Drawn, since groups are sorted by name and neighbours may be alike; sizes differ by one at most.
    block = np.arange(n_groups) if n_jack == n_groups else rng.permutation(n_groups) % n_jack
    weights[np.arange(n_groups), 1 + n_boot + block] = 0
    return Resamples(weights, n_boot, n_jack)


def draw_groups(n_groups: int, n_boot: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return (n_groups, n_boot): how often each group is drawn when `n_groups` are drawn with replacement."""
    # A byte holds every count: one group drawn 256 times of n has a probability below 1 / 256!.
    counts = np.empty((n_groups, n_boot), dtype=np.uint8)
    for start in range(0, n_boot, _DRAWN_TOGETHER):
        n = min(_DRAWN_TOGETHER, n_boot - start)
        if n_groups <= _MANY_GROUPS:
            drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n)
        else:
            drawn = np.stack(
                [np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups) for _ in range(n)]
            )
        counts[:, start : start + n] = drawn.T
    return counts


def percentile(boot: Floats, level: float) -> tuple[float, float]:
    """Return the percentile interval (Efron 1979): quantiles (1 - level)/2 and (1 + level)/2.

    >>> percentile(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    low, high = np.quantile(boot, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def expanded_percentile(boot: Floats, level: float, n_groups: int) -> tuple[float, float]:
    """Return the percentile interval widened for few groups (Hesterberg 2015, Am Stat 69:371).

    The bootstrap's spread is too narrow by sqrt((n - 1)/n) and its quantiles are normal rather than
    t; the tail probability is moved to Phi(t_{alpha/2, n-1} sqrt(n/(n-1))).
    """
    t = float(special.stdtrit(n_groups - 1, (1 - level) / 2)) * math.sqrt(n_groups / (n_groups - 1))
    tail = _NORMAL.cdf(t)
    low, high = np.quantile(boot, [tail, 1 - tail])
    return float(low), float(high)


def bca(value: float, boot: Floats, jack: Floats, level: float) -> tuple[float, float]:
    """Return the bias-corrected and accelerated interval (Efron 1987, JASA 82:171).

    z0 comes from the share of replicates below the value (ties by half), the acceleration from the
    skewness of the jackknife over groups (Efron and Tibshirani 1993, eq. 14.15). Where either is
    not defined, the percentile interval is what BCa reduces to.
    """
    share = float(np.mean(boot < value) + 0.5 * np.mean(boot == value))
    defined = jack[~np.isnan(jack)]
    influences = defined.mean() - defined if len(defined) else defined
    spread = float((influences**2).sum())
    if not 0 < share < 1 or spread <= 1e-24:
        return percentile(boot, level)
    z0 = _NORMAL.inv_cdf(share)
    acceleration = float((influences**3).sum()) / (6 * spread**1.5)
    ends = [_bca_tail(z0, acceleration, _NORMAL.inv_cdf(tail)) for tail in ((1 - level) / 2, (1 + level) / 2)]
    low, high = np.quantile(boot, sorted(ends))
    return float(low), float(high)


def _bca_tail(z0: float, acceleration: float, z: float) -> float:
    below = 1 - acceleration * (z0 + z)
    if below <= 0:  # beyond the pole of the transformation the tail is at its end
        return 1.0 if z0 + z > 0 else 0.0
    return _NORMAL.cdf(z0 + (z0 + z) / below)


def bias_corrected(value: float, boot: Floats, level: float) -> tuple[float, float]:
    """Return the percentile interval moved by the bootstrap's own bias, not below 0.

    A binned calibration error is biased upwards, and in resamples twice over (Kumar, Liang and Ma 2019,
    NeurIPS); the replicates serve for their spread alone, their centre is put back on the value.

    >>> [round(end, 3) for end in bias_corrected(1.0, np.array([1.5, 2.0, 2.5]), 0.9)]
    [0.55, 1.45]
    """
    low, high = percentile(boot - (boot.mean() - value), level)
    return max(0.0, low), max(0.0, high)


def two_sided_p(boot: Floats) -> float:
    """Return the p-value at which the percentile interval of a difference just touches 0.

    Twice the smaller tail, counting the data as one more replicate so that it is never 0 (Davison
    and Hinkley 1997, eq. 4.11); ties with 0 count for both tails.

    >>> two_sided_p(np.array([1.0] * 99))
    0.02
    """
    n = len(boot)
    tail = min(int((boot <= 0).sum()), int((boot >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (n + 1))


def wilson_clustered(
    value: float, n: float, n_groups: int, variance: float, level: float, degrees: float | None = None
) -> tuple[float, float]:
    """Return Wilson's interval at the effective sample size, with a t quantile for few groups.

    The effective size is p (1 - p) / variance, never above `n` (a design effect below 1 is not
    used), and the quantile is Student's on n_groups - 1 degrees of freedom (Korn and Graubard 1998,
    Surv Methodol 24:193; Franco et al. 2019, J Surv Stat Methodol 7:334). At 0 or 1 the variance
    says nothing; then every group counts as one observation.

    Args:
        value: the proportion. n: its denominator in samples. n_groups: groups in the denominator.
        variance: cluster variance of the proportion. degrees: of the quantile, if not n_groups - 1.
    """
    t = float(special.stdtrit(max(1, n_groups - 1) if degrees is None else degrees, (1 + level) / 2))
    size = (
        min(n, value * (1 - value) / variance) if variance > 0 and 0 < value < 1 else float(min(n, n_groups))
    )
    return wilson_interval(value * size, size, level, z=t)


def disjoint_pairs(groups_with_positive: int, groups_with_negative: int, n_groups: int) -> int:
    """Return how many pairs (positive, negative) can be formed with each group used at most once."""
    return min(groups_with_positive, groups_with_negative, n_groups // 2)


def concordance_bound(pairs: int, level: float) -> float:
    """Return the lower bound of AUROC when the observed AUROC is 1.

    Of m disjoint pairs (positive, negative) from different groups all m are in the right order; each
    is so with probability AUROC, so AUROC^m >= (1 - level)/2 bounds it, exactly and conservatively
    (Clopper and Pearson 1934 with m successes of m; Obuchowski and Lieber 2002, Acad Radiol 9:526
    treat the same case).

    >>> round(concordance_bound(36, 0.95), 3)
    0.903
    """
    return float(special.betaincinv(pairs, 1.0, (1 - level) / 2)) if pairs else 0.0  # tail^(1/pairs)
