"""The moving average of a network's weights while it learns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["AveragedWeights"]


class AveragedWeights:
    """An exponential moving average of tensors that change step by step.

    Args:
        tensors: weights and buffers of a network.
        decay: share of the average that each step keeps; None keeps no average, and all methods do nothing.

    Attributes:
        values: the average of each tensor, or None.
    """

    def __init__(self, tensors: Sequence[Tensor], decay: float | None) -> None:
        self._tensors, self._decay = list(tensors), decay
        self.values = [tensor.detach().clone() for tensor in tensors] if decay else None

    def follow(self, step: int) -> None:
        """Move the average towards the tensors after a step; the first steps count fully, so the start is forgotten."""
        if self.values is None or self._decay is None:
            return
        decay = min(self._decay, (1 + step) / (10 + step))  # as TensorFlow's ExponentialMovingAverage
        with torch.no_grad():
            torch._foreach_lerp_(self.values, self._tensors, 1.0 - decay)

    def of(self, tensor: Tensor) -> list[Tensor]:
        """Return the average of one of the tensors, as a list that is empty where there is none."""
        pairs = zip(self._tensors, self.values or [], strict=False)
        return [average for own, average in pairs if own is tensor]  # tensors compare entry by entry under ==

    def restore(self, values: list[Tensor] | None, device: torch.device) -> None:
        """Take up the averages that a checkpoint holds."""
        self.values = None if values is None else [tensor.to(device) for tensor in values]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the tensors their averages for a while, if there are any."""
        if self.values is None:
            yield
            return
        last = [tensor.detach().clone() for tensor in self._tensors]
        # Only the copies are no part of a gradient: what is done in between may need one.
        with torch.no_grad():
            torch._foreach_copy_(self._tensors, self.values)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self._tensors, last)
