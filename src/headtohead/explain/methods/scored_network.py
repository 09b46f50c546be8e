"""A network with a linear head as a differentiable score, for gradient and perturbation methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headtohead.backbones.record import BackboneRecord
from headtohead.explain.linear_head import LinearHead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

__all__ = ["ScoredNetwork", "mean_head"]

BATCH = 16


@dataclass(frozen=True)
class ScoredNetwork:
    """The log-odds of one class, computed by one network and one linear head.

    Attributes:
        network: a backbone in evaluation mode; record: how its input is made.
        head: of its features; target: index of the class.
        reference: what the explained stage gives for the average training image, without the batch; only
            integrated contributions need it.
    """

    network: nn.Module
    record: BackboneRecord
    head: LinearHead
    target: int
    reference: Tensor | None = None

    def log_odds(self, x: Tensor) -> Tensor:
        """Return (B,) log-odds of the class against all others for normalised images (B, 3, S, S)."""
        import torch

        rows = self.network(x).double()
        parts = (self.head.weights, self.head.mean, self.head.bias)
        weights, mean, bias = (torch.from_numpy(np.asarray(part)).to(rows) for part in parts)
        scores = (rows - mean) @ weights.T + bias
        if scores.shape[1] == 1:
            own: Tensor = scores[:, 0] if self.target == 1 else -scores[:, 0]
            return own
        others = [c for c in range(scores.shape[1]) if c != self.target]
        found: Tensor = scores[:, self.target] - torch.logsumexp(scores[:, others], dim=1)
        return found

    def input_of(self, pixels: npt.NDArray[np.float32]) -> Tensor:
        """Return (1, 3, S, S), a prepared image as the network takes it."""
        import torch

        from headtohead.backbones.features.input_transform import to_network_input

        device = next(self.network.parameters()).device
        return torch.from_numpy(to_network_input(pixels, self.record)[None]).to(device)

    def of_pixels(self, images: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
        """Return (n,) log-odds of prepared images."""
        import torch

        found = []
        with torch.no_grad():
            for start in range(0, len(images), BATCH):
                x = torch.cat([self.input_of(one) for one in images[start : start + BATCH]])
                found.append(self.log_odds(x).cpu().numpy())
        return np.concatenate(found)


def mean_head(heads: Sequence[LinearHead]) -> LinearHead:
    """Return the head whose scores are the mean of the scores of several heads."""
    weights = np.mean([head.weights for head in heads], axis=0)
    # each head has an average image of its own: in the bias, they can be averaged
    bias = np.mean([head.bias - head.weights @ head.mean for head in heads], axis=0)
    return LinearHead(weights, np.zeros(weights.shape[1]), bias)
