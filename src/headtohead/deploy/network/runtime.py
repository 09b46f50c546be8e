"""What runs the network of a bundle: torch here, others elsewhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from headtohead.deploy.network.graph import BundleNetwork

__all__ = ["TorchRuntime"]

Floats = npt.NDArray[np.float32]


class TorchRuntime:
    """The bundle's network in torch, in float32."""

    name = "torch"

    def __init__(self, network: BundleNetwork, device: str = "cpu") -> None:
        self.network, self._device = network.to(device), device

    def forward(self, *inputs: Floats) -> Floats:
        """Return logits (n, k) of prepared inputs (n, 3, S, S)."""
        return self.forward_features(*inputs)[0]

    def forward_features(self, *inputs: Floats) -> tuple[Floats, Floats]:
        """Return logits (n, k) and the features (n, D) that the guard compares."""
        with torch.inference_mode():
            tensors = [torch.from_numpy(batch).to(self._device) for batch in inputs]
            logits, rows = self.network.with_features(*tensors)
        return logits.float().cpu().numpy(), rows.float().cpu().numpy()
