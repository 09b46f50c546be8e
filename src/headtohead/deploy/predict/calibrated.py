"""From logits to calibrated probabilities and conformal sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["ROUNDING", "calibrate", "conformal_set"]

Floats = npt.NDArray[np.float64]
# 1 - p and the quantile it is compared with are rounded differently.
ROUNDING = 1e-12


def calibrate(logits: npt.NDArray[np.float32], temperature: float) -> Floats:
    """Return softmax(logits / temperature), (n, k) (Guo et al. 2017, ICML).

    >>> calibrate(np.array([[0.0, 2.0]], dtype="f4"), 2.0).round(3).tolist()
    [[0.269, 0.731]]
    """
    scaled = logits.astype(np.float64) / temperature
    shifted = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def conformal_set(
    prob: Floats, classes: Sequence[str], quantiles: Mapping[str, float] | None
) -> tuple[str, ...] | None:
    """Return the classes whose 1 - p is within their quantile, or None without quantiles.

    >>> conformal_set(np.array([0.3, 0.7]), ["no", "yes"], {"no": 0.6, "yes": 0.6})
    ('yes',)
    """
    if quantiles is None:
        return None
    return tuple(name for name, p in zip(classes, prob, strict=True) if 1 - p <= quantiles[name] + ROUNDING)
