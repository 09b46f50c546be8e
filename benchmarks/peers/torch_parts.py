"""What the scripts of peers on torch share: the files as tensors, and a network as the Trainer wants it."""

from __future__ import annotations

from typing import Any

import timm
import torch
from common import SIDES
from torch import nn
from torchvision import datasets, transforms

__all__ = ["Scored", "images"]


def images(data: str, network: str) -> Any:
    """Return the files of a folder with a folder per class, scaled to the network's input and to -1 to 1."""
    change = transforms.Compose(
        [
            transforms.Resize((SIDES[network], SIDES[network])),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
        ]
    )
    return datasets.ImageFolder(data, change)


class Scored(nn.Module):
    """A network as the Trainer wants it: a loss from pixel_values and labels."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.net = timm.create_model(name, num_classes=2)

    def forward(self, pixel_values: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return loss and logits."""
        scores = self.net(pixel_values)
        return {"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}
