"""Learning rates: over the steps of a training, and over the depth of a network."""

from __future__ import annotations

import math

__all__ = ["cycle_of", "depth_factor", "rate_factor"]


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
        return (step + 1) / rising
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

    The top block gets `decay`, the stem `decay ** n_blocks` (layer-wise decay of Clark et al. 2020,
    ELECTRA, used for vision transformers by Bao et al. 2022, BEiT).

    >>> depth_factor(11, 12, 0.5), depth_factor(10, 12, 0.5)
    (0.5, 0.25)
    """
    return float(decay ** (n_blocks - block))
