"""What a pretrained network can be asked: pooled features, features of several layers, a map, its blocks."""

from __future__ import annotations

from abc import abstractmethod
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.fetch import Weights

__all__ = [
    "LAST_BLOCKS",
    "Backbone",
    "TimmBackbone",
    "middle_block",
    "pool_map",
    "pool_tokens",
    "tokens_to_map",
]

LAST_BLOCKS = 4  # as in the linear evaluation of DINOv2 (Oquab et al. 2023)
USUAL_STRIDE = 16  # where attention begins in networks of maps (CoAtNet, MaxViT, hybrids)


class Backbone(nn.Module):
    """A pretrained network without its classifier.

    Attributes:
        record: the catalogue's facts.
        weights: the file that was loaded, with its sha256 and licence.
        n_features: D of `forward`.
        is_tokens: whether it is a sequence of tokens, and not a stack of maps.
    """

    is_tokens = False

    def __init__(self, body: nn.Module, record: BackboneRecord, weights: Weights) -> None:
        super().__init__()
        self.body = body
        self.record = record
        self.weights = weights
        self.n_features = 0

    @property
    def n_tokens(self) -> int:
        """Return the length of the sequence that attention sees; of networks of maps, the longest that is usual."""
        if not self.is_tokens:
            return (self.record.input_size // USUAL_STRIDE) ** 2
        holder: Any = getattr(self.body, "patch_embed", None) or self.body.config
        patch = holder.patch_size
        return int(self.record.input_size // (patch[0] if isinstance(patch, tuple) else patch)) ** 2

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, D) float32 of normalised images (B, 3, S, S).

        They are what the network itself pools for its classifier: a CNN's averaged map, a
        transformer's class token or attention pool, joined with the mean of its patch tokens.
        """

    @abstractmethod
    def feature_map(self, x: Tensor) -> Tensor:
        """Return the last spatial map (B, C, h, w) of images (B, 3, S, S); patch tokens are laid out."""

    @abstractmethod
    def layers(self, x: Tensor) -> Tensor:
        """Return features of several depths (B, D').

        Transformer: the class tokens of the last four blocks and the mean patch token of the last
        (as in DINOv2's linear evaluation, Oquab et al. 2023). CNN: the pooled features and the mean
        of the stage below the last.
        """

    @abstractmethod
    def intermediate_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features (B, D') and the map (B, C, h, w) below the top, in float32.

        The map is that of the stage below the last of a CNN, of the block at three quarters of a
        transformer's depth: where texture has become parts, and parts are not yet a class. Pooled are
        what `forward` says, and mean, spread and greatest value of that map over its places.
        """

    @abstractmethod
    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        """Return the parameters in groups from stem to top, each parameter once.

        For layer-wise decay of the learning rate and for training the last k groups only.
        """


def pool_tokens(tokens: Tensor, n_prefix: int) -> Tensor:
    """Return (B, 2C), the class token joined with the mean patch token, of tokens (B, N, C), in float32.

    Without a class token (`n_prefix` 0) it is the mean alone, (B, C).
    """
    tokens = tokens.float()
    mean = tokens[:, n_prefix:].mean(dim=1)
    return torch.cat([tokens[:, 0], mean], dim=1) if n_prefix else mean


def pool_map(found: Tensor) -> Tensor:
    """Return (B, 3C), mean, standard deviation and maximum over the places of a map (B, C, h, w)."""
    places = found.float().flatten(2)
    return torch.cat([places.mean(dim=2), places.std(dim=2), places.amax(dim=2)], dim=1)


def tokens_to_map(tokens: Tensor, n_prefix: int, grid: tuple[int, int]) -> Tensor:
    """Return patch tokens (B, prefix + h*w, C) as a map (B, C, h, w)."""
    patches = tokens[:, n_prefix:]
    return patches.transpose(1, 2).reshape(len(patches), patches.shape[2], *grid)


class TimmBackbone(Backbone):
    """A network that timm built."""

    def __init__(self, body: Any, record: BackboneRecord, weights: Weights) -> None:
        super().__init__(body, record, weights)
        self.n_prefix = int(getattr(body, "num_prefix_tokens", 0))
        self.is_tokens = hasattr(body, "num_prefix_tokens") and hasattr(body, "patch_embed")
        self.has_class_token = self.is_tokens and getattr(body, "cls_token", None) is not None
        # What a network pools by itself is its class token, an attention pool or, where "avg", the mean patch.
        self.joins_mean = self.is_tokens and "avg" not in str(getattr(body, "global_pool", ""))
        self.is_nhwc = getattr(body, "output_fmt", "NCHW") == "NHWC"
        if self.is_tokens:
            self.n_features = int(body.num_features) * (2 if self.joins_mean else 1)
        else:
            self.n_features = int(getattr(body, "head_hidden_size", None) or body.num_features)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, D) float32."""
        return self._pool(self.body.forward_features(x))  # type: ignore[operator]

    def _pool(self, out: Tensor) -> Tensor:
        pooled: Tensor = self.body.forward_head(out, pre_logits=True)  # type: ignore[operator]
        if self.joins_mean:
            return torch.cat([pooled.float(), out[:, self.n_prefix :].float().mean(dim=1)], dim=1)
        return pooled.float()

    def feature_map(self, x: Tensor) -> Tensor:
        """Return the last spatial map (B, C, h, w)."""
        out: Tensor = self.body.forward_features(x)  # type: ignore[operator]
        grid: Any = getattr(getattr(self.body, "patch_embed", None), "grid_size", None)
        if self.is_tokens and grid is not None:
            return tokens_to_map(out, self.n_prefix, (int(grid[0]), int(grid[1])))
        if out.ndim == 3:  # XCiT, Hiera, MViT, LeViT: tokens whose layout only their own method knows
            ask: Any = self.body.forward_intermediates
            norm = isinstance(getattr(self.body, "norm", None), nn.Module)
            last: Tensor = ask(x, indices=1, norm=norm, output_fmt="NCHW", intermediates_only=True)[-1]
            return last
        return out.permute(0, 3, 1, 2) if self.is_nhwc else out

    def layers(self, x: Tensor) -> Tensor:
        """Return features of several depths (B, D')."""
        ask: Any = self.body.forward_intermediates
        if self.is_tokens and "return_prefix_tokens" in signature(ask).parameters:
            options = (
                {"return_prefix_tokens": True, "output_fmt": "NLC"}
                if self.n_prefix
                else {"output_fmt": "NLC"}
            )
            pairs = ask(x, indices=LAST_BLOCKS, norm=True, intermediates_only=True, **options)
            if not self.has_class_token:
                patches = [pair[0] if self.n_prefix else pair for pair in pairs]
                return torch.cat([tokens.float().mean(dim=1) for tokens in patches], dim=1)
            firsts = [prefix[:, 0].float() for _, prefix in pairs]
            return torch.cat([*firsts, pairs[-1][0].float().mean(dim=1)], dim=1)
        final, maps = ask(x, indices=2, output_fmt="NCHW")
        return torch.cat([self._pool(final), maps[0].float().mean(dim=(2, 3))], dim=1)

    def intermediate_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features (B, D') and the map below the top (B, C, h, w)."""
        ask: Any = self.body.forward_intermediates
        if self.is_tokens:
            depth = len(self.body.blocks)  # type: ignore[arg-type]
            final, found = ask(x, indices=[middle_block(depth)], norm=True, output_fmt="NCHW")
            return torch.cat([self._pool(final), pool_map(found[0])], dim=1), found[0].float()
        final, maps = ask(x, indices=2, output_fmt="NCHW")
        # without its mean, which `_pool` gives already
        top = pool_map(maps[1])[:, maps[1].shape[1] :]
        return torch.cat([self._pool(final), pool_map(maps[0]), top], dim=1), maps[0].float()

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        """Return the parameters in groups from stem to top, as timm orders them.

        A norm after the last block, which timm counts as a block in some networks, joins that block: else
        `partial:1` would train the norm alone.
        """
        from timm.models import group_parameters

        parameters = dict(self.body.named_parameters())
        matcher: Any = self.body.group_matcher
        groups: dict[int, list[str]] = group_parameters(self.body, matcher(coarse=False))
        ordered = [names for _, names in sorted(groups.items())]
        while len(ordered) > 1 and all(parameters[name].ndim <= 1 for name in ordered[-1]):
            ordered[-2:] = [[*ordered[-2], *ordered[-1]]]
        return [(_common(names), [parameters[name] for name in names]) for names in ordered]


def middle_block(depth: int) -> int:
    """Return the index of the block at three quarters of the depth; of twelve blocks, the tenth."""
    return min(depth - 1, (3 * depth) // 4)


def _common(names: list[str]) -> str:
    """Return the longest dotted prefix that all `names` share, or the first name's root."""
    parts = [name.split(".")[:-1] for name in names]
    shared = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return ".".join(shared) or names[0].partition(".")[0]
