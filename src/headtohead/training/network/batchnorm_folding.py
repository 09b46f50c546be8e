"""Convolutions that do the work of the normalisation behind them, where its statistics are frozen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from headtohead.training.network.depthwise_conv import convolve, plain

if TYPE_CHECKING:
    from headtohead.core.progress import Reporter

__all__ = ["fold_batchnorm"]

MOST_ERROR = 1e-4  # of the features in fp32, relative


@dataclass(frozen=True)
class ConvBatchNormPair:
    """A convolution and the normalisation that alone reads what it makes."""

    conv: nn.Conv2d
    norm: nn.BatchNorm2d

    def fold(self) -> None:
        """Let the convolution normalise; what the layer behind it does after that (activation) it still does."""
        layers: tuple[Any, Any] = self.conv, self.norm
        layers[0].forward, layers[1].forward = self._both, self._rest

    def unfold(self) -> None:
        """Give both layers their own work back."""
        del self.conv.forward, self.norm.forward  # the attributes hide the methods of the class

    def _both(self, x: Tensor) -> Tensor:
        conv, norm = self.conv, self.norm
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None and variance is not None
        scale = norm.weight * torch.rsqrt(variance + norm.eps)
        shift = norm.bias - mean * scale
        if conv.bias is not None:
            shift = shift + conv.bias * scale
        return convolve(conv, x, conv.weight * scale[:, None, None, None], shift)

    def _rest(self, x: Tensor) -> Tensor:
        more: Any = self.norm
        if type(more) is nn.BatchNorm2d:  # timm's BatchNormAct2d also drops and activates
            return x
        out: Tensor = more.act(more.drop(x))
        return out


def fold_batchnorm(backbone: nn.Module, images: Tensor, reporter: Reporter) -> int:
    """Fold each frozen BatchNorm into the convolution before it; return how many.

    With running mean m and variance v, scale g and shift b, g (W x - m) / sqrt(v + eps) + b is one
    convolution with the weights s W and the shift b - s m, where s = g / sqrt(v + eps) (Jacob et al. 2018,
    CVPR, section 3.2). All of it is computed from the parameters in every pass, so that they learn as
    before under their own names; spared are the passes over the maps, forward and back.

    The features of some images are computed before and after. Where they differ by more than 1e-4
    (relative, L2), everything is undone, and that is said.

    Args:
        backbone: on the CPU; its BatchNorm layers are never to be put into training mode again.
        images: (B, 3, S, S), normalised.
    """
    pairs = _pairs(backbone, images)
    if not pairs:
        return 0
    before = _features(backbone, images)
    for pair in pairs:
        pair.fold()
    after = _features(backbone, images)
    error = float((after - before).norm() / before.norm().clamp_min(1e-12))
    if error <= MOST_ERROR:
        return len(pairs)
    for pair in pairs:
        pair.unfold()
    reporter.info(f"BatchNorm is not folded into the convolutions: features would differ by {error:.3g}.")
    return 0


def _features(backbone: nn.Module, images: Tensor) -> Tensor:
    was_training = backbone.training
    backbone.eval()
    with torch.no_grad():
        rows: Tensor = backbone(images).float()
    backbone.train(was_training)
    return rows


def _pairs(backbone: nn.Module, images: Tensor) -> list[ConvBatchNormPair]:
    """Return the layers of which one made what the other normalised, each used once in a pass."""
    from timm.layers.norm_act import BatchNormAct2d

    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}  # holds the maps, so that no number is given twice
    found: list[ConvBatchNormPair] = []
    used: Counter[nn.Module] = Counter()

    def watch(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        used[layer] += 1
        if isinstance(layer, nn.Conv2d):
            made[id(out)] = layer, out
        elif isinstance(layer, nn.BatchNorm2d) and layer.affine and layer.track_running_stats:
            conv, _ = made.get(id(given[0]), (None, None))
            if conv is not None:
                found.append(ConvBatchNormPair(conv, layer))

    if not any(isinstance(layer, nn.BatchNorm2d) for layer in backbone.modules()):
        return []
    layers = [m for m in backbone.modules() if plain(m) or type(m) in (nn.BatchNorm2d, BatchNormAct2d)]
    hooks = [layer.register_forward_hook(watch) for layer in layers]
    try:
        _features(backbone, images[:1])
    finally:
        for hook in hooks:
            hook.remove()
    return [pair for pair in found if used[pair.conv] == used[pair.norm] == 1]
