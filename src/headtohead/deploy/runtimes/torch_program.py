"""A network as a torch program (.pt2): torch alone, without timm and transformers."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["TorchProgram"]

Floats = npt.NDArray[np.float32]


class TorchProgram:
    """A network that torch runs from its exported graph, in float32.

    Args:
        content: the .pt2 file.
    """

    name = "torch"

    def __init__(self, content: bytes) -> None:
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._module: Any = torch.export.load(io.BytesIO(content)).module()

    def forward(self, *inputs: Floats) -> Floats:
        """Return logits (n, k) of prepared inputs (n, 3, S, S)."""
        return self.forward_features(*inputs)[0]

    def forward_features(self, *inputs: Floats) -> tuple[Floats, Floats]:
        """Return logits (n, k) and the features (n, D) that the guard compares."""
        import torch

        with torch.inference_mode():
            logits, rows = self._module(*(torch.from_numpy(batch) for batch in inputs))
        return logits.numpy(), rows.numpy()
