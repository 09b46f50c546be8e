"""Two backbones behind one input: their features joined, for hybrids that are trained as one network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headtohead.backbones.load import load_backbone
from headtohead.backbones.network import Backbone
from headtohead.backbones.record import BackboneRecord
from headtohead.core.progress import QUIET, Reporter

__all__ = ["HybridBackbone", "load_hybrid", "renormalise"]


class HybridBackbone(nn.Module):
    """Two backbones that see the same image, each as its own weights ask.

    Attributes:
        first, second: the backbones; images come in as the first one's record asks.
        n_features: of both together.
    """

    resize_weights: Tensor

    def __init__(self, first: Backbone, second: Backbone) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.n_features = first.n_features + second.n_features
        weights = _resize_weights(first.record.input_size, second.record.input_size)
        # follows from the records, so no checkpoint has to hold it
        self.register_buffer("resize_weights", weights, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, D1 + D2) float32 of images (B, 3, S, S) normalised for the first backbone."""
        weights = self.resize_weights if torch.compiler.is_exporting() else None
        other = renormalise(x, self.first.record, self.second.record, weights)
        return torch.cat([self.first(x), self.second(other)], dim=1)

    def branches(self) -> list[Backbone]:
        """Return the two backbones, each with its own depth and rate."""
        return [self.first, self.second]

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        """Return both backbones' parameter groups, stems first, paired by their distance from the top."""
        one, two = self.first.blocks(), self.second.blocks()
        deeper = max(len(one), len(two))
        paired = []
        for level in range(-deeper, 0):
            here = [blocks[level] for blocks in (one, two) if len(blocks) >= -level]
            name = " + ".join(name for name, _ in here)
            paired.append((name, [parameter for _, parameters in here for parameter in parameters]))
        return paired


def load_hybrid(
    first: BackboneRecord,
    second: BackboneRecord,
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    reporter: Reporter = QUIET,
) -> HybridBackbone:
    """Return both records' networks as one; arguments as for `load_backbone`.

    Raises:
        WeightsError: the weights of one are not available.
    """
    one, two = (
        load_backbone(record, seed=seed, device=device, dtype=dtype, reporter=reporter)
        for record in (first, second)
    )
    return HybridBackbone(one, two).eval()


def renormalise(
    x: Tensor, source: BackboneRecord, target: BackboneRecord, resize_weights: Tensor | None = None
) -> Tensor:
    """Return images (B, 3, S, S) normalised for `source` as `target` wants them: scale and side.

    The side is changed bilinearly with antialiasing, which keeps gradients.

    Args:
        resize_weights: (S', S), to change the side by two matrix products, as exported graphs must: OpenVINO
            2026.4 reads ONNX's antialiased Resize and leaves the antialiasing out without a word.
    """
    if resize_weights is not None and source.input_size != target.input_size:
        x = resize_weights @ x @ resize_weights.T
    elif source.input_size != target.input_size:
        size = (target.input_size, target.input_size)
        x = nn.functional.interpolate(x, size=size, mode="bilinear", antialias=True)
    if (source.mean, source.std) == (target.mean, target.std):
        return x

    def column(numbers: tuple[float, float, float]) -> Tensor:
        return torch.tensor(numbers, dtype=x.dtype, device=x.device).reshape(1, 3, 1, 1)

    unit = x * column(source.std) + column(source.mean)
    return (unit - column(target.mean)) / column(target.std)


def _resize_weights(source: int, target: int) -> Tensor:
    """Return (target, source), one axis of the antialiased bilinear resize, which is linear and separable."""
    unit = torch.eye(source)[None, None]
    size = (target, source)
    return nn.functional.interpolate(unit, size=size, mode="bilinear", antialias=True)[0, 0]
