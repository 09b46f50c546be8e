"""Weights of groups in many resamples, taken as floats a block of resamples at a time so that memory stays small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Weights", "weight_blocks", "weighted_sums"]

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[Any]
"""(n_groups, n_replicates), how often each group counts: floats, or the small integers that resampling yields."""

# 32 megabytes of float64; a table of up to 1,600 groups with the usual 2,401 resamples is one block.
_CELLS_PER_BLOCK = 4_000_000
# Each block sorts the scores again, so that blocks of fewer resamples would cost more time than they save memory.
_LEAST_COLUMNS = 64


def weight_blocks(weights: Weights) -> Iterator[Floats]:
    """Yield consecutive columns of the weights as floats, (n_groups, at least 64) each.

    >>> [block.shape for block in weight_blocks(np.ones((1_000_000, 100), dtype=np.uint8))]
    [(1000000, 64), (1000000, 36)]
    """
    step = max(_LEAST_COLUMNS, _CELLS_PER_BLOCK // max(1, len(weights)))
    for start in range(0, weights.shape[1], step):
        yield weights[:, start : start + step].astype(np.float64, copy=False)


def weighted_sums(by_group: Floats, weights: Weights) -> Floats:
    """Return (q, n_replicates): the columns of `by_group` (n_groups, q) summed under each replicate's weights."""
    return np.concatenate([by_group.T @ block for block in weight_blocks(weights)], axis=1)
