"""Predictions of repeated cross-validation with a planted difference."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["repeated"]


def repeated(gain: float, noise: float, repeats: int = 3, n: int = 200) -> pd.DataFrame:
    """Return two contenders in repeated cross-validation; each repeat moves every score by `noise`."""
    rng, parts = np.random.default_rng(3), []
    label, base = np.arange(n) % 2, rng.normal(size=n)
    own = rng.normal(size=n)
    for repeat in range(repeats):
        fold = np.empty(n, dtype=int)
        for c in (0, 1):
            fold[label == c] = rng.permutation(np.arange(n // 2) % 5)
        for name, lift, mix in (("a", 1.0 + gain, 0.0), ("b", 1.0, 1.0)):
            score = lift * label + base + 0.6 * mix * own + noise * rng.normal(size=n)
            p = 1 / (1 + np.exp(-score))
            parts.append(
                pd.DataFrame(
                    {"sample": [f"s{i:03d}" for i in range(n)], "group": [f"g{i:03d}" for i in range(n)],
                     "repeat": repeat, "fold": fold, "contender": name,
                     "label": np.array(["no", "yes"])[label], "prob_no": 1 - p,
                     "prob_yes": p}
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
