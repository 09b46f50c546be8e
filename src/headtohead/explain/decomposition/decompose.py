"""One entry for every network: scores that are linear in its features, as sums over places."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from headtohead.backbones.hybrid import HybridBackbone, renormalise
from headtohead.backbones.network import (
    LAST_BLOCKS,
    Backbone,
    TimmBackbone,
    TransformersBackbone,
    tokens_to_map,
)
from headtohead.core.errors import UsageError
from headtohead.explain.decomposition.class_token import split_class_token, trace_blocks
from headtohead.explain.decomposition.pooling import frozen_norm, max_contributions, mean_contributions
from headtohead.explain.decomposition.split import Decomposition, Weighting, merged

__all__ = ["HIGH_NORM", "decompose"]

HIGH_NORM = 3.0  # times the median norm of an image's patch tokens (Darcet et al. 2024, arXiv:2309.16588)
MOST_ERROR = 1e-3  # of the features rebuilt from the map against the network's own, relative


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
        raise UsageError(f"{type(network).__name__} has no features that are a sum over places; {_OTHERS}")
    with torch.no_grad():
        if network.is_tokens:
            return _tokens(network, x, weighting, LAST_BLOCKS if layers else 1)
        return _maps(network, x, weighting, layers=layers)


def _tokens(
    network: TimmBackbone | TransformersBackbone, x: Tensor, weighting: Weighting, depth: int
) -> Decomposition:
    """Split the features of a transformer: class tokens of the last blocks, then the mean patch token."""
    body: Any = network.body
    blocks = _blocks(body)[-depth:]
    norm: Any = body.layernorm if isinstance(network, TransformersBackbone) else body.norm
    with trace_blocks(blocks) as traces:
        out = _last_tokens(network, x)
    prefix = network.n_prefix
    grid = _grid(network, out.shape[1] - prefix)
    width = out.shape[2]
    maps, elsewhere, notes, features = [], [], [], []
    if prefix:
        for number, trace in enumerate(traces):
            own = weighting.part(number * width, (number + 1) * width)
            last = number == len(traces) - 1
            features.append(out[:, 0] if last else norm(trace.after)[:, 0])
            split = split_class_token(trace, norm, own, prefix)
            if split is None:
                raise UsageError(f"{network.record.name} normalises in an unknown way; {_OTHERS}")
            elsewhere.append(split.elsewhere)
            if split.patches is not None:
                maps.append(split.patches.reshape(*split.patches.shape[:2], *grid))
            notes += [split.note] if split.note else []
    elif depth > 1:
        features, maps = _mean_of_blocks(traces[:-1], norm, weighting, grid)
    done = len(features) * width
    places = tokens_to_map(out, prefix, grid)
    maps.append(mean_contributions(places, weighting.part(done, done + width)))
    features.append(places.double().mean(dim=(2, 3)))
    after = traces[-1].after
    norms = None if after is None else after[:, prefix:].double().norm(dim=-1)
    high = None
    if norms is not None:
        above = norms > HIGH_NORM * norms.median(dim=1, keepdim=True).values
        high = above.reshape(-1, *grid)
    joined: dict[str, Tensor] = {}
    for part in elsewhere:
        for name, value in part.items():
            joined[name] = joined[name] + value if name in joined else value
    rows = torch.cat([part.double() for part in features], dim=1)
    return Decomposition(merged(tuple(maps)), joined, _scores(rows, weighting), high, tuple(notes))


def _mean_of_blocks(
    traces: Any, norm: Any, weighting: Weighting, grid: tuple[int, int]
) -> tuple[list[Tensor], list[Tensor]]:
    """Split the mean patch tokens of earlier blocks, for a transformer without a class token."""
    features, maps = [], []
    for number, trace in enumerate(traces):
        places = tokens_to_map(norm(trace.after), 0, grid)
        width = places.shape[1]
        maps.append(mean_contributions(places, weighting.part(number * width, (number + 1) * width)))
        features.append(places.double().mean(dim=(2, 3)))
    return features, maps


def _maps(network: Backbone, x: Tensor, weighting: Weighting, *, layers: bool) -> Decomposition:
    """Split the pooled features of a convolutional network, and the mean of the stage below where asked."""
    if not layers:
        if isinstance(network, TimmBackbone):
            out: Tensor = network.body.forward_features(x)  # type: ignore[operator]
            own = network._pool(out)
            places = out.permute(0, 3, 1, 2) if network.is_nhwc else out
        else:
            places = network.feature_map(x)
            own = places.float().mean(dim=(2, 3))
        return _pooled(network, places, own, weighting)
    body: Any = network.body
    if isinstance(network, TimmBackbone):
        final, found = body.forward_intermediates(x, indices=2, output_fmt="NCHW")
        top = _pooled(
            network,
            final.permute(0, 3, 1, 2) if network.is_nhwc else final,
            network._pool(final),
            weighting.part(0, network.n_features),
        )
        below, start = found[0], network.n_features
    else:
        states = body(pixel_values=x, return_dict=True, output_hidden_states=True).hidden_states
        below, start = states[-1], states[-2].shape[1]
        top = _mean_only(states[-2], weighting.part(0, start))
    return top + _mean_only(below, weighting.part(start, start + below.shape[1]))


def _mean_only(places: Tensor, weighting: Weighting) -> Decomposition:
    rows = places.double().mean(dim=(2, 3))
    return Decomposition((mean_contributions(places, weighting),), {}, _scores(rows, weighting))


def _pooled(network: Backbone, places: Tensor, own: Tensor, weighting: Weighting) -> Decomposition:
    """Split the features that a head pools from a map: their mean or maximum, then perhaps a normalisation."""
    body: Any = network.body
    head = getattr(body, "head", None)
    pool = getattr(body, "global_pool", None) or getattr(head, "global_pool", None)
    kind = str(getattr(pool, "pool_type", "") or "avg")
    rows = places.double()
    pooled = rows.amax(dim=(2, 3)) if kind == "max" else rows.mean(dim=(2, 3))
    inner, even = weighting, torch.zeros((), dtype=torch.float64, device=rows.device)
    norm = getattr(head, "norm", None)
    if pooled.shape == own.shape and isinstance(norm, nn.Module) and not _close(pooled, own):
        frozen = frozen_norm(norm, pooled, weighting)
        if frozen is not None and _close(norm(pooled.to(own.dtype)[..., None, None]).flatten(1), own):
            # the reference is spread evenly over the places, as without a normalisation
            inner, even = frozen[0], frozen[1][..., None, None] / (places.shape[-2] * places.shape[-1])
            pooled = own.double()
    if pooled.shape != own.shape or not _close(pooled, own):
        raise UsageError(
            f"{network.record.name} computes more than a mean over places and a normalisation after its map; "
            f"{_OTHERS}"
        )
    found = (max_contributions if kind == "max" else mean_contributions)(places, inner) + even
    return Decomposition((found,), {}, _scores(own.double(), weighting))


def _close(a: Tensor, b: Tensor) -> bool:
    gap = (a.double() - b.double()).abs().max()
    return bool(gap <= MOST_ERROR * b.double().abs().max().clamp_min(1e-12))


def _scores(rows: Tensor, weighting: Weighting) -> Tensor:
    found: Tensor = torch.einsum("btd,bd->bt", weighting.weights, rows.double()) - weighting.constant()
    return found


def _last_tokens(network: TimmBackbone | TransformersBackbone, x: Tensor) -> Tensor:
    if isinstance(network, TransformersBackbone):
        out: Tensor = network._ask(x).last_hidden_state
        return out
    found: Tensor = network.body.forward_features(x)  # type: ignore[operator]
    return found


def _blocks(body: Any) -> list[nn.Module]:
    """Return a transformer's blocks, whatever their list is called."""
    for name in ("blocks", "layers", "layer"):
        found = getattr(body, name, None)
        if isinstance(found, (nn.ModuleList, nn.Sequential)):
            return list(found)
    return _blocks(body.encoder)


def _grid(network: TimmBackbone | TransformersBackbone, n: int) -> tuple[int, int]:
    if isinstance(network, TimmBackbone):
        grid: Any = network.body.patch_embed.grid_size  # type: ignore[union-attr]
        return int(grid[0]), int(grid[1])
    side = round(n**0.5)
    return side, side


_OTHERS = "use another method: gradcam, layercam, integrated-gradients, occlusion or rise."
