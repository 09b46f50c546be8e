"""The rule for verdicts about learners in plain numpy: a reference that shares no code with headtohead.

The formulas of `headtohead.stats.intervals.training_variance` are written out a second time on purpose: a test
holds the product, and a whole comparison, to this file, so that a change of the one without the other is noticed.
`coverage_learners.py` needs them on plain arrays, for thousands of studies.

A contender is a learner (backbone, recipe, head), not one fitted network. Its metric in repeated grouped
K-fold cross-validation varies for two reasons: which groups are tested, and which groups train. The
jackknife over groups of a table of frozen predictions sees the first only. The rule multiplies its variance
by a factor that is read off the table itself:

    variance = jackknife variance * (1 + min(SLOPE * (n / n_test) * u, MARGIN * n / n_train))

where u, between 0 and 1, is the share of a sample's place in the ranking that changes from repeat to repeat,
that is, when the same sample is predicted by models trained on other groups (`share_of_training`). With one
repeat, or repeats that share their folds, u cannot be seen and the upper bound MARGIN * n / n_train holds.

Sources:
    Upper bound: Nadeau and Bengio 2003 (Mach Learn 52:239), variance (1/J + n_test/n_train) s² of the mean
    over folds, for one repeat (J = K = n/n_test) and with s² = K * jackknife variance instead of the variance
    of K numbers: jackknife variance * (1 + n/n_train).
    Share: for a linear score w'x with w the mean of n_train independent terms (nearest centroid), two
    training sets of K-fold repeats overlap so that u = q/K, where q is the share of the score's
    within-class variance that is due to the training sample. The exact variance of the separation is then
    1 + 2 q (1 - q) + q² (1 - q) times that of the tested sample alone.
    SLOPE 1.5: a chord of this curve (slope 2 at q = 0, 1.63 at its maximum), continued to the upper bound,
    since learners beyond the nearest centroid exceed 1.63 (docs/statistics.md).
    MARGIN 1.2: true factors of 2.3 were seen where Nadeau and Bengio's bound is 2.25 (K = 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import special, stats

if TYPE_CHECKING:
    from benchmarks.learner_parts import Parts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLOPE = 1.5  # chord of the nearest centroid's curve; chosen on the set "design" of learner_settings.py
MARGIN = 1.2  # over Nadeau and Bengio's bound: the Lasso, and ridge with p > n, come out above it
# One pull that outweighs all others, as in headtohead.stats.intervals.degrees_of_freedom.
FEWEST_DEGREES = 3.0


@dataclass(frozen=True, slots=True)
class Design:
    """What the folds show about the training sets.

    Attributes:
        folds: n / n_test, the mean over cells (K for K equal folds).
        over_train: n / n_train, the mean over cells (K / (K - 1)).
        varied: whether at least two repeats split the groups differently.
    """

    folds: float
    over_train: float
    varied: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric, or a paired difference, of learners.

    Attributes:
        value: mean over repeats.
        group_variance: jackknife variance over groups, training sets as they are.
        share: u, or None where it cannot be seen.
        factor: by which `group_variance` is multiplied.
        degrees: degrees of freedom of `group_variance`.
    """

    value: float
    group_variance: float
    share: float | None
    factor: float
    degrees: float

    @property
    def error(self) -> float:
        """The standard error, training sample included."""
        return math.sqrt(self.factor * self.group_variance)

    def t(self, level: float) -> float:
        """Return the t quantile of the two-sided interval at `level`."""
        return float(special.stdtrit(self.degrees, (1 + level) / 2))


def design_of(fold: Ints) -> Design:
    """Return what the folds (R, n) show about the training sets; cells count by the samples they test."""
    n = fold.shape[1]
    tests = np.concatenate([np.unique(f, return_counts=True)[1] for f in fold]).astype(np.float64)
    weight = tests / tests.sum()
    patterns = {_partition(f) for f in fold}
    return Design(float(n / (weight @ tests)), float(n / (weight @ (n - tests))), len(patterns) > 1)


def _partition(fold: Ints) -> bytes:
    """Return the split of the samples, whatever the folds' numbers: each sample's first companion."""
    _, first, inverse = np.unique(fold, return_index=True, return_inverse=True)
    return bytes(first[inverse].tobytes())


def share_of_training(normal: Floats, label: Ints, fold: Ints) -> float:
    """Return u: the part of the samples' pulls on the separation of the classes that changes between repeats.

    A sample's pull is its normal score over the size of its class. Each cell (repeat, fold) is first centred,
    so that a drift of the scale between folds is not taken for an effect of training. Without drift, centring
    on a cell of m samples leaves 1 - 1/m of the mean square, and 1 - 2/m + (1/m + (1 - 1/m)/K)/m of the part
    that repeats share (two repeats have the sample itself, and each companion with probability 1/K, in
    common); both are undone. Samples, not groups, are the units here: where groups hold both classes, the
    pulls of a group cancel and with them what training does to it.

    Args:
        normal: (R, n) of one contender, or of one minus the other; R at least 2. label: (n,); fold: (R, n).
    """
    weights = np.where(label == 1, 1 / (label == 1).sum() ** 2, 1 / (label == 0).sum() ** 2)
    centred, inverse_m, k = np.empty_like(normal), 0.0, 0.0
    for r, (z, f) in enumerate(zip(normal, fold, strict=True)):
        _, f = np.unique(f, return_inverse=True)
        held = np.bincount(f)
        inverse_m += len(held) / len(z) / len(normal)  # the mean over samples of 1/m
        k += len(held) / len(normal)
        centred[r] = z - (np.bincount(f, z) / held)[f]
    total = float((centred**2).mean(axis=0) @ weights)
    if not total > 0:
        return 1.0
    shared = total - float(centred.var(axis=0, ddof=1) @ weights)
    shared /= 1 - 2 * inverse_m + inverse_m * (inverse_m + (1 - inverse_m) / k)
    return float(np.clip(1 - shared / (total / (1 - inverse_m)), 0.0, 1.0))


