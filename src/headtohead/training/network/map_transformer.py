"""A hybrid: a small transformer that reads the feature map of a convolutional network.

The map's places become tokens (Dosovitskiy et al. 2021, section 3.1, "hybrid architecture"; here on
top of pretrained convolutions instead of trained together from the start).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["FeatureMapTransformer"]


class FeatureMapTransformer(nn.Module):
    """The pooled features of a network, joined with what a transformer made of its last map.

    Args:
        backbone: with `forward` (B, D), `feature_map` (B, C, h, w), `n_features` and `blocks()`.
        side: of the images, in pixels.
        width, depth, heads: of the transformer.
        seed: of its first weights.
    """

    def __init__(
        self,
        backbone: nn.Module,
        side: int,
        *,
        width: int = 128,
        depth: int = 2,
        heads: int = 4,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        with torch.no_grad():
            shape = self._map(torch.zeros(1, 3, side, side)).shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.project = nn.Linear(shape[1], width)
            self.place = nn.Parameter(torch.randn(1, shape[2] * shape[3] + 1, width) * 0.02)
            self.token = nn.Parameter(torch.zeros(1, 1, width))
            layer = nn.TransformerEncoderLayer(
                width, heads, 2 * width, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
            )
            # Asked for beside norm_first, nested tensors are only warned of.
            self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.n_features = int(shape[1]) + width

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, C + width): the map's mean and the class token's last state."""
        found = self._map(x)
        tokens = self.project(found.flatten(2).transpose(1, 2))
        tokens = torch.cat([self.token.expand(len(tokens), -1, -1), tokens], dim=1) + self.place
        summary = self.norm(self.encoder(tokens)[:, 0])
        return torch.cat([found.float().mean(dim=(2, 3)), summary.float()], dim=1)

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        """Return the convolutions' blocks; the transformer learns at the head's rate and is in none."""
        named: list[tuple[str, list[nn.Parameter]]] = self.backbone.blocks()  # type: ignore[operator]
        return named

    def _map(self, x: Tensor) -> Tensor:
        found: Tensor = self.backbone.feature_map(x)  # type: ignore[operator]
        return found
