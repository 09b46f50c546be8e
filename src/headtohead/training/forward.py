"""Scores and features of a classifier for the samples of an image source, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headtohead.core.errors import HeadToHeadError
from headtohead.training.data_loader import Batch, Change, ImageSource, batches, unchanged
from headtohead.training.network.classifier import Classifier
from headtohead.training.records import Ints
from headtohead.training.sampler import plain_order
from headtohead.training.settings import FinetuneSettings

__all__ = ["ForwardPass"]


@dataclass(frozen=True)
class ForwardPass:
    """A network in evaluation, with its weights as they are.

    Attributes:
        net: the network; its k is the number of classes.
        source: where images come from.
        device: where the network is.
        bf16: whether matrix products run in bf16.
        settings: size of the batches, and workers.
    """

    net: Classifier
    source: ImageSource
    device: torch.device
    bf16: bool
    settings: FinetuneSettings

    def scores(self, indices: Ints, *, flip: bool) -> Tensor:
        """Return (v, n, k) scores in float64 of the images and, with `flip`, of the flipped images.

        Raises:
            HeadToHeadError: a score is not finite.
        """
        out = []
        for batch in self._batches(indices, unchanged):
            inputs = self.inputs(batch.inputs)
            views = [inputs, inputs.flip(-1)] if flip else [inputs]
            with self.autocast():
                rows = [self.net(view).float().cpu() for view in views]  # MPS has no float64
            if not all(torch.isfinite(row).all() for row in rows):
                raise HeadToHeadError(
                    "A network's scores are not finite after its training; lower learning_rate, or set clip."
                )
            out.append(torch.stack(rows).double())
        k = self.net.linear.out_features
        # A training on all images tests none.
        return torch.cat(out, dim=1) if out else torch.empty((1, 0, k), dtype=torch.float64)

    def features(self, indices: Ints, change: Change = unchanged) -> npt.NDArray[np.float32]:
        """Return the backbone's features (n, D) of samples, after a change of their pixels."""
        with torch.inference_mode(), self.autocast():
            rows = [
                self.net.backbone(self.inputs(batch.inputs)).float().cpu().numpy()
                for batch in self._batches(indices, change)
            ]
        return np.concatenate(rows)

    def inputs(self, array: npt.NDArray[np.float32]) -> Tensor:
        """Return a batch (B, 3, S, S) on the device, channels last."""
        batch = torch.from_numpy(array)
        if self.device.type == "cuda":  # pinned, so that the copy runs beside the network
            batch = batch.pin_memory().to(self.device, non_blocking=True)
        return batch.to(self.device).contiguous(memory_format=torch.channels_last)  # as in a CNN's weights

    def autocast(self) -> torch.autocast:
        """Return the context in which the network's matrix products are computed."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    def _batches(self, indices: Ints, change: Change) -> Iterator[Batch]:
        self.net.eval()
        order = plain_order(len(indices), max(self.settings.batch, 16))
        return batches(self.source, indices, order, change, min(1, self.settings.workers))
