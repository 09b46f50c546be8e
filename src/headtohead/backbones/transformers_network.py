"""Networks that transformers built: what each of its model types calls its tokens, norms and pooled features."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from headtohead.backbones.network import (
    LAST_BLOCKS,
    Backbone,
    middle_block,
    pool_map,
    pool_tokens,
    tokens_to_map,
)
from headtohead.backbones.record import BackboneRecord, Family
from headtohead.backbones.weights.fetch import Weights

__all__ = ["MODEL_TYPES", "TOWERS", "ModelType", "TransformersBackbone"]


@dataclass(frozen=True)
class ModelType:
    """What one `model_type` of transformers is made of.

    Attributes:
        family: kind of network.
        prefix: tokens before the patches (class, distillation); registers are counted on top.
        norm: name of the final norm; empty for networks of maps.
        is_normed: whether `last_hidden_state` has passed that norm already.
        has_pooler: the features are the network's own `pooler_output`, joined with the mean patch of a network
            of tokens; else the class token takes its place.
        has_pooling_layer: an untrained pooling layer that may be left out (`add_pooling_layer`).
        asks_for_positions: positions are resampled to other sizes only when asked.
    """

    family: Family
    prefix: int = 0
    norm: str = ""
    is_normed: bool = True
    has_pooler: bool = False
    has_pooling_layer: bool = False
    asks_for_positions: bool = True

    @property
    def is_tokens(self) -> bool:
        """Whether the network is a sequence of tokens and not a stack of maps."""
        return bool(self.norm)


MODEL_TYPES: Mapping[str, ModelType] = {
    "vit": ModelType("transformer", 1, "layernorm", has_pooling_layer=True),
    "deit": ModelType("transformer", 2, "layernorm", has_pooling_layer=True),
    "vit_msn": ModelType("transformer", 1, "layernorm"),
    "dinov2": ModelType("transformer", 1, "layernorm", asks_for_positions=False),
    "dinov2_with_registers": ModelType("transformer", 1, "layernorm", asks_for_positions=False),
    "dinov3_vit": ModelType("transformer", 1, "norm", asks_for_positions=False),
    "clip_vision_model": ModelType("transformer", 1, "post_layernorm", is_normed=False),
    "siglip_vision_model": ModelType("transformer", 0, "post_layernorm", has_pooler=True),
    "convnext": ModelType("cnn", has_pooler=True),
    "convnextv2": ModelType("cnn", has_pooler=True),
    "resnet": ModelType("cnn", has_pooler=True),
}
# A repository of two towers: only the one that sees images is built.
TOWERS: Mapping[str, str] = {"clip": "clip_vision_model", "siglip": "siglip_vision_model"}


class TransformersBackbone(Backbone):
    """A network that transformers built, of one of `MODEL_TYPES`."""

    def __init__(self, body: Any, record: BackboneRecord, weights: Weights) -> None:
        super().__init__(body, record, weights)
        self.config: Any = body.config
        self.kind = MODEL_TYPES[self.config.model_type]
        self.is_tokens = self.kind.is_tokens
        self.n_prefix = self.kind.prefix + int(getattr(self.config, "num_register_tokens", 0) or 0)
        width = int(self.config.hidden_size if self.is_tokens else self.config.hidden_sizes[-1])
        self.n_features = width * (2 if self.is_tokens else 1)
        stored = getattr(self.config, "image_size", record.input_size)
        self.resample = self.kind.asks_for_positions and self.is_tokens and int(stored) != record.input_size

    def _ask(self, x: Tensor, **options: Any) -> Any:
        if self.resample:
            options["interpolate_pos_encoding"] = True
        return self.body(pixel_values=x, return_dict=True, **options)

    def _norm(self, tokens: Tensor) -> Tensor:
        normed: Tensor = getattr(self.body, self.kind.norm)(tokens)
        return normed

    def _final(self, out: Any) -> Tensor:
        """Return the last map, or the tokens after the final norm."""
        last: Tensor = out.last_hidden_state
        return last if self.kind.is_normed else self._norm(last)

    def _pooled(self, out: Any) -> Tensor:
        if not self.is_tokens:
            pooled: Tensor = out.pooler_output
            return pooled.flatten(1).float()
        tokens = self._final(out)
        if self.kind.has_pooler:
            return torch.cat([out.pooler_output.float(), pool_tokens(tokens, 0)], dim=1)
        return pool_tokens(tokens, self.n_prefix)

    def _to_map(self, tokens: Tensor) -> Tensor:
        side = self.record.input_size // int(self.config.patch_size)
        return tokens_to_map(tokens, self.n_prefix, (side, side))

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, D) float32."""
        return self._pooled(self._ask(x))

    def feature_map(self, x: Tensor) -> Tensor:
        """Return the last spatial map (B, C, h, w)."""
        final = self._final(self._ask(x))
        return self._to_map(final) if self.is_tokens else final

    def layers(self, x: Tensor) -> Tensor:
        """Return features of several depths (B, D')."""
        out = self._ask(x, output_hidden_states=True)
        if not self.is_tokens:
            return torch.cat([self._pooled(out), out.hidden_states[-2].float().mean(dim=(2, 3))], dim=1)
        normed = [self._norm(state).float() for state in out.hidden_states[-LAST_BLOCKS:]]
        if not self.n_prefix:
            return torch.cat([state.mean(dim=1) for state in normed], dim=1)
        return torch.cat(
            [*(state[:, 0] for state in normed), normed[-1][:, self.n_prefix :].mean(dim=1)], dim=1
        )

    def intermediate_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features (B, D') and the map below the top (B, C, h, w)."""
        out = self._ask(x, output_hidden_states=True)
        states = out.hidden_states
        if not self.is_tokens:
            below, top = states[-2].float(), pool_map(out.last_hidden_state)
            return torch.cat([top, pool_map(below)], dim=1), below
        # the first state is the embedding, before any block
        below = self._to_map(self._norm(states[1 + middle_block(len(states) - 1)])).float()
        return torch.cat([self._pooled(out), pool_map(below)], dim=1), below

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        """Return the parameters in groups from stem to top: one group per numbered layer.

        What follows the last layer (the final norm) belongs to that layer, as timm counts it; else
        `partial:1` would train the norm alone.
        """
        groups: dict[str, list[nn.Parameter]] = {}
        last = ""
        for name, parameter in self.body.named_parameters():
            # `stages.2.layers.5.` of a ConvNeXt: the layer is the group, not the stage
            numbered = re.match(r"(.*?\.\d+)\.(?:layers\.(\d+)\.)?", name)
            if numbered:
                last = numbered.group(0).rstrip(".")
            group = last or ("embeddings" if name.startswith("embeddings") else name.partition(".")[0])
            groups.setdefault(group, []).append(parameter)
        return list(groups.items())
