"""The rule for verdicts about learners in plain numpy: a reference that shares no code with headtohead.

A test holds `headtohead.stats.intervals.training_variance` and a whole comparison to it.

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
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLOPE = 1.5  # chord of the nearest centroid's curve; chosen on the settings "design" of simulate.py
MARGIN = 1.2  # over Nadeau and Bengio's bound: the Lasso, and ridge with p > n, come out above it
FEWEST_DEGREES = (
    3.0  # one pull that outweighs all others, as in headtohead.stats.intervals.degrees_of_freedom
)


@dataclass(frozen=True, slots=True)
class Parts:
    """A metric in repeated cross-validation, taken apart by groups.

    Attributes:
        values: (R,) the metric in each repeat.
        pulls: (R, G) jackknife pulls (G - 1) * (value - value without the group), centred; NaN never.
        normal: (R, n) normal scores of the samples, centred by class (`normal_scores`): by these the share
            u is measured, whatever the metric. A metric's own pulls carry noise that does not come from
            training: which groups of the other class share the fold (AUROC), which side of the threshold a
            score falls on (accuracy).
    """

    values: Floats
    pulls: Floats
    normal: Floats

    def __sub__(self, other: Parts) -> Parts:
        """Return the parts of the paired difference."""
        return Parts(self.values - other.values, self.pulls - other.pulls, self.normal - other.normal)


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


# ---------------------------------------------------------------------------------------- pulls of metrics


def pair_sums(score: Floats, label: Ints, unit: Ints) -> tuple[Floats, Floats]:
    """Return each sample's concordant pairs and pairs with the other class inside its unit.

    Structural components of the Mann-Whitney statistic (DeLong et al. 1988, Biometrics 44:837) before
    division, by midranks (Sun and Xu 2014, IEEE Signal Process Lett 21:1389); ties count one half.

    Args:
        score: (n,); label: (n,) 0 or 1; unit: (n,) fold, or fold and group. Pairs across units do not count.

    Returns:
        won: (n,) pairs in which the positive one has the higher score; pairs: (n,) all pairs.
    """
    _, dense = np.unique(score, return_inverse=True)
    ranks = _ranks_within(dense, unit)
    own = _ranks_within(dense, unit * 2 + label)
    _, unit = np.unique(unit, return_inverse=True)
    positives = np.bincount(unit, label == 1)[unit]
    negatives = np.bincount(unit, label == 0)[unit]
    below = ranks - own  # of the other class in the unit, ties one half
    won = np.where(label == 1, below, positives - below)
    return won, np.where(label == 1, negatives, positives)


def _ranks_within(dense: Ints, unit: Ints) -> Floats:
    """Return midranks of `dense` within each unit."""
    key = unit * (int(dense.max()) + 1) + dense
    distinct, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle = ends - (counts - 1) / 2
    owner = distinct // (int(dense.max()) + 1)
    first = np.r_[True, owner[1:] != owner[:-1]]
    offset = np.maximum.accumulate(np.where(first, ends - counts, 0))
    return np.asarray((middle - offset)[inverse], dtype=np.float64)


def auroc_parts(score: Floats, label: Ints, group: Ints, fold: Ints) -> Parts:
    """Return the within-fold AUROC: the share of concordant pairs among pairs of one fold and repeat.

    No score is compared with one of another fold, so a scale that drifts between folds does not move it.
    Folds weigh by their pairs; a fold without one of the classes has none. Groups with both classes are
    taken out with all their pairs (Obuchowski 1997, Biometrics 53:567, in jackknife form).

    Args:
        score: (R, n); label: (n,) 0 or 1; group: (n,) 0 … G - 1; fold: (R, n).
    """
    n_groups = int(group.max()) + 1
    values, pulls = np.empty(len(score)), np.empty((len(score), n_groups))
    for r, (s, f) in enumerate(zip(score, fold, strict=True)):
        _, f = np.unique(f, return_inverse=True)
        won, pairs = pair_sums(s, label, f)
        inside_won, inside_pairs = pair_sums(s, label, f * n_groups + group)
        top, all_pairs = won[label == 1].sum(), pairs[label == 1].sum()
        # a pair of one group is counted from both its ends in `won`, so once too often
        lost = np.bincount(group, won - inside_won / 2, n_groups)
        lost_pairs = np.bincount(group, pairs - inside_pairs / 2, n_groups)
        values[r] = top / all_pairs
        pulls[r] = (n_groups - 1) * (values[r] - (top - lost) / (all_pairs - lost_pairs))
    return Parts(values, _centred(pulls), normal_scores(score, label))


def normal_scores(score: Floats, label: Ints) -> Floats:
    """Return normal scores (van der Waerden) of the ranks in each repeat, less their mean in each class.

    Args:
        score: (R, n); label: (n,) 0 or 1.
    """
    z = special.ndtri((stats.rankdata(score, axis=1) - 0.5) / score.shape[1])
    for c in (0, 1):
        z[:, label == c] -= z[:, label == c].mean(axis=1, keepdims=True)
    return np.asarray(z)


def mean_parts(loss: Floats, group: Ints, normal: Floats) -> Parts:
    """Return the mean of a loss (R, n) over samples: accuracy (0 or 1 each), Brier score, log loss.

    Args:
        normal: `normal_scores` of the same contender.
    """
    n_groups, n = int(group.max()) + 1, loss.shape[1]
    sizes = np.bincount(group, minlength=n_groups)
    values = loss.mean(axis=1)
    sums = np.stack([np.bincount(group, row, n_groups) for row in loss])
    left_out = (loss.sum(axis=1, keepdims=True) - sums) / (n - sizes)
    return Parts(values, _centred((n_groups - 1) * (values[:, None] - left_out)), normal)


def recall_parts(correct: Floats, label: Ints, group: Ints, normal: Floats) -> Parts:
    """Return balanced accuracy: the mean over classes of the share answered rightly, correct (R, n)."""
    n_groups = int(group.max()) + 1
    values, left_out = 0.0, 0.0
    classes = np.unique(label)
    for c in classes:
        weight = (label == c).astype(np.float64)
        sizes = np.bincount(group, weight, n_groups)
        sums = np.stack([np.bincount(group, row * weight, n_groups) for row in correct])
        values = values + (correct @ weight / weight.sum()) / len(classes)
        left_out = left_out + (sums.sum(axis=1, keepdims=True) - sums) / (weight.sum() - sizes) / len(classes)
    pulls = (n_groups - 1) * (np.asarray(values)[:, None] - left_out)
    return Parts(np.asarray(values), _centred(pulls), normal)


def fold_parts(
    metric: Callable[[Ints, Floats], float],
    label: Ints,
    prob: Floats,
    group: Ints,
    fold: Ints,
    normal: Floats,
) -> Parts:
    """Return any metric, averaged over folds where it is defined, with the jackknife over groups.

    Args:
        metric: (labels, predictions) of one fold -> value, NaN where not defined.
        label: (n,); prob: (R, n) or (R, n, k); group: (n,); fold: (R, n).
    """
    n_groups = int(group.max()) + 1
    values, pulls = np.empty(len(prob)), np.zeros((len(prob), n_groups))
    for r, (p, f) in enumerate(zip(prob, fold, strict=True)):
        cells = [np.flatnonzero(f == k) for k in np.unique(f)]
        inside = np.array([metric(label[i], p[i]) for i in cells])
        values[r] = np.nanmean(inside)
        for place, index in enumerate(cells):
            for g in np.unique(group[index]):
                keep = index[group[index] != g]
                changed = inside.copy()
                changed[place] = metric(label[keep], p[keep]) if len(keep) else math.nan
                pulls[r, g] = (n_groups - 1) * (values[r] - np.nanmean(changed))
    return Parts(values, _centred(pulls), normal)


def _centred(pulls: Floats) -> Floats:
    return np.asarray(pulls - pulls.mean(axis=1, keepdims=True))


# ------------------------------------------------------------------------------------------------ the rule


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
