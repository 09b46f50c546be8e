"""Transformers: the class tokens of the last blocks and the mean patch token, as sums over patches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from headtohead.backbones.network import TimmBackbone, tokens_to_map
from headtohead.backbones.transformers_network import TransformersBackbone
from headtohead.explain.decomposition.class_token import BlockTrace, split_class_token, trace_blocks
from headtohead.explain.decomposition.pooling import close, frozen_norm, mean_contributions, no_sum, scores_of
from headtohead.explain.decomposition.split import Decomposition, Weighting, merged

__all__ = ["HIGH_NORM", "TokenNetwork", "blocks_of", "decompose_tokens"]

HIGH_NORM = 3.0  # times the median norm of an image's patch tokens (Darcet et al. 2024, arXiv:2309.16588)

TokenNetwork = TimmBackbone | TransformersBackbone


def decompose_tokens(network: TokenNetwork, x: Tensor, weighting: Weighting, depth: int) -> Decomposition:
    """Return scores of a transformer's features as sums over patches.

    Args:
        network: a network of tokens; x: (B, 3, S, S); weighting: of its features.
        depth: 1 for its own features, more for those of the last blocks (`Backbone.layers`).

    Raises:
        UsageError: pooling by attention, or a normalisation of an unknown kind.
    """
    body: Any = network.body
    norm: nn.Module = (
        getattr(body, network.kind.norm) if isinstance(network, TransformersBackbone) else body.norm
    )
    with trace_blocks(blocks_of(body)[-depth:]) as traces:
        out = _last_tokens(network, x)
    prefix = network.n_prefix
    grid = _grid(network, out.shape[1] - prefix)
    parts = _Parts(weighting, grid)
    if depth == 1:
        _own_features(network, norm, traces[-1], out, parts)
    elif _has_class_token(network):
        for trace in traces:
            parts.class_token(trace, norm, prefix, network)
        parts.mean_patch(out[:, prefix:])
    else:
        for trace in traces:
            tokens = _normed(norm, _after(trace))
            parts.mean_patch(tokens[:, prefix:])
    norms = _after(traces[-1])[:, prefix:].double().norm(dim=-1)
    above = norms > HIGH_NORM * norms.median(dim=1, keepdim=True).values
    return parts.joined(above.reshape(-1, *grid))


class _Parts:
    """Parts of a score, collected in the order of the features that they come from."""

    def __init__(self, weighting: Weighting, grid: tuple[int, int]) -> None:
        self._weighting, self._grid, self._done = weighting, grid, 0
        self._features: list[Tensor] = []
        self._maps: list[Tensor] = []
        self._elsewhere: dict[str, Tensor] = {}
        self._notes: list[str] = []

    def _next(self, width: int) -> Weighting:
        start, self._done = self._done, self._done + width
        return self._weighting.part(start, self._done)

    def class_token(
        self, trace: BlockTrace, norm: nn.Module, prefix: int, network: TokenNetwork, outer: Any = None
    ) -> None:
        """Add the class token after a block; `outer` is a second normalisation after the first."""
        own = _normed(norm, _after(trace)[:, :1])[:, 0]
        weighting, more = self._next(own.shape[-1]), None
        if isinstance(outer, nn.Module) and not isinstance(outer, nn.Identity):
            frozen = frozen_norm(outer, own, weighting)
            if frozen is None:
                raise no_sum(network)
            weighting, more = frozen
            own = outer(own)
        split = split_class_token(trace, norm, weighting, prefix)
        if split is None:
            raise no_sum(network)
        self._features.append(own.double())
        for name, value in split.elsewhere.items():
            self._elsewhere[name] = self._elsewhere[name] + value if name in self._elsewhere else value
        if more is not None:
            # the constant of the second normalisation joins what was there before the block
            name = next(iter(split.elsewhere))
            self._elsewhere[name] = self._elsewhere[name] + more
        if split.patches is not None:
            self._maps.append(split.patches.reshape(*split.patches.shape[:2], *self._grid))
        if split.note:
            self._notes.append(split.note)

    def mean_patch(self, patches: Tensor, network: TokenNetwork | None = None, outer: Any = None) -> None:
        """Add the mean of patch tokens (B, n, C); `outer` is a normalisation of the mean."""
        places = tokens_to_map(patches, 0, self._grid)
        mean = places.double().mean(dim=(2, 3))
        weighting = self._next(mean.shape[1])
        even: Tensor | float = 0.0
        if network is not None and isinstance(outer, nn.Module) and not isinstance(outer, nn.Identity):
            frozen = frozen_norm(outer, mean, weighting)
            if frozen is None:
                raise no_sum(network)
            weighting, even = frozen[0], frozen[1][..., None, None] / (self._grid[0] * self._grid[1])
            mean = outer(mean.to(patches.dtype)).double()
        self._maps.append(mean_contributions(places, weighting) + even)
        self._features.append(mean)

    def joined(self, high_norm: Tensor) -> Decomposition:
        rows = torch.cat(self._features, dim=1)
        scores = scores_of(rows, self._weighting)
        return Decomposition(merged(self._maps), self._elsewhere, scores, high_norm, tuple(self._notes))


def _own_features(
    network: TokenNetwork, norm: nn.Module, trace: BlockTrace, out: Tensor, parts: _Parts
) -> None:
    """Add what the network pools by itself, joined with the mean patch where it is not that mean."""
    prefix = network.n_prefix
    if isinstance(network, TransformersBackbone):
        if network.kind.has_pooler:
            raise no_sum(network)
        if prefix:
            parts.class_token(trace, norm, prefix, network)
        parts.mean_patch(out[:, prefix:])
        return
    body: Any = network.body
    pooled: Tensor = body.forward_head(out, pre_logits=True)
    outer = getattr(body, "fc_norm", None)
    first, mean = out[:, 0], out[:, prefix:].mean(dim=1)
    if isinstance(outer, nn.Module):
        first, mean = outer(first), outer(mean)
    # told by the numbers: what a pool is called says too little of what the head does around it
    if not network.joins_mean and close(mean, pooled):
        parts.mean_patch(out[:, prefix:], network, outer)
    elif network.joins_mean and _has_class_token(network) and close(first, pooled):
        parts.class_token(trace, norm, prefix, network, outer)
        parts.mean_patch(out[:, prefix:])
    else:
        raise no_sum(network)


def _has_class_token(network: TokenNetwork) -> bool:
    return network.has_class_token if isinstance(network, TimmBackbone) else network.n_prefix > 0


def _last_tokens(network: TokenNetwork, x: Tensor) -> Tensor:
    if isinstance(network, TransformersBackbone):
        return network._final(network._ask(x))
    found: Tensor = network.body.forward_features(x)  # type: ignore[operator]
    return found


def _after(trace: BlockTrace) -> Tensor:
    assert trace.after is not None
    return trace.after


def _normed(norm: nn.Module, tokens: Tensor) -> Tensor:
    found: Tensor = norm(tokens)
    return found


def blocks_of(body: Any) -> Sequence[nn.Module]:
    """Return a transformer's blocks, whatever their list is called."""
    for name in ("blocks", "layers", "layer"):
        found = getattr(body, name, None)
        if isinstance(found, (nn.ModuleList, nn.Sequential)):
            return list(found)
    return blocks_of(getattr(body, "encoder", None) or body.model)


def _grid(network: TokenNetwork, n: int) -> tuple[int, int]:
    if isinstance(network, TimmBackbone):
        grid: Any = getattr(network.body.patch_embed, "grid_size", None)
        if grid is not None and int(grid[0]) * int(grid[1]) == n:
            return int(grid[0]), int(grid[1])
    side = round(n**0.5)
    if side * side != n:
        raise no_sum(network)
    return side, side
