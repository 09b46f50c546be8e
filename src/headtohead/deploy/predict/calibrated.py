"""From logits to calibrated probabilities and conformal sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from headtohead.deploy.bundle.records import BundleCalibration, VennAbersSteps

__all__ = ["ROUNDING", "calibrate", "calibrated", "conformal_set", "venn_abers"]

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


def calibrated(logits: npt.NDArray[np.float32], calibration: BundleCalibration) -> Floats:
    """Return the probabilities (n, k) of logits by a bundle's calibration."""
    prob = calibrate(logits, calibration.temperature)
    return prob if calibration.venn_abers is None else venn_abers(prob, calibration.venn_abers)


def venn_abers(prob: Floats, steps: VennAbersSteps) -> Floats:
    """Return the merged Venn-Abers probabilities (n, 2) of uncalibrated ones: p1 / (1 - p0 + p1).

    A score between two levels has the p0 of the level below and the p1 of the level above, because the new line joins
    the one or the other in the isotonic fit; outside all levels they are 0 and 1 (Vovk, Petej and Fedorova 2015).
    What is no number stays none.

    >>> steps = VennAbersSteps(levels=(0.2, 0.6), low=(0.0, 0.5), high=(0.5, 1.0))
    >>> venn_abers(np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]]), steps)[:, 1].round(3).tolist()
    [0.333, 0.5, 0.667, 0.667]
    """
    levels, score = np.asarray(steps.levels), prob[:, 1]
    above = np.searchsorted(levels, score, side="left")
    below = np.searchsorted(levels, score, side="right")
    low = np.append(0.0, steps.low)[below]
    high = np.append(steps.high, 1.0)[above]
    # a search places what is no number above all levels, where it would pass for a probability
    positive = np.where(np.isnan(score), np.nan, high / (1 - low + high))
    return np.stack([1 - positive, positive], axis=1)


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
