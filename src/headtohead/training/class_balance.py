"""The loss of a network, by which its probabilities keep the class frequencies of the training part.

Two things would move them. Label smoothing towards equal classes pulls every mean probability towards 1/k, so the
smoothing here goes towards the class frequencies. Balanced classes (weights of the loss, or a sampler) teach the
probabilities of a world in which all classes are equally common; there the loss is laid on `scores - log frequencies`,
so that the network's own scores stay those of the training part (the shift of the prior: Saerens, Latinne and
Decaestecker 2002, Neural Comput 14:21; within the loss: Menon et al. 2021, ICLR).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["BALANCES", "Balance", "ClassificationLoss"]

Ints = npt.NDArray[np.int64]
Balance = Literal["none", "loss", "sampler"]
_SETTLING_STEPS = 30  # each multiplies the distance by less than a half where classes overlap
BALANCES: tuple[Balance, ...] = ("none", "loss", "sampler")


@dataclass(frozen=True)
class ClassificationLoss:
    """Cross-entropy whose optimum is the probability of each class at the frequencies of the training part.

    Attributes:
        start: (k,) scores of a network that knows nothing yet: log frequencies, with a mean of 0.
        offset: (k,) taken off the scores before the softmax; 0 without balancing.
        weights: (k,) of the classes, or None.
        smooth: (k,) towards which labels are smoothed.
        smoothing: share of the target that is spread.
    """

    start: Tensor
    offset: Tensor
    weights: Tensor | None
    smooth: Tensor
    smoothing: float

    @classmethod
    def from_labels(
        cls, labels: Ints, k: int, balance: Balance, smoothing: float, device: torch.device
    ) -> Self:
        """Return the loss for a training part.

        Args:
            labels: (n,) class indices. k: number of classes.
            balance: "loss" weighs classes by n / (k * count); "sampler" is for lines drawn equally often.
            smoothing: share of the target that is spread over the classes.
            device: where the scores are.
        """
        counts = np.bincount(labels, minlength=k)
        frequencies = counts / counts.sum()
        # a class that the part lacks has no finite odds; one image stands for it
        start = np.log(np.maximum(counts, 1))
        start -= start.mean()
        offset = start if balance != "none" else np.zeros(k)
        weights = np.where(counts > 0, counts.sum() / (k * np.maximum(counts, 1)), 0.0)
        # The sampler draws the classes equally often.
        smooth = np.full(k, 1 / k) if balance == "sampler" else frequencies

        def tensor(values: npt.NDArray[np.float64]) -> Tensor:
            return torch.tensor(values, dtype=torch.float32, device=device)

        own = tensor(weights) if balance == "loss" else None
        return cls(tensor(start), tensor(offset), own, tensor(smooth), smoothing)

    def settle(self, scores: Tensor) -> Tensor:
        """Return (k,) to add to scores (n, k) of the training part, so that their mean is the class frequencies.

        Dropout and an early end leave the intercept a little off; a logistic regression has this property at its
        optimum.
        """
        wanted = torch.log_softmax(self.start.to(scores), dim=0)
        shift = torch.zeros_like(wanted)
        for _ in range(_SETTLING_STEPS):
            # in logarithms, since the mean of a class that no image is given is 0 as a number
            means = torch.logsumexp(torch.log_softmax(scores + shift, dim=1), dim=0) - math.log(len(scores))
            shift = shift + wanted - means
        return shift

    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of scores (B, k) at class indices (B,)."""
        targets = functional.one_hot(labels, len(self.smooth)).to(scores.dtype)
        targets = (1 - self.smoothing) * targets + self.smoothing * self.smooth
        return functional.cross_entropy(scores - self.offset, targets, weight=self.weights)
