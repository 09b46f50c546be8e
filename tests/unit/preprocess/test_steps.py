"""Each step against a second implementation in plain numpy, written from its definition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.records import Box
from headtohead.preprocess import steps

Mask = npt.NDArray[np.bool_]


def random_mask(seed: int, shape: tuple[int, int] = (23, 31), share: float = 0.5) -> Mask:
    return np.random.default_rng(seed).random(shape) < share


def random_grey(seed: int, shape: tuple[int, int] = (23, 31)) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


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
    np.testing.assert_array_equal(steps.erode(mask, times), small)
    np.testing.assert_array_equal(steps.dilate(mask, times), large)


@pytest.mark.parametrize("seed", range(5))
def test_fill_holes_fills_what_outside_cannot_reach(seed: int) -> None:
    mask = random_mask(seed, share=0.65)
    padded = np.pad(~mask, 1, constant_values=True)
    outside = flood(padded, [(0, 0)], diagonal=False)[1:-1, 1:-1]
    np.testing.assert_array_equal(steps.fill_holes(mask), ~outside)


@pytest.mark.parametrize("seed", range(5))
def test_largest_component_is_the_largest_flood(seed: int) -> None:
    mask = random_mask(seed, share=0.3)
    sizes = [flood(mask, [(int(i), int(j))], diagonal=True) for i, j in np.argwhere(mask)]
    want = max(int(s.sum()) for s in sizes)
    got = steps.largest_component(mask)
    assert got.sum() == want
    assert any((got == s).all() for s in sizes)


def test_largest_component_of_nothing_is_nothing() -> None:
    assert not steps.largest_component(np.zeros((4, 5), bool)).any()


def test_grey_is_bt601_luminance() -> None:
    colour = (np.random.default_rng(3).integers(0, 256, (20, 20, 3)) / 255).astype(np.float32)
    want = colour @ np.array([0.299, 0.587, 0.114]) * 255
    assert np.abs(steps.grey(colour).astype(float) - want).max() <= 1
    np.testing.assert_array_equal(steps.grey(colour[..., 0]), np.rint(colour[..., 0] * 255))


def test_gaussian_blur_is_the_convolution_with_the_stated_kernel() -> None:
    image = random_grey(4)
    line = np.array([1, 4, 6, 4, 1]) / 16
    padded = np.pad(image.astype(float), 2, mode="reflect")
    height, width = image.shape
    want = sum(line[i] * line[j] * padded[i : i + height, j : j + width] for i in range(5) for j in range(5))
    assert np.abs(steps.gaussian_blur(image, 5).astype(float) - want).max() <= 1


@pytest.mark.parametrize("seed", range(4))
def test_otsu_maximises_the_variance_between_classes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = rng.normal(60, 15, 600), rng.normal(170, 25, 300)
    image = np.clip(np.concatenate([low, high]), 0, 255).astype(np.uint8).reshape(30, 30)
    values = image.ravel().astype(float)

    def between(level: int) -> float:
        below = values <= level
        if below.all() or not below.any():
            return 0.0
        share = below.mean()
        return float(share * (1 - share) * (values[below].mean() - values[~below].mean()) ** 2)

    assert between(int(steps.otsu(image))) == pytest.approx(max(between(t) for t in range(256)))


def test_resize_cubic_is_the_stated_convolution() -> None:
    """Twice the size along columns, kernel of Keys (1981) with a = -0.75 as in OpenCV."""
    row = np.random.default_rng(5).random(16).astype(np.float32) * 0.5 + 0.25
    image = np.repeat(row[None], 8, axis=0)
    got = steps.resize_cubic(image, 8, 32)[4]

    def kernel(x: float) -> float:
        x, a = abs(x), -0.75
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    for out in range(6, 26):
        place = (out + 0.5) / 2 - 0.5
        want = sum(row[k] * kernel(place - k) for k in range(16))
        assert got[out] == pytest.approx(want, abs=1e-4)


def test_contour_and_extreme_points_follow_the_published_slice() -> None:
    mask = np.zeros((40, 50), bool)
    mask[5:20, 10:45] = True
    mask[30:35, 2:8] = True
    contour = steps.largest_contour(mask)
    assert steps.extreme_points(contour) == Box(5, 10, 19, 44)
    assert steps.bounding_box(steps.largest_component(mask)) == Box(5, 10, 20, 45)


def test_no_contour_and_a_thin_one_give_no_box() -> None:
    empty = np.zeros((9, 9), bool)
    assert steps.extreme_points(steps.largest_contour(empty)) is None
    thin = empty.copy()
    thin[4] = True
    assert steps.extreme_points(steps.largest_contour(thin)) is None


def test_open_keeps_a_head_cut_by_the_edge_and_drops_lines() -> None:
    mask = np.zeros((60, 60), bool)
    mask[0:40, 10:50] = True
    mask[:, 58:] = True
    mask[20, 45:60] = True
    got = steps.open_(mask, 11)
    assert not got[:, 52:].any()
    assert got[0, 15:45].all()
    assert got[3:37, 13:47].all()


def test_close_bridges_gaps_but_not_to_the_edge() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:18] = mask[10:30, 20:30] = True
    got = steps.close(mask, 5)
    assert got[12:28, 10:30].all()
    assert steps.bounding_box(got) == Box(10, 10, 30, 30)
    mask[10:30, 2:10] = True
    assert not steps.close(mask, 9)[:, :2].any()


def test_ground_level_reads_the_corners_and_forgives_one() -> None:
    image = np.full((100, 100), 20, np.uint8)
    image[20:80, 20:80] = 200
    image[:12, :12] = 255
    assert steps.background_level(image, 0.06) == (20.0, 20.0)


def test_trim_dark_keeps_every_bright_pixel() -> None:
    image = np.zeros((30, 40), np.uint8)
    image[7, 9] = image[20, 33] = 9
    assert steps.crop_dark_border(image, 8) == Box(7, 9, 21, 34)
    assert steps.crop_dark_border(np.zeros((5, 6), np.uint8), 8) == Box(0, 0, 5, 6)


def test_trim_bright_takes_frames_and_leaves_a_bright_image() -> None:
    image = np.zeros((100, 120), np.uint8)
    image[10:90, 15:100] = 0
    framed = np.full((100, 120), 255, np.uint8)
    framed[10:90, 15:100] = 0
    assert steps.crop_bright_border(framed, 170, 0.85, 0.35) == Box(10, 15, 90, 100)
    assert steps.crop_bright_border(np.full((50, 60), 255, np.uint8), 170, 0.85, 0.35) == Box(0, 0, 50, 60)
    assert steps.crop_bright_border(image, 170, 0.85, 0.35) == Box(0, 0, 100, 120)


def test_drop_bands_takes_thin_full_lines_and_leaves_a_full_image() -> None:
    mask = np.zeros((100, 100), bool)
    mask[:3] = mask[:, -2:] = True
    mask[30:70, 30:70] = True
    assert steps.bounding_box(steps.remove_border_bands(mask, 0.8, 0.6, 0.08)) == Box(30, 30, 70, 70)
    full = np.ones((100, 100), bool)
    assert steps.remove_border_bands(full, 0.8, 0.6, 0.08).all()


def test_bright_ground_is_darkened_where_it_runs_along_the_edge() -> None:
    y, x = np.mgrid[:100, :100]
    image = np.where((y - 50) ** 2 + (x - 50) ** 2 < 45**2, 60, 255).astype(np.uint8)
    got, found = steps.clear_bright_background(image, 240, 0.12, 0)
    assert found
    assert got[0, 0] == 0
    assert got[50, 50] == 60
    inside = np.where(image == 60, 255, 60).astype(np.uint8)
    same, found = steps.clear_bright_background(inside, 240, 0.12, 0)
    assert not found
    np.testing.assert_array_equal(same, inside)


def test_to_unit_uses_the_window_then_percentiles_then_says_so() -> None:
    deep = np.linspace(0, 4000, 1001).reshape(7, 143)
    values, how = steps.to_unit(deep.astype(np.uint16), (1000.0, 3000.0))
    assert "stated by the file" in how
    np.testing.assert_allclose(values, np.clip((deep.astype(np.uint16) - 1000.0) / 2000.0, 0, 1), atol=1e-6)
    values, how = steps.to_unit(deep.astype(np.float64))
    low, high = np.percentile(deep, (0.5, 99.5))
    assert "percentiles" in how
    np.testing.assert_allclose(values, np.clip((deep - low) / (high - low), 0, 1), atol=1e-5)


def test_to_unit_survives_constant_and_broken_values() -> None:
    constant, how = steps.to_unit(np.full((4, 4), 7, np.int16))
    assert "constant" in how
    assert not constant.any()
    broken = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    broken[0, 5] = np.nan
    broken[3, 3] = np.inf
    values, how = steps.to_unit(broken)
    assert "non-finite" in how
    assert np.isfinite(values).all()
    assert values[0, 5] == 0
    nothing, how = steps.to_unit(np.full((3, 3), np.nan, np.float32))
    assert "empty" in how
    assert not nothing.any()


@given(st.integers(0, 10_000), st.integers(4, 40), st.integers(4, 40))
def test_steps_leave_their_input_alone(seed: int, height: int, width: int) -> None:
    image, mask = random_grey(seed, (height, width)), random_mask(seed, (height, width))
    before = image.copy(), mask.copy()
    for change in (
        steps.fill_holes,
        steps.largest_component,
        lambda m: steps.erode(m, 1),
        lambda m: steps.dilate(m, 1),
        lambda m: steps.close(m, 3),
        lambda m: steps.open_(m, 3),
        lambda m: steps.remove_border_bands(m, 0.8, 0.6, 0.08),
    ):
        change(mask)
    steps.gaussian_blur(image, 3)
    steps.clear_bright_background(image, 240, 0.1, 0)
    steps.otsu(image)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])


@given(st.integers(0, 10_000))
def test_opening_shrinks_and_closing_grows(seed: int) -> None:
    mask = random_mask(seed, share=0.6)
    assert not (steps.open_(mask, 5) & ~mask).any()
    assert not (mask & ~steps.close(mask, 5)).any()
