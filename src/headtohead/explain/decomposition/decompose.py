"""Decompose scores that are linear in a network's features into sums over places, for any supported network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from headtohead.backbones.hybrid import HybridBackbone, renormalise
from headtohead.backbones.network import LAST_BLOCKS, Backbone, TimmBackbone
from headtohead.backbones.transformers_network import TransformersBackbone
from headtohead.core.errors import UsageError
from headtohead.explain.decomposition.pooling import (
    OTHER_METHODS,
    close,
    frozen_norm,
    max_contributions,
    mean_contributions,
    no_sum,
    pooling_rounding,
    scores_of,
)
from headtohead.explain.decomposition.split import Decomposition, Weighting
from headtohead.explain.decomposition.tokens import decompose_tokens

__all__ = ["decompose"]


def decompose(
    network: nn.Module, x: Tensor, weighting: Weighting, *, layers: bool = False, flip: bool = False
) -> Decomposition:
    """Return scores of normalised images as sums over places; exact, without gradients through the network.

    Args:
        network: a backbone, or two behind one input.
        x: (B, 3, S, S).
        weighting: of the network's features.
        layers: the features are those of several depths (`Backbone.layers`).
        flip: the features are the mean of those of the image and of the flipped image.

    Raises:
        UsageError: the features are no sum over places (the network computes something else after pooling).
    """
    if flip:
        here = decompose(network, x, weighting, layers=layers)
        there = decompose(network, x.flip(-1), weighting, layers=layers).flipped()
        return here.scaled(0.5) + there.scaled(0.5)
    if isinstance(network, HybridBackbone):
        n = network.first.n_features
        other = renormalise(x, network.first.record, network.second.record)
        return decompose(network.first, x, weighting.part(0, n), layers=layers) + decompose(
            network.second, other, weighting.part(n, network.n_features), layers=layers
        )
    if not isinstance(network, (TimmBackbone, TransformersBackbone)):
        raise UsageError(
            f"{type(network).__name__} has no features that are a sum over places; {OTHER_METHODS}"
        )
    with torch.no_grad():
        if network.is_tokens:
            return decompose_tokens(network, x, weighting, LAST_BLOCKS if layers else 1)
        return _maps(network, x, weighting, layers=layers)


def _maps(
    network: TimmBackbone | TransformersBackbone, x: Tensor, weighting: Weighting, *, layers: bool
) -> Decomposition:
    """Split the pooled features of a convolutional network, and the mean of the stage below where asked."""
    below: Tensor | None = None
    if isinstance(network, TransformersBackbone):
        out = network._ask(x, output_hidden_states=layers)
        places, own = network._final(out), network._pooled(out)
        below = out.hidden_states[-2] if layers else None
    else:
        body: Any = network.body
        if layers:
            final, found = body.forward_intermediates(x, indices=2, output_fmt="NCHW")
            below = found[0]
        else:
            final = body.forward_features(x)
        if final.ndim != 4:
            raise no_sum(network)
        own = network._pool(final)
        places = final.permute(0, 3, 1, 2) if network.is_nhwc else final
    n = own.shape[1]
    top = _pooled(network, places, own, weighting.part(0, n))
    if below is None:
        return top
    more = weighting.part(n, n + below.shape[1])
    mean = below.float().mean(dim=(2, 3))
    rounding = pooling_rounding(mean, below.double().mean(dim=(2, 3)), more, below)
    return top + Decomposition((mean_contributions(below, more) + rounding,), {}, scores_of(mean, more))


def _pooled(network: Backbone, places: Tensor, own: Tensor, weighting: Weighting) -> Decomposition:
    """Split the features that a head pools from a map: their mean or maximum, then perhaps a normalisation."""
    body: Any = network.body
    head = getattr(body, "head", None)
    pool = getattr(body, "global_pool", None) or getattr(head, "global_pool", None)
    greatest = str(getattr(pool, "pool_type", "")) == "max"
    rows = places.double()
    pooled = rows.amax(dim=(2, 3)) if greatest else rows.mean(dim=(2, 3))
    if pooled.shape != own.shape:
        raise no_sum(network)
    contributions = max_contributions if greatest else mean_contributions
    if close(pooled, own):
        found = contributions(places, weighting) + pooling_rounding(own, pooled, weighting, places)
        return Decomposition((found,), {}, scores_of(own, weighting))
    frozen = _norm_of_the_pooled(body, pooled, own, weighting)
    if frozen is None:
        raise no_sum(network)
    # the reference is spread evenly over the places, as without a normalisation
    inner, constant = frozen
    even = constant[..., None, None] / (places.shape[-2] * places.shape[-1])
    total = torch.einsum("btc,bc->bt", inner.weights, pooled) + constant
    return Decomposition((contributions(places, inner) + even,), {}, total)


def _norm_of_the_pooled(
    body: Any, pooled: Tensor, own: Tensor, weighting: Weighting
) -> tuple[Weighting, Tensor] | None:
    """Return the weighting through the normalisation that makes the features from the pooled map, if there is one."""
    norm = getattr(getattr(body, "head", None), "norm", None) or getattr(body, "layernorm", None)
    if not isinstance(norm, nn.Module):
        return None
    x = pooled.to(own.dtype)
    # LayerNorm2d is a LayerNorm by class that takes maps (B, C, h, w)
    normed = norm(
        x if isinstance(norm, nn.LayerNorm) and "2d" not in type(norm).__name__ else x[..., None, None]
    )
    return frozen_norm(norm, pooled, weighting) if close(normed.flatten(1), own) else None
