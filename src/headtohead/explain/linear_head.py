"""A linear classifier in the form that maps need: weights on features, the features of an average image, an offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from headtohead.training.logistic import FittedProbe
    from headtohead.training.network.classifier import Classifier

__all__ = ["LinearHead", "target_log_odds"]

Floats = npt.NDArray[np.float64]
TINY = 1e-300  # a probability that has underflowed still has a logarithm


@dataclass(frozen=True)
class LinearHead:
    """Class scores that are linear in the features: scores = weights @ (features - mean) + bias.

    Attributes:
        weights: (k, D), in units of the raw features; or (1, D) for two classes, then the score is the
            log-odds of the last class.
        mean: (D,), the features of the average training image; the scores of that image are `bias`.
        bias: (k,) or (1,).
    """

    weights: Floats
    mean: Floats
    bias: Floats

    @classmethod
    def from_probe(cls, probe: FittedProbe) -> LinearHead:
        """Return a fitted probe with its standardisation folded into the weights."""
        return cls(probe.weights / probe.scale, probe.mean, probe.bias)

    @classmethod
    def from_classifier(cls, net: Classifier) -> LinearHead:
        """Return the linear layer of a fine-tuned network; of two classes the difference of their scores."""
        mean, scale, weights, bias = (
            tensor.detach().double().cpu().numpy()
            for tensor in (net.mean, net.scale, net.linear.weight, net.linear.bias)
        )
        weights = weights / scale
        if len(weights) == 2:
            weights, bias = weights[1:] - weights[:1], bias[1:] - bias[:1]
        return cls(weights, mean, bias)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return max(2, len(self.weights))

    def scores(self, features: npt.NDArray[np.floating]) -> Floats:
        """Return (n, k) or (n, 1) scores of feature rows (n, D)."""
        return np.asarray((features - self.mean) @ self.weights.T + self.bias, dtype=np.float64)


def target_log_odds(scores: Floats, target: int) -> tuple[Floats, float, float]:
    """Return how the log-odds of one class against all others follow from the scores of one image.

    With two classes the log-odds are the score itself, or its negative. With k classes and softmax
    probabilities p, log(p_c / (1 - p_c)) = s_c - sum_j q_j s_j - H(q) exactly, where j runs over the other
    classes, q_j = p_j / (1 - p_c) and H is the entropy in nats. The shares q are kept as they are for this
    image, so the log-odds are linear in the scores.

    Args:
        scores: (1,) or (k,) of one image.
        target: index of the class.

    Returns:
        (mixing (1,) or (k,), constant, log-odds): log-odds = mixing @ scores + constant.

    >>> mixing, constant, value = target_log_odds(np.array([0.0, 1.0, 2.0]), 2)
    >>> bool(abs(value - (2 - np.log(1 + np.e))) < 1e-12), bool(abs(mixing @ [0, 1, 2] + constant - value) < 1e-12)
    (True, True)
    """
    if len(scores) == 1:
        sign = 1.0 if target == 1 else -1.0
        return np.array([sign]), 0.0, sign * float(scores[0])
    others = np.delete(np.arange(len(scores)), target)
    top = scores[others].max()
    shares = np.exp(scores[others] - top)  # shifted, so that none overflows
    shares /= shares.sum()
    mixing = np.zeros(len(scores))
    mixing[target], mixing[others] = 1.0, -shares
    constant = float((shares * np.log(np.maximum(shares, TINY))).sum())
    return mixing, constant, float(mixing @ scores + constant)
