"""Net benefit: is it better to act on the model than on everybody or on nobody?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.resampled import ResampledPredictions, bootstrap_interval

__all__ = ["decision_curves", "net_benefit", "rebased"]

Floats = npt.NDArray[np.float64]

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


def decision_curves(setting: ResampledPredictions, prevalence: float | None) -> dict[str, Any]:
    """Return net benefit with bands for each contender over thresholds, beside treat-all and treat-none.

    A threshold is a statement about costs, not chosen on data. Where a prevalence is asked for, the
    probabilities are re-based to it first: they were learnt at the data's, and acting "from 5 % on" is
    meant where the model is used.

    Args:
        prevalence: where the model is to be used; that of the data if None.
    """
    table = setting.table
    if not table.binary:
        return {}
    share = float((table.sample_label == 1).mean())
    used = share if prevalence is None else prevalence
    at = _thresholds(prevalence)
    everybody = net_benefit(np.ones(1), np.zeros(1), used, at)
    note = f"probabilities were re-based from the data's prevalence, {share:.3g}, to the one asked for"
    return {
        "prevalence": used,
        "prevalence_of_data": share,
        "thresholds": at.tolist(),
        "treat_all": everybody.tolist(),
        "treat_none": [0.0] * len(at),
        "contenders": {name: _curve(setting, name, prevalence, share, at) for name in table.contenders},
        "note": "" if prevalence is None else note,
    }


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
    """Return the grid, finer around a prevalence that was asked for."""
    if prevalence is None:
        return _THRESHOLDS
    around = prevalence * np.array([0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4])
    return np.unique(np.concatenate([_THRESHOLDS, np.round(around[around < 0.95], 6)]))


def _curve(
    setting: ResampledPredictions, contender: str, prevalence: float | None, of_data: float, at: Floats
) -> list[dict[str, float | None]]:
    repeats = setting.table.of(contender)
    prob = np.concatenate([lines.prob[:, 1] for lines in repeats])
    if prevalence is not None:
        prob = rebased(prob, of_data, prevalence)
    positive = np.concatenate([lines.label == 1 for lines in repeats])[:, None]
    group = np.concatenate([lines.group for lines in repeats])
    called = prob[:, None] >= at
    n = len(at)
    columns = np.concatenate([called & positive, ~called & ~positive, positive, ~positive], axis=1).astype(
        float
    )
    sums = group_sums(columns, group, setting.table.n_groups).T @ setting.resamples.weights
    true, clear, n_pos, n_neg = sums[:n], sums[n : 2 * n], sums[2 * n], sums[2 * n + 1]
    share = ratio(n_pos, n_pos + n_neg) if prevalence is None else prevalence
    benefit = net_benefit(ratio(true, n_pos), ratio(clear, n_neg), share, at[:, None])
    return [bootstrap_interval(values, setting.resamples, setting.level) for values in benefit]
