"""How much an image differs from its flipped image, as a network sees it.

A head is all but symmetric; a mass on one side is not. The network looks at the image and at its
flipped image, and the two maps are compared place by place: at their own grain, after a mean over
3 x 3 neighbours, which forgives a midline that is a little off, and on a grid of 4 x 4 regions.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from headtohead.backbones.network import Backbone

__all__ = ["asymmetry_features", "bilateral_features"]

REGIONS = 4  # 4 x 4 regions: coarse enough that small tilts of the head stay inside one


def bilateral_features(network: Backbone, x: Tensor) -> Tensor:
    """Return features (B, D) float32 of images (B, 3, S, S): those of both sides, and what differs.

    Mirrored images have the same features, up to rounding.
    """
    (one, here), (two, there) = network.intermediate_features(x), network.intermediate_features(x.flip(-1))
    return torch.cat([(one + two) / 2, asymmetry_features(here, there)], dim=1)


def asymmetry_features(here: Tensor, there: Tensor) -> Tensor:
    """Return (B, 6C), mean and maximum of |here - there| of maps (B, C, h, w) at three grains."""
    grains = (
        (here, there),
        (_smooth(here), _smooth(there)),
        (adaptive_avg_pool2d(here, REGIONS), adaptive_avg_pool2d(there, REGIONS)),
    )
    gaps = [(a - b).abs() for a, b in grains]
    return torch.cat([part for gap in gaps for part in (gap.mean(dim=(2, 3)), gap.amax(dim=(2, 3)))], dim=1)


def _smooth(found: Tensor) -> Tensor:
    # padding that counts would pull the means at the edge towards 0
    return avg_pool2d(found, 3, stride=1, padding=1, count_include_pad=False)
