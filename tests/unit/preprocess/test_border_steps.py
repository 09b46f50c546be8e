"""The steps along an image's edge, and that no step changes its input."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.records import Box
from headtohead.preprocess import border_steps, mask_steps, steps

Mask = npt.NDArray[np.bool_]


def random_grey_and_mask(seed: int, shape: tuple[int, int]) -> tuple[npt.NDArray[np.uint8], Mask]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, shape).astype(np.uint8), rng.random(shape) < 0.5


def test_trim_dark_keeps_every_bright_pixel() -> None:
    image = np.zeros((30, 40), np.uint8)
    image[7, 9] = image[20, 33] = 9
    assert border_steps.crop_dark_border(image, 8) == Box(7, 9, 21, 34)
    assert border_steps.crop_dark_border(np.zeros((5, 6), np.uint8), 8) == Box(0, 0, 5, 6)


def test_trim_bright_takes_frames_and_leaves_a_bright_image() -> None:
    image = np.zeros((100, 120), np.uint8)
    image[10:90, 15:100] = 0
    framed = np.full((100, 120), 255, np.uint8)
    framed[10:90, 15:100] = 0
    assert border_steps.crop_bright_border(framed, 170, 0.85, 0.35) == Box(10, 15, 90, 100)
    assert border_steps.crop_bright_border(np.full((50, 60), 255, np.uint8), 170, 0.85, 0.35) == Box(
        0, 0, 50, 60
    )
    assert border_steps.crop_bright_border(image, 170, 0.85, 0.35) == Box(0, 0, 100, 120)


def test_bright_ground_is_darkened_where_it_runs_along_the_edge() -> None:
    y, x = np.mgrid[:100, :100]
    image = np.where((y - 50) ** 2 + (x - 50) ** 2 < 45**2, 60, 255).astype(np.uint8)
    got, found = border_steps.clear_bright_background(image, 240, 0.12, 0)
    assert found
    assert got[0, 0] == 0
    assert got[50, 50] == 60
    inside = np.where(image == 60, 255, 60).astype(np.uint8)
    same, found = border_steps.clear_bright_background(inside, 240, 0.12, 0)
    assert not found
    np.testing.assert_array_equal(same, inside)


def test_drop_bands_takes_thin_full_lines_and_leaves_a_full_image() -> None:
    mask = np.zeros((100, 100), bool)
    mask[:3] = mask[:, -2:] = True
    mask[30:70, 30:70] = True
    assert mask_steps.bounding_box(border_steps.remove_border_bands(mask, 0.8, 0.6, 0.08)) == Box(
        30, 30, 70, 70
    )
    full = np.ones((100, 100), bool)
    assert border_steps.remove_border_bands(full, 0.8, 0.6, 0.08).all()


@given(st.integers(0, 10_000), st.integers(4, 40), st.integers(4, 40))
def test_steps_leave_their_input_alone(seed: int, height: int, width: int) -> None:
    image, mask = random_grey_and_mask(seed, (height, width))
    before = image.copy(), mask.copy()
    for change in (
        mask_steps.fill_holes,
        mask_steps.largest_component,
        lambda m: mask_steps.erode(m, 1),
        lambda m: mask_steps.dilate(m, 1),
        lambda m: mask_steps.close(m, 3),
        lambda m: mask_steps.open_(m, 3),
        lambda m: border_steps.remove_border_bands(m, 0.8, 0.6, 0.08),
    ):
        change(mask)
    steps.gaussian_blur(image, 3)
    border_steps.clear_bright_background(image, 240, 0.1, 0)
    steps.otsu(image)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])
