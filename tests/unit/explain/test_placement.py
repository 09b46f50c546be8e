"""From grid to the image's own pixels: nothing lost, nothing moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.records import Box
from headtohead.explain.placement import on_one_grid, spread, to_pixels


@given(st.integers(1, 20), st.integers(1, 300))
def test_no_share_is_lost_or_negative(cells: int, pixels: int) -> None:
    weights = spread(cells, pixels)
    assert np.allclose(weights.sum(axis=1), 1.0) and (weights >= 0).all()


@given(st.integers(2, 16), st.integers(0, 15), st.integers(100, 400))
def test_a_cell_stays_where_it_was(cells: int, which: int, pixels: int) -> None:
    which %= cells
    centre = spread(cells, pixels)[which] @ (np.arange(pixels) + 0.5) / pixels
    inner = 0 < which < cells - 1
    # a cell at the edge is spread to the edge: its centre of mass may move outwards by a part of a cell
    assert abs(centre - (which + 0.5) / cells) <= (1.0 / pixels if inner else 0.2 / cells)


@pytest.mark.parametrize("size", [(40, 60), (301, 222), (9, 5)])
def test_the_sum_is_kept_and_the_rest_of_the_image_is_zero(size: tuple[int, int]) -> None:
    grid = np.random.default_rng(0).normal(size=(7, 7))
    box = Box(1, 2, size[0] - 1, size[1])
    found = to_pixels(grid, box, size)
    assert found.shape == size and found.dtype == np.float32
    assert abs(float(found.sum(dtype=np.float64)) - grid.sum()) < 1e-5
    assert not found[:1].any() and not found[:, :2].any() and not found[size[0] - 1 :].any()


def test_an_even_grid_becomes_an_even_map() -> None:
    found = to_pixels(np.full((7, 7), 2.0), Box(0, 0, 70, 140), (70, 140))
    assert np.allclose(found, 2.0 * 49 / (70 * 140), rtol=0.02)


def test_grids_of_two_sizes_are_added_on_the_finer_one() -> None:
    coarse, fine = np.ones((2, 2)), np.zeros((4, 4))
    assert np.allclose(on_one_grid([coarse, fine]), 0.25) and on_one_grid([coarse, fine]).shape == (4, 4)
