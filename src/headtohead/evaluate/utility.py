"""Net benefit: is it better to act on the model than on everybody or on nobody?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.evaluate.setting import Setting, band
from headtohead.evaluate.weighted import group_sums, ratio

__all__ = ["decision_curves", "net_benefit"]

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


def decision_curves(setting: Setting, prevalence: float | None) -> dict[str, Any]:
    """Return net benefit with bands for each contender over thresholds, beside treat-all and treat-none.

    Probabilities are taken as they are; a threshold is a statement about costs, not chosen on data.

    Args:
        prevalence: where the model is to be used; that of the data if None.
    """
    table = setting.table
    if not table.binary:
        return {}
    share = float((table.sample_label == 1).mean())
    used = share if prevalence is None else prevalence
    everybody = net_benefit(np.ones(1), np.zeros(1), used, _THRESHOLDS)
    return {
        "prevalence": used,
        "prevalence_of_data": share,
        "thresholds": _THRESHOLDS.tolist(),
        "treat_all": everybody.tolist(),
        "treat_none": [0.0] * len(_THRESHOLDS),
        "contenders": {name: _curve(setting, name, prevalence) for name in table.contenders},
        "note": "" if prevalence is None else "probabilities were not re-based to the prevalence asked for",
    }


def _curve(setting: Setting, contender: str, prevalence: float | None) -> list[dict[str, float | None]]:
    repeats = setting.table.of(contender)
    prob = np.concatenate([lines.prob[:, 1] for lines in repeats])
    positive = np.concatenate([lines.label == 1 for lines in repeats])[:, None]
    group = np.concatenate([lines.group for lines in repeats])
    called = prob[:, None] >= _THRESHOLDS
    n = len(_THRESHOLDS)
    columns = np.concatenate([called & positive, ~called & ~positive, positive, ~positive], axis=1).astype(
        float
    )
    sums = group_sums(columns, group, setting.table.n_groups).T @ setting.resamples.weights
    true, clear, n_pos, n_neg = sums[:n], sums[n : 2 * n], sums[2 * n], sums[2 * n + 1]
    share = ratio(n_pos, n_pos + n_neg) if prevalence is None else prevalence
    benefit = net_benefit(ratio(true, n_pos), ratio(clear, n_neg), share, _THRESHOLDS[:, None])
    return [band(values, setting.resamples, setting.level) for values in benefit]
