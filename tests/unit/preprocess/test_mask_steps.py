"""Each step on masks against a second implementation in plain numpy, written from its definition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.records import Box
from headtohead.preprocess import mask_steps

Mask = npt.NDArray[np.bool_]


def random_mask(seed: int, shape: tuple[int, int] = (23, 31), share: float = 0.5) -> Mask:
    return np.random.default_rng(seed).random(shape) < share


def neighbours(mask: Mask, outside: bool) -> npt.NDArray[np.bool_]:
    """(9, H, W): the 3 x 3 surroundings of every pixel."""
    padded = np.pad(mask, 1, constant_values=outside)
    height, width = mask.shape
    return np.stack([padded[i : i + height, j : j + width] for i in range(3) for j in range(3)])


def flood(free: Mask, starts: list[tuple[int, int]], diagonal: bool) -> Mask:
    seen = np.zeros_like(free)
    stack = [start for start in starts if free[start]]
    while stack:
        i, j = stack.pop()
        if seen[i, j]:
            continue
        seen[i, j] = True
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                a, b = i + di, j + dj
                straight = (di == 0) != (dj == 0)
                inside = 0 <= a < free.shape[0] and 0 <= b < free.shape[1]
                if inside and (straight or diagonal) and free[a, b]:
                    stack.append((a, b))
    return seen


@pytest.mark.parametrize("times", [1, 2, 3])
def test_erode_and_dilate_are_minimum_and_maximum_of_the_surroundings(times: int) -> None:
    mask = random_mask(1, share=0.8)
    small = large = mask
    for _ in range(times):
        small, large = (
            np.asarray(neighbours(small, True).all(axis=0)),
            np.asarray(neighbours(large, False).any(axis=0)),
        )
    np.testing.assert_array_equal(mask_steps.erode(mask, times), small)
    np.testing.assert_array_equal(mask_steps.dilate(mask, times), large)


@pytest.mark.parametrize("seed", range(5))
def test_fill_holes_fills_what_outside_cannot_reach(seed: int) -> None:
    mask = random_mask(seed, share=0.65)
    padded = np.pad(~mask, 1, constant_values=True)
    outside = flood(padded, [(0, 0)], diagonal=False)[1:-1, 1:-1]
    np.testing.assert_array_equal(mask_steps.fill_holes(mask), ~outside)


@pytest.mark.parametrize("seed", range(5))
def test_largest_component_is_the_largest_flood(seed: int) -> None:
    mask = random_mask(seed, share=0.3)
    sizes = [flood(mask, [(int(i), int(j))], diagonal=True) for i, j in np.argwhere(mask)]
    want = max(int(s.sum()) for s in sizes)
    got = mask_steps.largest_component(mask)
    assert got.sum() == want
    assert any((got == s).all() for s in sizes)


def test_largest_component_of_nothing_is_nothing() -> None:
    assert not mask_steps.largest_component(np.zeros((4, 5), bool)).any()


def test_contour_and_extreme_points_follow_the_published_slice() -> None:
    mask = np.zeros((40, 50), bool)
    mask[5:20, 10:45] = True
    mask[30:35, 2:8] = True
    contour = mask_steps.largest_contour(mask)
    assert mask_steps.extreme_points(contour) == Box(5, 10, 19, 44)
    assert mask_steps.bounding_box(mask_steps.largest_component(mask)) == Box(5, 10, 20, 45)


def test_no_contour_and_a_thin_one_give_no_box() -> None:
    empty = np.zeros((9, 9), bool)
    assert mask_steps.extreme_points(mask_steps.largest_contour(empty)) is None
    thin = empty.copy()
    thin[4] = True
    assert mask_steps.extreme_points(mask_steps.largest_contour(thin)) is None


def test_open_keeps_a_head_cut_by_the_edge_and_drops_lines() -> None:
    mask = np.zeros((60, 60), bool)
    mask[0:40, 10:50] = True
    mask[:, 58:] = True
    mask[20, 45:60] = True
    got = mask_steps.open_(mask, 11)
    assert not got[:, 52:].any()
    assert got[0, 15:45].all()
    assert got[3:37, 13:47].all()


def test_close_bridges_gaps_but_not_to_the_edge() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:18] = mask[10:30, 20:30] = True
    got = mask_steps.close(mask, 5)
    assert got[12:28, 10:30].all()
    assert mask_steps.bounding_box(got) == Box(10, 10, 30, 30)
    mask[10:30, 2:10] = True
    assert not mask_steps.close(mask, 9)[:, :2].any()


@given(st.integers(0, 10_000))
def test_opening_shrinks_and_closing_grows(seed: int) -> None:
    mask = random_mask(seed, share=0.6)
    assert not (mask_steps.open_(mask, 5) & ~mask).any()
    assert not (mask & ~mask_steps.close(mask, 5)).any()
