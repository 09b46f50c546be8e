"""Low-rank adapters (Hu et al. 2022, LoRA) in place of fine-tuning all weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headtohead.core.errors import NoEffectError
from headtohead.core.optional import require

if TYPE_CHECKING:
    from headtohead.training.network.classifier import Classifier

__all__ = ["add_adapters"]


def add_adapters(net: Classifier, rank: int, seed: int) -> None:
    """Insert adapters into the backbone's linear layers (1 x 1 convolutions in a CNN); only they will learn.

    The adapters begin at zero effect, so the network starts as the pretrained one; the classifier
    learns as always.

    Raises:
        MissingExtraError: peft is not installed.
        NoEffectError: the backbone has no layer that can take an adapter.
    """
    import torch
    from torch import nn

    peft = require("peft", "lora", "train low-rank adapters")
    layers = list(net.backbone.named_modules())
    targets = [name for name, layer in layers if isinstance(layer, nn.Linear)]
    targets = targets or [
        name
        for name, layer in layers
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.groups == 1
    ]
    if not targets:
        raise NoEffectError(
            "This backbone has no linear layer that an adapter could be put on; use finetune."
        )
    config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets, lora_dropout=0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(config, net.backbone)
