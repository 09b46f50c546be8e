"""From a record and settings to a training that is ready to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from headtohead.core.errors import NoEffectError
from headtohead.core.progress import Reporter
from headtohead.data.splits.even_sample import evenly_spaced
from headtohead.training.data_loader import Augmenter, ImageSource, batches, unchanged
from headtohead.training.mixed_precision import checked_bf16, pick_device
from headtohead.training.network.batchnorm_folding import fold_batchnorm
from headtohead.training.network.classifier import (
    Classifier,
    disable_fused_attention,
    freeze,
    init_head_from_probe,
)
from headtohead.training.network.depthwise_conv import use_fp32_depthwise_backward
from headtohead.training.network.lora import add_adapters
from headtohead.training.records import Ints
from headtohead.training.settings import FinetuneSettings
from headtohead.training.trainer import Subset, Trainer

if TYPE_CHECKING:
    from torch import nn

    from headtohead.backbones.record import BackboneRecord

__all__ = ["Build", "TrainingSetup", "loader"]

Build = Callable[[int, float], "nn.Module"]
LOOKED_AT = 4  # images on which bf16 and folded layers are checked


@dataclass(frozen=True)
class TrainingSetup:
    """What is trained, on which images and where: all that is known before the part to learn from and the seed.

    Attributes:
        build: makes the backbone from (seed, drop_path).
        source: the images.
        augmenter: changes them before each step.
        settings: of the training.
        device: "auto", "cpu", "cuda", "mps".
        precision: "auto", "fp32", "bf16".
    """

    build: Build
    source: ImageSource
    augmenter: Augmenter
    settings: FinetuneSettings
    device: str = "auto"
    precision: str = "auto"

    def start(self, part: Subset, *, seed: int, k: int, reporter: Reporter) -> Trainer:
        """Build the network, prepare it as the settings say, and return its training before the first step.

        Args:
            part: what it will learn from; its indices are sorted.
            seed: of initial weights and of every draw.
            k: number of classes.
            reporter: hears which precision was refused and why.
        """
        settings, place = self.settings, pick_device(self.device)
        backbone = self.build(seed, settings.drop_path)
        net = Classifier(backbone, int(backbone.n_features), k, settings.dropout, seed)  # type: ignore[arg-type]
        if settings.depth == "lora":
            add_adapters(net, settings.lora_rank, seed)
        freeze(backbone, settings)
        if place.type == "cpu":
            disable_fused_attention(net)
        few = part.indices[list(evenly_spaced(range(len(part.indices)), LOOKED_AT))]
        batch = next(batches(self.source, few, [np.arange(len(few))], unchanged, 0))
        if settings.batch_norm == "frozen":
            fold_batchnorm(backbone, torch.from_numpy(batch.inputs), reporter)
        if place.type == "cpu":
            use_fp32_depthwise_backward(backbone)  # after folding, whose layers it leaves alone
        net.to(place)
        targets = torch.from_numpy(part.labels[np.searchsorted(part.indices, few)]).to(place)
        bf16 = checked_bf16(net, torch.from_numpy(batch.inputs).to(place), targets, self.precision, reporter)
        training = Trainer(net, self.source, self.augmenter, part, settings, seed, k, place, bf16)
        if settings.head_start == "probe":
            init_head_from_probe(net, *_frozen_rows(training))
        else:
            with torch.no_grad():
                net.linear.bias.copy_(training.loss.start)
        return training


def loader(record: BackboneRecord) -> Build:
    """Return what loads the record's network from (seed, drop_path).

    Raises:
        NoEffectError: stochastic depth is asked of a network without branches that it could drop.
    """

    def load(seed: int, drop_path: float) -> nn.Module:
        from timm.layers.drop import DropPath

        from headtohead.backbones.load import load_backbone

        refusal = f"{record.name} has no branches that stochastic depth could drop; set drop_path = 0."
        try:
            backbone = load_backbone(record, seed=seed, drop_path=drop_path)
        except TypeError as error:  # timm passes the rate on to networks that know no such argument
            if drop_path:
                raise NoEffectError(refusal) from error
            raise
        if drop_path and not any(isinstance(layer, DropPath) for layer in backbone.modules()):
            raise NoEffectError(refusal)
        return backbone

    return load


def _frozen_rows(training: Trainer) -> tuple[npt.NDArray[np.float32], Ints]:
    """Return the backbone's features of the part (and of its flipped images, if sound) with labels."""
    part = training.part
    rows = [training.features(part.indices)]
    if training.augmenter.flips:
        rows.append(training.features(part.indices, lambda _place, pixels: pixels[:, ::-1]))
    return np.concatenate(rows), np.tile(part.labels, len(rows))
