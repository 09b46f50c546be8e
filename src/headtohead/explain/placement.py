"""From the grid of a network's input back to the image's own pixels, without losing or moving evidence.

The whole prepared image fills the network's square input, so grid cell (i, j) of (h, w) covers the i-th h-th part of
the rows of the recipe's box and the j-th w-th part of its columns. A cell's contribution is spread over pixels by
linear interpolation between the centres of cells; each cell's weights are scaled to sum to one, so the sum of the
map stays the sum of the grid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box

__all__ = ["on_one_grid", "spread", "to_pixels"]

Floats = npt.NDArray[np.float64]


def to_pixels(grid: Floats, box: Box, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return a map (H, W) of an image's own pixels; outside the recipe's box it is zero.

    Args:
        grid: (h, w) contributions over the network's input.
        box: what of the image the network saw.
        size: (H, W) of the image.

    >>> to_pixels(np.array([[1.0, 3.0]]), Box(0, 0, 2, 4), (2, 5)).sum(axis=0).tolist()
    [0.5, 0.75, 1.25, 1.5, 0.0]
    """
    found = np.zeros(size, np.float32)
    inside = _spread_both(grid, (box.bottom - box.top, box.right - box.left))
    found[box.top : box.bottom, box.left : box.right] = inside
    return found


def spread(cells: int, pixels: int) -> Floats:
    """Return (cells, pixels): the share of each cell that each pixel gets; rows sum to one."""
    if pixels >= cells:
        place = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
        weights = np.maximum(0.0, 1.0 - np.abs(place[None, :] - np.arange(cells)[:, None]))
    else:
        # shares by overlap: interpolated between centres, a cell between two pixels could go to none
        edges = np.arange(pixels + 1) * cells / pixels
        start = np.maximum(edges[None, :-1], np.arange(cells)[:, None])
        stop = np.minimum(edges[None, 1:], np.arange(1, cells + 1)[:, None])
        weights = np.maximum(0.0, stop - start)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def on_one_grid(grids: Sequence[Floats]) -> Floats:
    """Return the sum of grids that cover the same square, on the finest of them."""
    size = (max(g.shape[0] for g in grids), max(g.shape[1] for g in grids))
    return np.asarray(sum(_spread_both(g, size) for g in grids), dtype=np.float64)


def _spread_both(grid: Floats, size: tuple[int, int]) -> Floats:
    if grid.shape == size:
        return grid
    rows, columns = spread(grid.shape[0], size[0]), spread(grid.shape[1], size[1])
    return np.asarray(rows.T @ grid @ columns, dtype=np.float64)
