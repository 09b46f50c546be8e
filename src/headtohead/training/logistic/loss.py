"""The logistic loss of scores, the weights of samples in it, and what a fit returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Loss", "Solution", "binary_loss", "class_weights", "softmax_loss"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Loss = Callable[[Floats], tuple[Floats, Floats]]
"""Scores (n, m) to the weighted losses (n,) and their slopes (n, m).

They are not summed here: near a minimum their sum changes by less than its own rounding; the sum of changes does not.
"""


@dataclass(frozen=True)
class Solution:
    """The minimum of a penalised loss.

    Attributes:
        coefficients: (m, r). bias: (m,) intercepts.
        far: whether it is so far from 0 that the curvature there helps a search little.
    """

    coefficients: Floats
    bias: Floats
    far: bool


def class_weights(labels: Ints, *, balanced: bool) -> Floats:
    """Return (n,) weights of samples: ones, or those that weigh the classes equally and have mean 1."""
    if not balanced:
        return np.ones(len(labels))
    counts = np.bincount(labels)
    return np.asarray(len(labels) / (np.count_nonzero(counts) * counts[labels]), dtype=np.float64)


def binary_loss(labels: Ints, weights: Floats) -> Loss:
    """Return the loss of two classes, whose one score is the log odds of class 1."""
    from scipy.special import expit

    sign = np.where(labels == 1, 1.0, -1.0)

    def loss(scores: Floats) -> tuple[Floats, Floats]:
        margin = sign * scores[:, 0]
        return weights * np.logaddexp(0.0, -margin), (-sign * weights * expit(-margin))[:, None]

    return loss


def softmax_loss(labels: Ints, weights: Floats, m: int) -> Loss:
    """Return the loss of `m` classes, each with a score."""
    from scipy.special import log_softmax

    truth = np.eye(m)[labels]

    def loss(scores: Floats) -> tuple[Floats, Floats]:
        logs = log_softmax(scores, axis=1)
        return -weights * logs[np.arange(len(logs)), labels], weights[:, None] * (np.exp(logs) - truth)

    return loss
