"""Net benefit of acting on a model, against treating everybody or nobody (decision curve analysis)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headtohead.core.tables.estimate import Estimate
from headtohead.core.tables.probability import DecisionCurves
from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.metrics.weight_blocks import weighted_sums
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["decision_curves", "net_benefit", "rebased"]

Floats = npt.NDArray[np.float64]

# Every 1 % below 10 %, where most decisions on rare findings lie, every 5 % above.
_THRESHOLDS = np.round(np.concatenate([np.arange(0.01, 0.1, 0.01), np.arange(0.1, 0.96, 0.05)]), 4)


def net_benefit(
    sensitivity: Floats, specificity: Floats, prevalence: Floats | float, threshold: Floats | float
) -> Floats:
    """Return true positives less weighted false positives, per case (Vickers and Elkin 2006, MDM 26:565).

    sensitivity * prevalence - (1 - specificity) * (1 - prevalence) * threshold / (1 - threshold): the
    threshold is the probability from which on one would act, so its odds are what a false alarm costs.

    >>> float(net_benefit(np.array(1.0), np.array(0.0), 0.3, 0.2).round(3))  # treat all
    0.125
    """
    harm = threshold / (1 - threshold)
    return np.asarray(sensitivity * prevalence - (1 - specificity) * (1 - prevalence) * harm)


def decision_curves(resampled: ResampledPredictions, prevalence: float | None) -> DecisionCurves | None:
    """Return the net benefit of each contender over thresholds, with intervals; None beyond two classes.

    A threshold is a statement about costs and is not chosen on data. Where a prevalence is given, the
    probabilities are re-based to it first: they were learnt at that of the data, and a threshold of 5 % is meant
    where the model is used. Contenders that give answers or ranks have no curve.

    Args:
        prevalence: share of positives where the model is to be used, in (0, 1); that of the data if None.
    """
    table = resampled.table
    if not table.binary:
        return None
    share = float((table.sample_label == 1).mean())
    used = share if prevalence is None else prevalence
    at = _thresholds(prevalence)
    treat_all = net_benefit(np.ones(1), np.zeros(1), used, at)
    note = f"probabilities were re-based from the data's prevalence, {share:.3g}, to the given one"
    return DecisionCurves(
        prevalence=used,
        prevalence_of_data=share,
        thresholds=tuple(at.tolist()),
        treat_all=tuple(treat_all.tolist()),
        treat_none=(0.0,) * len(at),
        contenders={
            name: _curve(resampled, name, prevalence, share, at)
            for name in table.contenders
            if table.kind(name) == "probabilities"
        },
        note="" if prevalence is None else note,
    )


def rebased(prob: Floats, share: float, prevalence: float) -> Floats:
    """Return probabilities learnt where a share is positive as they are where `prevalence` is.

    The odds are multiplied by the ratio of the prior odds (Saerens, Latinne and Decaestecker 2002, Neural
    Comput 14:21); this takes the images of each class to look alike in both places.

    >>> rebased(np.array([0.0, 0.5, 1.0]), 0.5, 0.02).round(3).tolist()
    [0.0, 0.02, 1.0]
    """
    if not 0 < share < 1:
        return prob
    up, down = prob * prevalence / share, (1 - prob) * (1 - prevalence) / (1 - share)
    return np.asarray(up / (up + down))


def _thresholds(prevalence: float | None) -> Floats:
    """Return the grid of thresholds, finer around a given prevalence."""
    if prevalence is None:
        return _THRESHOLDS
    # From a quarter to four times the prevalence: below and above, acting hardly depends on the model.
    around = prevalence * np.array([0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4])
    return np.unique(np.concatenate([_THRESHOLDS, np.round(around[around < 0.95], 6)]))


def _curve(
    resampled: ResampledPredictions, contender: str, prevalence: float | None, of_data: float, at: Floats
) -> tuple[Estimate, ...]:
    repeats = resampled.table.of(contender)
    prob = np.concatenate([lines.prob[:, 1] for lines in repeats])
    if prevalence is not None:
        prob = rebased(prob, of_data, prevalence)
    positive = np.concatenate([lines.label == 1 for lines in repeats])[:, None]
    group = np.concatenate([lines.group for lines in repeats])
    treated = prob[:, None] >= at
    n = len(at)
    columns = np.concatenate([treated & positive, ~treated & ~positive, positive, ~positive], axis=1)
    by_group = group_sums(columns.astype(float), group, resampled.table.n_groups)
    sums = weighted_sums(by_group, resampled.resamples.weights)
    true_positive, true_negative, n_pos, n_neg = sums[:n], sums[n : 2 * n], sums[2 * n], sums[2 * n + 1]
    # The data's own prevalence varies with the groups drawn, a stated one does not.
    share = ratio(n_pos, n_pos + n_neg) if prevalence is None else prevalence
    benefit = net_benefit(ratio(true_positive, n_pos), ratio(true_negative, n_neg), share, at[:, None])
    return tuple(resampled.interval(values) for values in benefit)
