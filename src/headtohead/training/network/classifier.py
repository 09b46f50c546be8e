"""A backbone with its classifier, and what is done to both before and while they learn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from headtohead.backbones.hybrid import HybridBackbone
from headtohead.backbones.network import Backbone
from headtohead.core.errors import NoEffectError
from headtohead.training.logistic import fit_probe
from headtohead.training.lr_schedule import depth_factor, network_factor
from headtohead.training.settings import FinetuneSettings

__all__ = [
    "Classifier",
    "copy_state",
    "describe_layers",
    "disable_fused_attention",
    "freeze",
    "init_head_from_probe",
    "norm_layers",
    "parameter_groups",
    "temporary_state",
]

Ints = npt.NDArray[np.int64]
# A linear head is only a starting point here; its strength of penalty is fixed, not chosen.
START_C = 3e-3
# Up to so many tokens plain matrix products are used on a CPU: beyond, the attention maps of a batch that wait for
# the backward pass take gigabytes (1,370 tokens x 6 heads x 12 blocks x 16 images in bf16: 4.3 GB).
PLAIN_ATTENTION_TOKENS = 640


class Classifier(nn.Module):
    """A backbone's features, standardised with fixed numbers, dropped out, and a linear layer.

    Args:
        backbone: forward (B, 3, S, S) -> (B, D), with `n_features` and `blocks()`.
        k: number of classes.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, backbone: nn.Module, n_features: int, k: int, dropout: float, seed: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.dropout = nn.Dropout(dropout)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.linear = nn.Linear(n_features, k)
            nn.init.trunc_normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.linear.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return scores (B, k) before the softmax, in float32."""
        rows = self.backbone(images).float()
        with torch.autocast(images.device.type, enabled=False):
            scores: Tensor = self.linear(self.dropout((rows - self.mean) / self.scale))
        return scores


def init_head_from_probe(net: Classifier, rows: npt.NDArray[Any], labels: Ints) -> None:
    """Give the classifier the weights of a probe on frozen features (Kumar et al. 2022, LP-FT)."""
    probe = fit_probe(rows, labels, START_C)
    weights, bias = probe.weights, probe.bias
    if len(weights) == 1:
        # The softmax of (-s / 2, s / 2) is the sigmoid of s.
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    with torch.no_grad():
        for target, values in ((net.mean, probe.mean), (net.scale, probe.scale)):
            target.copy_(torch.from_numpy(values))
        net.linear.weight.copy_(torch.from_numpy(weights))
        net.linear.bias.copy_(torch.from_numpy(bias))


def norm_layers(net: nn.Module) -> list[nn.Module]:
    """Return the layers with batch statistics."""
    return [layer for layer in net.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]


def freeze(backbone: nn.Module, settings: FinetuneSettings) -> None:
    """Let of a backbone only what `settings.depth` names learn.

    All, the last k blocks, biases and normalisations (vectors, not matrices), or adapters, inserted already.

    Raises:
        NoEffectError: as many blocks were asked for as there are, or more.
    """
    if settings.depth == "bitfit":
        for parameter in backbone.parameters():
            parameter.requires_grad_(parameter.ndim <= 1)
    last = settings.last_blocks
    if last is None:
        return
    blocks = block_parameters(backbone)
    if last >= len(blocks):
        raise NoEffectError(
            f"partial:{last} asks for {last} of {len(blocks)} blocks; that is 'finetune'. "
            f"Use partial:1 to partial:{len(blocks) - 1}."
        )
    for block in blocks[:-last]:
        for parameter in block:
            parameter.requires_grad_(False)


def block_parameters(backbone: nn.Module) -> list[list[nn.Parameter]]:
    """Return the backbone's parameters block by block from stem to top, each exactly once."""
    named: Any = backbone.blocks()  # type: ignore[operator]
    return [list(block) for _, block in named]


def parameter_groups(net: Classifier, settings: FinetuneSettings) -> list[dict[str, Any]]:
    """Return the optimiser's groups: for each block its share of the rate, decay on matrices only.

    The networks of a hybrid are counted apart: each has its own depth, and its own factor on the rate
    beside the smallest among them, which is the head's.
    """
    parts = _blocks_with_shares(net.backbone, settings.layer_decay)
    known = {id(parameter) for block, _ in parts for parameter in block}
    extra = [p for p in net.backbone.parameters() if id(p) not in known]
    parts.append(([*extra, *net.linear.parameters()], 1.0))
    decayed = _matrices(net)
    groups: list[dict[str, Any]] = []
    for parameters, share in parts:
        learning = [p for p in parameters if p.requires_grad]
        for chosen, decay in (
            ([p for p in learning if id(p) in decayed], settings.weight_decay),
            ([p for p in learning if id(p) not in decayed], 0.0),
        ):
            if chosen:
                groups.append({"params": chosen, "share": share, "weight_decay": decay})
    return groups


def _matrices(net: nn.Module) -> set[int]:
    """Return the ids of matrices and kernels; class tokens, positions and tables of relative positions are none."""
    return {
        id(parameter)
        for module in net.modules()
        if not isinstance(module, nn.Embedding)
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.ndim > 1 and name.endswith("weight")
    }


def describe_layers(net: Classifier, settings: FinetuneSettings) -> dict[str, Any]:
    """Return how many blocks the network has, how many of them learn, and the peak rates of these and of the head."""
    parts = _blocks_with_shares(net.backbone, settings.layer_decay)
    shares = [share for block, share in parts if any(p.requires_grad for p in block)]
    rates = [settings.learning_rate * share for share in shares]
    found = {"blocks": len(parts), "trained": len(shares), "head_rate": settings.learning_rate}
    return found | ({"lowest_rate": min(rates), "highest_rate": max(rates)} if rates else {})


def _blocks_with_shares(backbone: nn.Module, decay: float) -> list[tuple[list[nn.Parameter], float]]:
    """Return each block's parameters with its share of the head's rate."""
    if not isinstance(backbone, HybridBackbone):
        blocks = block_parameters(backbone)
        return [(block, depth_factor(i, len(blocks), decay)) for i, block in enumerate(blocks)]
    factors = [network_factor(branch.record) for branch in backbone.branches()]
    return [
        (block, share * factor / min(factors))
        for branch, factor in zip(backbone.branches(), factors, strict=True)
        for block, share in _blocks_with_shares(branch, decay)
    ]


def copy_state(net: nn.Module) -> dict[str, Tensor]:
    """Return the network's whole state, apart from the network."""
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


@contextmanager
def temporary_state(net: nn.Module, state: dict[str, Tensor]) -> Iterator[None]:
    """Give the network an earlier state for a while."""
    last = copy_state(net)
    net.load_state_dict(state)
    try:
        yield
    finally:
        net.load_state_dict(last)


def disable_fused_attention(net: nn.Module) -> None:
    """Use plain matrix products for short sequences on a CPU.

    There the fused kernel's backward pass is the slower one: 10.6 against 15.9 images/s for
    ViT-S/14 at 224 px in bf16 on two cores (benchmarks/finetune_speed.py).
    """
    short = [m for m in net.modules() if isinstance(m, Backbone) and m.n_tokens <= PLAIN_ATTENTION_TOKENS]
    for layer in (layer for backbone in short for layer in backbone.modules()):
        if isinstance(getattr(layer, "fused_attn", None), bool):  # timm's switch
            layer.fused_attn = False  # type: ignore[assignment]
        switch = getattr(layer, "set_attn_implementation", None)
        if callable(switch):  # that of transformers
            switch("eager")
