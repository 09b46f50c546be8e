"""Fitted heads as torch modules: features in, log-probabilities out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

__all__ = ["LinearScores", "MlpScores", "mean_log_probabilities"]


class LinearScores(nn.Module):
    """Standardisation with fixed numbers and a linear layer."""

    mean: Tensor
    scale: Tensor

    def __init__(self, n_features: int, k: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.linear = nn.Linear(n_features, k)

    def forward(self, rows: Tensor) -> Tensor:
        """Return log-probabilities (n, k) of features (n, D)."""
        return torch.log_softmax(self.linear((rows - self.mean) / self.scale), dim=1)

    def fill(
        self, mean: npt.NDArray[np.float64], scale: npt.NDArray[np.float64],
        weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64],
    ) -> None:  # fmt: skip
        """Take the numbers of a fitted probe; one row of two classes becomes two of opposite sign."""
        # softmax of (-s / 2, s / 2) is the sigmoid of s
        if len(weights) == 1:
            weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        with torch.no_grad():
            self.mean.copy_(torch.from_numpy(mean))
            self.scale.copy_(torch.from_numpy(scale))
            self.linear.weight.copy_(torch.from_numpy(weights))
            self.linear.bias.copy_(torch.from_numpy(bias))


class MlpScores(nn.Module):
    """Standardisation and several networks of one hidden layer whose probabilities are averaged."""

    mean: Tensor
    scale: Tensor

    def __init__(self, n_features: int, k: int, hidden: int, networks: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.networks = nn.ModuleList(
            nn.Sequential(nn.Linear(n_features, hidden), nn.GELU(), nn.Linear(hidden, k))
            for _ in range(networks)
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Return log-probabilities (n, k) of features (n, D)."""
        standard = (rows - self.mean) / self.scale
        return mean_log_probabilities([torch.log_softmax(net(standard), dim=1) for net in self.networks])


def mean_log_probabilities(parts: list[Tensor], weights: tuple[float, ...] = ()) -> Tensor:
    """Return the logarithm of the (weighted) mean of probabilities given by their logarithms (n, k)."""
    shares = torch.tensor(weights or [1 / len(parts)] * len(parts), dtype=parts[0].dtype)
    # A member of weight 0 takes no part; the smallest positive number keeps its logarithm finite.
    shares = shares.clamp_min(torch.finfo(parts[0].dtype).tiny).log().to(parts[0].device)
    stacked = torch.stack([part + shares[i] for i, part in enumerate(parts)])
    return torch.logsumexp(stacked, dim=0)
