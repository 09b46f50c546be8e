"""Grad-CAM, LayerCAM, gradient-weighted attention and integrated gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UsageError
from headtohead.core.optional import require

if TYPE_CHECKING:
    from torch import Tensor, nn

    from headtohead.explain.methods.scored_network import ScoredNetwork

__all__ = ["attention_gradient", "gradcam", "integrated_gradients", "layercam"]

Floats = npt.NDArray[np.float64]
STEPS = 32  # of the path of integrated gradients
SIDE = 28  # cells along each side of the map of integrated gradients


def gradcam(model: ScoredNetwork, pixels: npt.NDArray[np.float32]) -> Floats:
    """Return the Grad-CAM (h, w) of an image: channels weighted by their mean gradient, positive part.

    Selvaraju et al. 2017. The map is the last of a CNN; of a transformer the tokens before its last block, since
    after it only the class token has a gradient.
    """
    places, slope = _activations(model, pixels)
    weighted = (slope.mean(dim=(2, 3), keepdim=True) * places).sum(dim=1)
    return np.asarray(weighted.clamp_min(0)[0].double().cpu().numpy())


def layercam(model: ScoredNetwork, pixels: npt.NDArray[np.float32]) -> Floats:
    """Return the LayerCAM (h, w) of an image: activations weighted by their positive gradient, positive part.

    Jiang et al. 2021, at the same layer as `gradcam`.
    """
    places, slope = _activations(model, pixels)
    return np.asarray((slope.clamp_min(0) * places).sum(dim=1).clamp_min(0)[0].double().cpu().numpy())


def attention_gradient(model: ScoredNetwork, pixels: npt.NDArray[np.float32]) -> Floats:
    """Return attention (h, w) weighted by its gradient, positive part, mean over heads, queries and blocks.

    As in LeGrad (Bousselham et al. 2024) and the last step of Chefer et al. 2021; prefix tokens are left out.

    Raises:
        UsageError: the network has no attention that can be read.
    """
    import torch

    network: Any = model.network
    if not getattr(network, "is_tokens", False):
        raise UsageError("attention-gradient needs a transformer; use contributions, gradcam or layercam.")
    with _attention(network) as maps, torch.enable_grad():
        value = model.log_odds(model.input_of(pixels))
    if not maps:
        raise UsageError(
            f"The attention of {model.record.name} cannot be read; use contributions or occlusion."
        )
    slopes = torch.autograd.grad(value.sum(), maps, allow_unused=True)
    total: Tensor | None = None
    for weights, slope in zip(maps, slopes, strict=True):
        if slope is None:
            continue
        used = (weights * slope).clamp_min(0).sum(dim=2).mean(dim=1)[0, network.n_prefix :]
        total = used if total is None else total + used
    assert total is not None
    side = round(len(total) ** 0.5)
    return np.asarray(total.detach().double().cpu().numpy()).reshape(side, -1)


def integrated_gradients(model: ScoredNetwork, pixels: npt.NDArray[np.float32]) -> Floats:
    """Return integrated gradients (28, 28) from a black image to this one; they sum to the change of the score.

    Sundararajan et al. 2017, by captum.

    Raises:
        MissingExtraError: captum is not installed.
    """
    import torch

    from headtohead.explain.placement import on_one_grid, spread

    attr = require("captum.attr", "maps", "compute integrated gradients")
    x = model.input_of(pixels)
    black = model.input_of(np.zeros_like(pixels))
    with torch.enable_grad():
        method = attr.IntegratedGradients(model.log_odds)
        found = method.attribute(x, black, n_steps=STEPS, internal_batch_size=8)
    # cells are summed, not averaged, so that the coarse map has the same sum
    fine = on_one_grid([found.sum(dim=1)[0].double().detach().cpu().numpy()])
    rows, columns = spread(fine.shape[0], SIDE), spread(fine.shape[1], SIDE)
    return np.asarray(rows.T @ fine @ columns)


def _activations(model: ScoredNetwork, pixels: npt.NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Return the places (1, C, h, w) that the score is differentiated by, and the gradient there."""
    import torch

    network: Any = model.network
    caught: list[Tensor] = []
    layer = _layer(network)

    def keep(tensor: Tensor) -> Tensor:
        leaf = tensor.detach().requires_grad_(True)  # a leaf, so that nothing below it is kept for a gradient
        caught.append(leaf)
        return leaf

    if network.is_tokens:
        hook = layer.register_forward_pre_hook(lambda _m, args: (keep(args[0]), *args[1:]))
    else:
        hook = layer.register_forward_hook(lambda _m, _args, out: keep(out))
    try:
        with torch.enable_grad():
            value = model.log_odds(model.input_of(pixels))
    finally:
        hook.remove()
    places = caught[-1]
    (slope,) = torch.autograd.grad(value.sum(), places)
    if network.is_tokens:
        return _laid_out(network, places), _laid_out(network, slope)
    if getattr(network, "is_nhwc", False):
        return places.detach().permute(0, 3, 1, 2), slope.permute(0, 3, 1, 2)
    return places.detach(), slope


def _laid_out(network: Any, tokens: Tensor) -> Tensor:
    patches = tokens.detach()[:, network.n_prefix :]
    side = round(patches.shape[1] ** 0.5)
    return patches.transpose(1, 2).reshape(len(patches), patches.shape[2], side, -1)


def _layer(network: Any) -> nn.Module:
    """Return the last block of a transformer, or the last layer with a map of a CNN."""
    import torch

    body: Any = network.body
    if network.is_tokens:
        from headtohead.explain.decomposition.tokens import blocks_of

        return blocks_of(body)[-1]
    last: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda m, _a, out: last.append(m) if _is_map(out) else None)
        for module in body.modules()
        if module is not body
    ]
    side = network.record.input_size
    parameter = next(network.parameters())
    with torch.no_grad():
        network(torch.zeros(1, 3, side, side, device=parameter.device, dtype=parameter.dtype))
    for hook in hooks:
        hook.remove()
    if not last:
        raise UsageError(f"{network.record.name} has no layer with a map; use occlusion or rise.")
    return last[-1]


def _is_map(out: Any) -> bool:
    import torch

    # holds for NCHW and NHWC alike; pooled features (B, C, 1, 1) are no map
    return isinstance(out, torch.Tensor) and out.ndim == 4 and out.shape[1] > 1 and out.shape[2] > 1


@contextmanager
def _attention(network: Any) -> Iterator[list[Tensor]]:
    """Collect the attention weights (B, heads, N, N) of every block in the next forward pass."""
    found: list[Tensor] = []
    hooks, switched = [], []

    def keep(_m: Any, _a: Any, out: Tensor) -> Tensor:
        found.append(out)
        return out

    for module in network.body.modules():
        if isinstance(getattr(module, "fused_attn", None), bool) and hasattr(module, "attn_drop"):
            switched.append((module, module.fused_attn))
            module.fused_attn = False  # the fused kernel never holds the weights
            hooks.append(module.attn_drop.register_forward_hook(keep))
    switch = getattr(network.body, "set_attn_implementation", None)
    before = getattr(getattr(network.body, "config", None), "_attn_implementation", None)
    if callable(switch):
        switch("eager")
        hooks += [
            module.register_forward_hook(lambda _m, _a, out: found.append(out[1]))  # (output, weights)
            for name, module in network.body.named_modules()
            if name.rpartition(".")[2] == "attention" and hasattr(module, "o_proj")
        ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
        for module, was in switched:
            module.fused_attn = was
        if callable(switch) and before is not None:
            switch(before)  # the network is kept for later maps
