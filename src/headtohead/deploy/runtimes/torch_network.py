"""A torch network as it was built, in float32: the reference that other runtimes are held against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

__all__ = ["TorchNetwork"]

Floats = npt.NDArray[np.float32]


class TorchNetwork:
    """A torch module that gives logits.

    Args:
        network: in evaluation mode, on the CPU, in float32.
    """

    name = "torch"

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def forward(self, batch: Floats) -> Floats:
        """Return logits (n, k) of normalised images (n, 3, S, S)."""
        with torch.inference_mode():
            logits: Floats = self._network(torch.from_numpy(np.ascontiguousarray(batch))).float().numpy()
        return logits
