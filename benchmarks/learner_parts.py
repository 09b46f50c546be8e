"""Metrics in repeated cross-validation, taken apart by groups: plain numpy, for the rule of `learner_rule.py`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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


def _centred(pulls: Floats) -> Floats:
    return np.asarray(pulls - pulls.mean(axis=1, keepdims=True))
