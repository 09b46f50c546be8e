"""Predictions of two models on the same samples whose true AUROCs are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

__all__ = ["binormal_pair"]


def binormal_pair(
    n: int = 200,
    *,
    auroc: tuple[float, float] = (0.85, 0.80),
    labels: tuple[str, str] = ("benign", "malignant"),
    groups: npt.NDArray[np.int64] | None = None,
    prevalence: float = 0.4,
    seed: int = 0,
) -> pd.DataFrame:
    """Return calibrated binormal scores of "cnn" and "vit", half of whose noise is common to both.

    Args:
        auroc: of the two. labels: the negative and the positive class. groups: (n,) numbers; one each if None.
    """
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < prevalence).astype(np.int64)
    group = np.arange(n) if groups is None else groups
    shared, parts = rng.normal(size=n), []
    for model, area in zip(("cnn", "vit"), auroc, strict=True):
        gap = np.sqrt(2) * stats.norm.ppf(area)
        signal = gap * truth + np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=n)
        logit = gap * (signal - gap / 2) + np.log(prevalence / (1 - prevalence))
        parts.append(
            pd.DataFrame(
                {
                    "sample": [f"s{i:05d}" for i in range(n)],
                    "group": [f"g{g}" for g in group],
                    "model": model,
                    "label": [labels[y] for y in truth],
                    "score": 1 / (1 + np.exp(-logit)),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
