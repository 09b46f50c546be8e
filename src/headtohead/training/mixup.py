"""Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019): two images in one, and both their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["cut_box", "mixup_or_cutmix"]


def mixup_or_cutmix(
    inputs: Tensor, targets: Tensor, mixup: float, cutmix: float, rng: np.random.Generator
) -> tuple[Tensor, list[tuple[float, Tensor]]]:
    """Return the inputs after mixing, and the (share, targets) that they now have.

    Args:
        inputs: (B, C, H, W); targets: (B,).
        mixup, cutmix: parameter of the Beta distribution of the share, 0 for off. With both on,
            each call takes one of them with equal chance.
    """
    if not mixup and not cutmix:
        return inputs, [(1.0, targets)]
    import torch

    use_cut = bool(cutmix) and (not mixup or rng.random() < 0.5)
    alpha = cutmix if use_cut else mixup
    share = float(rng.beta(alpha, alpha))
    partner = torch.from_numpy(rng.permutation(len(targets))).to(targets.device)
    if not use_cut:
        return share * inputs + (1 - share) * inputs[partner], [
            (share, targets),
            (1 - share, targets[partner]),
        ]
    top, left, bottom, right = cut_box(inputs.shape[-2], inputs.shape[-1], share, rng)
    out = inputs.clone()
    out[..., top:bottom, left:right] = inputs[partner][..., top:bottom, left:right]
    # Counted again, since the edge of the image may cut the box.
    share = 1.0 - (bottom - top) * (right - left) / (inputs.shape[-2] * inputs.shape[-1])
    return out, [(share, targets), (1 - share, targets[partner])]


def cut_box(height: int, width: int, share: float, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Return (top, left, bottom, right) of a box that covers about 1 - share of the image."""
    side = float(np.sqrt(1.0 - share))
    high, wide = round(height * side), round(width * side)
    middle_row, middle_column = int(rng.integers(height)), int(rng.integers(width))
    top, left = max(0, middle_row - high // 2), max(0, middle_column - wide // 2)
    return top, left, min(height, middle_row + (high + 1) // 2), min(width, middle_column + (wide + 1) // 2)