def factor_of(share: float | None, design: Design) -> float:
    """Return the factor by which the jackknife variance is multiplied (module docstring)."""
    most = MARGIN * design.over_train
    return 1 + (most if share is None else min(SLOPE * design.folds * share, most))


def effective_degrees(parts: list[Floats]) -> float:
    """Return Satterthwaite's degrees of freedom of sums of squared pulls, as the product does."""
    filled = [p for p in parts if len(p)]
    total = sum(float(p.sum()) for p in filled)

    def noise(p: Floats, even: bool) -> float:
        mean_square = float(p.sum()) ** 2 / len(p)
        seen = 0.0 if even else float((p**2).sum()) - mean_square
        return max(seen, 2 * mean_square) * len(p) / max(1, len(p) - 1)

    welch = sum(noise(p, True) for p in filled)
    if not welch > 0:
        return float(max(1, sum(map(len, filled)) - 1))
    most = max(1.0, 2 * total**2 / welch)
    return max(2 * total**2 / sum(noise(p, False) for p in filled), min(FEWEST_DEGREES, most))


def estimate(parts: Parts, label: Ints, group: Ints, fold: Ints, *, against: bool = True) -> Estimate:
    """Return the estimate of a metric of learners, or of a paired difference of two.

    Args:
        parts: of one contender, or of one minus the other.
        fold: (R, n), as for the parts.
        against: the metric sets classes against each other (AUROC, balanced accuracy): the groups of the
            rarer class then have their own degrees of freedom.
    """
    design = design_of(fold)
    n_groups = parts.pulls.shape[1]
    mean = parts.pulls.mean(axis=0)
    squares = mean**2
    pieces = [squares]
    if against:
        holds = [np.bincount(group, label == c, n_groups) > 0 for c in (0, 1)]
        rare = min(holds, key=lambda h: int(h.sum()))
        pieces = [squares[rare], squares[~rare]]
    variance = float(squares.sum()) / (n_groups * (n_groups - 1))
    share = share_of_training(parts.normal, label, fold) if design.varied else None
    return Estimate(
        float(parts.values.mean()), variance, share, factor_of(share, design), effective_degrees(pieces)
    )


def score_interval(
    found: Estimate, level: float = 0.95, low: float = 0.0, high: float = 1.0
) -> tuple[float, float]:
    """Return Wilson's interval of a single score at the effective size p (1 - p) / error², t quantile.

    Wilson 1927; for areas: Kottas, Kuss and Zapf 2014, BMC Med Res Methodol 14:26. NaN where the score lies
    at an end of its range or does not vary (bounds of headtohead.stats.intervals.boundary_cases apply there).
    """
    p, spread, t = (found.value - low) / (high - low), found.error / (high - low), found.t(level)
    if not (0 < p < 1 and spread > 0):
        return math.nan, math.nan
    size = p * (1 - p) / spread**2
    centre = (p + t * t / (2 * size)) / (1 + t * t / size)
    half = t / (1 + t * t / size) * math.sqrt(p * (1 - p) / size + t * t / (4 * size * size))
    return low + (high - low) * (centre - half), low + (high - low) * (centre + half)


def plain_interval(found: Estimate, level: float = 0.95) -> tuple[float, float]:
    """Return value ± t * error."""
    half = found.t(level) * found.error
    return found.value - half, found.value + half


def log_interval(found: Estimate, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a single log loss: value * exp(± t * error / value), symmetrical on the log scale."""
    if not (found.value > 0 and found.error > 0):
        return math.nan, math.nan
    half = found.t(level) * found.error / found.value
    return found.value * math.exp(-half), found.value * math.exp(half)


def wider_interval(
    a: Parts, b: Parts, gap: Estimate, first: Estimate, second: Estimate, level: float = 0.95
) -> tuple[float, float]:
    """Return at each end the wider of t's and MOVER's interval of a difference, as for fixed models.

    Not part of the rule: near the end of the range it costs a third of the power and holds no level that
    the t interval does not hold (docs/statistics.md). MOVER (Zou and Donner 2008, Stat Med 27:1693) takes
    the two single intervals, widened for the training sample, and the correlation of the pulls.
    """
    low, high = plain_interval(gap, level)
    ends = score_interval(first, level), score_interval(second, level)
    if not np.isfinite(ends).all():
        return low, high
    pa, pb = a.pulls.mean(axis=0), b.pulls.mean(axis=0)
    correlation = float(pa @ pb / math.sqrt((pa @ pa) * (pb @ pb)))
    down, up = first.value - ends[0][0], ends[0][1] - first.value
    other_down, other_up = second.value - ends[1][0], ends[1][1] - second.value
    below = math.sqrt(max(0.0, down**2 - 2 * correlation * down * other_up + other_up**2))
    above = math.sqrt(max(0.0, up**2 - 2 * correlation * up * other_down + other_down**2))
    return min(low, gap.value - below), max(high, gap.value + above)


def p_value(found: Estimate, against: float = 0.0) -> float:
    """Return the two-sided p-value of the t interval; 1 where nothing varies and the value is the null's."""
    if found.error == 0:
        return 1.0 if found.value == against else math.nan
    return float(2 * stats.t.sf(abs(found.value - against) / found.error, found.degrees))
