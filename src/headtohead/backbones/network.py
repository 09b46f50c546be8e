"""What a pretrained network can be asked: pooled features, features of several layers, a map, its blocks."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.fetch import Weights

__all__ = ["Backbone", "TimmBackbone", "TransformersBackbone", "pool_tokens"]

LAST_BLOCKS = 4


class Backbone(nn.Module):
    """A pretrained network without its classifier.

    Attributes:
        record: the catalogue's facts.
        weights: the file that was loaded, with its sha256 and licence.
        n_features: D of `forward`.
    """

    def __init__(self, body: nn.Module, record: BackboneRecord, weights: Weights) -> None:
        super().__init__()
        self.body = body
        self.record = record
        self.weights = weights
        self.n_features = 0

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, D) float32 of normalised images (B, 3, S, S).

        A CNN's map is averaged; of a transformer the class token and the mean of the patch tokens
        are joined.
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
        self.is_nhwc = getattr(body, "output_fmt", "NCHW") == "NHWC"
        if self.is_tokens:
            self.n_features = int(body.num_features) * (2 if self.n_prefix else 1)
        else:
            self.n_features = int(getattr(body, "head_hidden_size", None) or body.num_features)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, D) float32."""
        return self._pool(self.body.forward_features(x))  # type: ignore[operator]

    def _pool(self, out: Tensor) -> Tensor:
        if self.is_tokens:
            return pool_tokens(out, self.n_prefix)
        pooled: Tensor = self.body.forward_head(out, pre_logits=True)  # type: ignore[operator]
        return pooled.float()

    def feature_map(self, x: Tensor) -> Tensor:
        """Return the last spatial map (B, C, h, w)."""
        out: Tensor = self.body.forward_features(x)  # type: ignore[operator]
        if self.is_tokens:
            grid: Any = self.body.patch_embed.grid_size  # type: ignore[union-attr]
            return tokens_to_map(out, self.n_prefix, (int(grid[0]), int(grid[1])))
        return out.permute(0, 3, 1, 2) if self.is_nhwc else out

    def layers(self, x: Tensor) -> Tensor:
        """Return features of several depths (B, D')."""
        ask: Any = self.body.forward_intermediates
        if self.is_tokens:
            options = (
                {"return_prefix_tokens": True, "output_fmt": "NLC"}
                if self.n_prefix
                else {"output_fmt": "NLC"}
            )
            pairs = ask(x, indices=LAST_BLOCKS, norm=True, intermediates_only=True, **options)
            if not self.n_prefix:
                return torch.cat([patches.float().mean(dim=1) for patches in pairs], dim=1)
            firsts = [prefix[:, 0].float() for _, prefix in pairs]
            return torch.cat([*firsts, pairs[-1][0].float().mean(dim=1)], dim=1)
        final, maps = ask(x, indices=2, output_fmt="NCHW")
        return torch.cat([self._pool(final), maps[0].float().mean(dim=(2, 3))], dim=1)

    def intermediate_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features (B, D') and the map below the top (B, C, h, w)."""
        ask: Any = self.body.forward_intermediates
        if self.is_tokens:
            depth = len(self.body.blocks)  # type: ignore[arg-type]
            final, found = ask(x, indices=[_below(depth)], norm=True, output_fmt="NCHW")
            return torch.cat([self._pool(final), pool_map(found[0])], dim=1), found[0].float()
        final, maps = ask(x, indices=2, output_fmt="NCHW")
        top = pool_map(maps[1])[:, maps[1].shape[1] :]
        return torch.cat([self._pool(final), pool_map(maps[0]), top], dim=1), maps[0].float()

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        """Return the parameters in groups from stem to top, as timm orders them."""
        from timm.models import group_parameters

        parameters = dict(self.body.named_parameters())
        matcher: Any = self.body.group_matcher
        groups: dict[int, list[str]] = group_parameters(self.body, matcher(coarse=False))
        return [(_common(names), [parameters[name] for name in names]) for _, names in sorted(groups.items())]


class TransformersBackbone(Backbone):
    """A network that transformers built: ViT, DeiT, DINOv2 and what answers like them, or a CNN."""

    def __init__(self, body: Any, record: BackboneRecord, weights: Weights) -> None:
        super().__init__(body, record, weights)
        self.config: Any = body.config
        self.is_tokens = hasattr(self.config, "patch_size") and hasattr(self.config, "num_hidden_layers")
        self.n_prefix = 1 if self.is_tokens else 0
        sizes = getattr(self.config, "hidden_sizes", None)
        width = (
            self.config.hidden_size if self.is_tokens else (sizes[-1] if sizes else self.config.hidden_size)
        )
        self.n_features = int(width) * (2 if self.is_tokens else 1)
        stored = getattr(self.config, "image_size", record.input_size)
        self.resample = self.is_tokens and int(stored) != record.input_size

    def _ask(self, x: Tensor, **options: Any) -> Any:
        if self.resample and self.config.model_type != "dinov2":  # DINOv2 resamples unasked
            options["interpolate_pos_encoding"] = True
        return self.body(pixel_values=x, return_dict=True, **options)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, D) float32."""
        out: Tensor = self._ask(x).last_hidden_state
        return pool_tokens(out, self.n_prefix) if self.is_tokens else out.float().mean(dim=(2, 3))

    def feature_map(self, x: Tensor) -> Tensor:
        """Return the last spatial map (B, C, h, w)."""
        out: Tensor = self._ask(x).last_hidden_state
        side = self.record.input_size // int(self.config.patch_size) if self.is_tokens else 0
        return tokens_to_map(out, self.n_prefix, (side, side)) if self.is_tokens else out

    def layers(self, x: Tensor) -> Tensor:
        """Return features of several depths (B, D')."""
        states = self._ask(x, output_hidden_states=True).hidden_states
        if not self.is_tokens:
            return torch.cat([state.float().mean(dim=(2, 3)) for state in states[-2:]], dim=1)
        norm: Any = self.body.layernorm
        normed = [norm(state).float() for state in states[-LAST_BLOCKS:]]
        return torch.cat([*(state[:, 0] for state in normed), normed[-1][:, 1:].mean(dim=1)], dim=1)

    def intermediate_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features (B, D') and the map below the top (B, C, h, w)."""
        out = self._ask(x, output_hidden_states=True)
        last, states = out.last_hidden_state, out.hidden_states
        if not self.is_tokens:
            found, top = states[-2].float(), pool_map(last)
            return torch.cat([top, pool_map(found)], dim=1), found
        norm: Any = self.body.layernorm
        side = self.record.input_size // int(self.config.patch_size)
        found = tokens_to_map(norm(states[1 + _below(len(states) - 1)]), self.n_prefix, (side, side)).float()
        return torch.cat([pool_tokens(last, self.n_prefix), pool_map(found)], dim=1), found

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        """Return the parameters in groups from stem to top: one group per numbered layer.

        What follows the last layer (the final norm) belongs to that layer, as timm counts it; else
        `partial:1` would train the norm alone.
        """
        groups: dict[str, list[nn.Parameter]] = {}
        last = ""
        for name, parameter in self.body.named_parameters():
            numbered = re.match(r"(.*?\.\d+)\.(?:layers\.(\d+)\.)?", name)
            if numbered:
                last = numbered.group(0).rstrip(".")
            group = last or ("embeddings" if name.startswith("embeddings") else name.partition(".")[0])
            groups.setdefault(group, []).append(parameter)
        return list(groups.items())


def _below(depth: int) -> int:
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
