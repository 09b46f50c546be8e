"""Learning rates: over the steps of a training, and over the depth of a network."""

from __future__ import annotations

import math

from headtohead.backbones.record import BackboneRecord

__all__ = ["cycle_of", "depth_factor", "network_factor", "rate_factor"]

# A stated rate is that of a transformer. A convolutional network and one that starts from nothing take larger
# steps; the factors are fixed beforehand and the same for every study. An unknown kind gets no factor.
CNN_FACTOR = 5.0
SCRATCH_FACTOR = 10.0
REFERENCE_DEPTH = 12  # blocks of ViT-B and ViT-S, for which layer-wise decay was published


def rate_factor(step: int, total: int, warmup: float) -> float:
    """Return the share of the peak rate at a step: linear warm-up, then half a cosine towards 0.

    Args:
        step: 0 <= step < total; total: number of steps planned.
        warmup: share of the steps that rise, in [0, 1).

    >>> [round(rate_factor(s, 10, 0.2), 3) for s in range(10)]
    [0.5, 1.0, 1.0, 0.962, 0.854, 0.691, 0.5, 0.309, 0.146, 0.038]
    """
    rising = math.floor(total * warmup)
    if step < rising:
        return (step + 1) / rising  # the first step moves, too
    return 0.5 * (1.0 + math.cos(math.pi * (step - rising) / max(1, total - rising)))


def cycle_of(epoch: int, epochs: int, cycles: int) -> tuple[int, int]:
    """Return the (first epoch, epoch after the last) of the cycle that holds an epoch, counted from 0.

    Cyclic annealing with restarts (Huang et al. 2017, Snapshot Ensembles, section 3): the epochs fall
    into `cycles` parts as equal as whole epochs allow.

    >>> [cycle_of(epoch, 7, 3) for epoch in (0, 1, 2, 4, 5, 6)]
    [(0, 2), (0, 2), (2, 5), (2, 5), (5, 7), (5, 7)]
    """
    ends = [round(epochs * (i + 1) / cycles) for i in range(cycles)]
    end = next(end for end in ends if epoch < end)
    return max((other for other in ends if other <= epoch), default=0), end


def depth_factor(block: int, n_blocks: int, decay: float) -> float:
    """Return the share of the head's rate for a block, counted from 0 at the stem.

    `decay` at the top and `decay ** 12` at the stem of every network, even steps of the exponent between.
    Layer-wise decay (Clark et al. 2020, ELECTRA; Bao et al. 2022, BEiT) counts the blocks of a
    transformer. Counted likewise, InceptionResNetV2 with its 45 modules would be all but frozen below its
    middle, so every network is stretched to the depth of ViT-B (Liu et al. 2022 divide ConvNeXt's 36
    blocks into 12 groups for this reason).

    >>> depth_factor(11, 12, 0.5), depth_factor(10, 12, 0.5)
    (0.5, 0.25)
    >>> [depth_factor(block, 45, 0.5) for block in (44, 0)] == [0.5, 0.5**12]
    True
    """
    distance = (n_blocks - 1 - block) / max(1, n_blocks - 1)
    return float(decay ** (1 + (REFERENCE_DEPTH - 1) * distance))


def network_factor(record: BackboneRecord) -> float:
    """Return the factor on the stated rate that belongs to a network: scratch 10, pretrained CNN 5, else 1."""
    if record.source == "scratch":
        return SCRATCH_FACTOR
    return CNN_FACTOR if record.family == "cnn" else 1.0
