"""Pooled features as sums over places: mean, standard deviation and maximum of a map, exactly."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from headtohead.backbones.network import Backbone
from headtohead.core.errors import UsageError
from headtohead.explain.decomposition.split import Weighting

__all__ = [
    "OTHER_METHODS",
    "close",
    "frozen_norm",
    "max_contributions",
    "mean_contributions",
    "no_sum",
    "pooling_rounding",
    "scores_of",
    "std_contributions",
]

MOST_ERROR = 1e-3  # of features rebuilt from the map against the network's own, relative
OTHER_METHODS = "use another method: gradcam, layercam, integrated-gradients, occlusion or rise."


def mean_contributions(places: Tensor, weighting: Weighting) -> Tensor:
    """Return (B, T, h, w) of a score on the mean over places: w . (a_p - reference) / (h w).

    Args:
        places: (B, C, h, w), the map that is averaged.
        weighting: of its C means.
    """
    n = places.shape[-2] * places.shape[-1]
    found = torch.einsum("btc,bchw->bthw", weighting.weights, places.double())
    result: Tensor = (found - weighting.constant()[..., None, None]) / n
    return result


def std_contributions(places: Tensor, weighting: Weighting) -> Tensor:
    """Return (B, T, h, w) of a score on the standard deviation over places (n - 1 in the denominator).

    sd = sum_p (a_p - mean)^2 / ((n - 1) sd): it is homogeneous of degree one, so the shares sum to it. Where
    the map is constant there is no share. The reference is spread evenly.
    """
    a = places.double()
    n = a.shape[-2] * a.shape[-1]
    deviation = a - a.mean(dim=(-2, -1), keepdim=True)
    sd = a.flatten(2).std(dim=2)[..., None, None]
    shares = torch.where(sd > 0, deviation.square() / ((n - 1) * sd.clamp_min(1e-300)), 0.0)
    found = torch.einsum("btc,bchw->bthw", weighting.weights, shares)
    result: Tensor = found - weighting.constant()[..., None, None] / n
    return result


def max_contributions(places: Tensor, weighting: Weighting) -> Tensor:
    """Return (B, T, h, w) of a score on the greatest value over places: all of w a at the place of the maximum.

    Of several equal maxima the first counts, as in the network. The reference is spread evenly.
    """
    a = places.double()
    height, width = a.shape[-2:]
    value, place = a.flatten(2).max(dim=2)
    weighted = weighting.weights * value[:, None, :]
    found = torch.zeros(*weighted.shape[:2], height * width, dtype=torch.float64, device=a.device)
    found.scatter_add_(2, place[:, None, :].expand_as(weighted), weighted)
    even = weighting.constant()[..., None, None] / (height * width)
    return found.reshape(*weighted.shape[:2], height, width) - even


def frozen_norm(norm: nn.Module, x: Tensor, weighting: Weighting) -> tuple[Weighting, Tensor] | None:
    """Return the weighting of what goes into a normalisation, its scale kept as it is for each image.

    LayerNorm: y = g (x - mean(x)) / sd + b, so w . y = u . x + w . b with u = centred(g w) / sd.

    Args:
        norm: LayerNorm, RMSNorm or identity over C.
        x: (B, C), what goes in.
        weighting: of what comes out.

    Returns:
        the weighting of x (its reference is 0) and a constant (B, T), which holds the reference too; None
        where the layer is of another kind.
    """
    w = weighting.weights
    less = weighting.constant()
    nothing = torch.zeros_like(w)
    if isinstance(norm, nn.Identity):
        return Weighting(w, nothing), -less
    kind = type(norm).__name__.lower()
    layer: Any = norm
    # by name as well: timm and transformers have classes of their own
    if isinstance(norm, nn.LayerNorm) or kind.startswith("layernorm"):
        gain, shift = _affine(layer, x)
        u = w * gain
        # LayerNorm divides by n, not by n - 1
        sd = (x.double().var(dim=-1, unbiased=False) + layer.eps).sqrt()[:, None, None]
        u = (u - u.mean(dim=-1, keepdim=True)) / sd
        return Weighting(u, nothing), (w * shift).sum(dim=-1) - less
    if kind.startswith("rmsnorm"):
        gain, _ = _affine(layer, x)
        eps = torch.finfo(x.dtype).eps if layer.eps is None else layer.eps  # as torch's RMSNorm does
        scale = (x.double().square().mean(dim=-1) + eps).sqrt()[:, None, None]
        return Weighting(w * gain / scale, nothing), -less
    return None


def _affine(norm: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    ones = torch.ones(x.shape[-1], dtype=torch.float64, device=x.device)
    gain, shift = getattr(norm, "weight", None), getattr(norm, "bias", None)
    return (
        ones if gain is None else gain.detach().double(),
        0 * ones if shift is None else shift.detach().double(),
    )


def scores_of(rows: Tensor, weighting: Weighting) -> Tensor:
    """Return (B, T) scores of features (B, D)."""
    found: Tensor = torch.einsum("btd,bd->bt", weighting.weights, rows.double()) - weighting.constant()
    return found


def pooling_rounding(own: Tensor, pooled: Tensor, weighting: Weighting, places: Tensor) -> Tensor:
    """Return (B, T, 1, 1): what the network's fp32 pooling changes in a score, for each place.

    It counts where large parts of a score cancel; it is spread evenly over the places.

    Args:
        own: (B, C), features as the network pools them; pooled: the same in float64.
        weighting: of these features.
        places: (B, C, h, w), the map that is pooled.
    """
    rounding = torch.einsum("btc,bc->bt", weighting.weights, own.double() - pooled)
    each: Tensor = rounding[..., None, None] / (places.shape[-2] * places.shape[-1])
    return each


def close(a: Tensor, b: Tensor) -> bool:
    """Return whether two tensors are the same but for rounding."""
    gap = (a.double() - b.double()).abs().max()
    return bool(gap <= MOST_ERROR * b.double().abs().max().clamp_min(1e-12))


def no_sum(network: Backbone) -> UsageError:
    """Return the error for a network whose features are no sum over places."""
    return UsageError(
        f"{network.record.name} pools its map by more than a mean, a maximum or a class token; {OTHER_METHODS}"
    )
