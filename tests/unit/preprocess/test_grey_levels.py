"""Steps on grey values against plain numpy: percentiles, stretch, highlights, sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.preprocess import steps


@given(
    values=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40),
    percent=st.floats(0, 100),
    copies=st.integers(1, 4),
)
def test_percentiles_are_those_of_the_repeated_values(
    values: list[float], percent: float, copies: int
) -> None:
    array = np.asarray(values, np.float32)
    (found,) = steps.percentiles(array, (percent,), copies)
    assert found == pytest.approx(float(np.percentile(np.repeat(array, copies), percent)), abs=1e-6)


def test_several_percentiles_come_in_the_order_asked_for() -> None:
    values = np.arange(11, dtype=np.float32)[::-1].copy()
    assert steps.percentiles(values, (90, 0, 50)) == (9, 0, 5)
    assert steps.percentiles(values, (90, 0, 50), copies=2) == pytest.approx(
        np.percentile(np.repeat(values, 2), (90, 0, 50))
    )
    assert values[0] == 10  # the input stays in its order


def test_a_stretch_brings_the_levels_to_zero_and_one_and_clips_the_rest() -> None:
    pixels = np.array([[0.1, 0.2, 0.5, 0.8, 0.9]], np.float32)
    assert steps.stretch(pixels, (0.2, 0.8)) == pytest.approx(np.array([[0, 0, 0.5, 1, 1]]), abs=1e-6)
    assert steps.stretch(pixels, None) is pixels
    assert steps.stretch(pixels, (0.2, 0.8)).dtype == np.float32


def test_highlights_are_limited_to_twice_the_subjects_median_above_the_background() -> None:
    image = np.full((4, 5), 10, np.uint8)
    image[0] = [30, 40, 50, 60, 250]  # a subject of median 50, which is 40 above the background
    found = steps.clip_highlights(image, ground=10, least=5)
    assert found[0].tolist() == [30, 40, 50, 60, 90]
    assert (found[1:] == 10).all() and image[0, 4] == 250
    dark = np.full((3, 3), 12, np.uint8)
    assert steps.clip_highlights(dark, ground=10, least=5).tolist() == dark.tolist()
    bright = np.full((3, 3), 200, np.uint8)  # the limit of 390 holds nothing back and wraps nothing round
    assert steps.clip_highlights(bright, ground=10, least=5).tolist() == bright.tolist()


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [((100, 50), 20, (20, 10)), ((30, 60), 120, (60, 120)), ((400, 1), 40, (40, 1))],
)
def test_the_longer_side_gets_the_size_and_the_aspect_stays(
    shape: tuple[int, int], side: int, expected: tuple[int, int]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert steps.resize_area(image, side).shape == expected


def test_shrinking_averages_areas() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8)
    blocks = image.reshape(10, 4, 10, 4).mean(axis=(1, 3))
    assert np.abs(steps.resize_area(image, 10).astype(float) - blocks).max() <= 0.5


def test_a_threshold_is_strict() -> None:
    image = np.array([[44, 45, 46]], np.uint8)
    assert steps.threshold(image, 45).tolist() == [[False, False, True]]


def test_equal_channels_become_one_plane_and_others_stay() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (6, 7)).astype(np.uint8)
    colour = np.repeat(grey[..., None], 3, axis=2)
    assert steps.one_plane(colour).tolist() == grey.tolist()
    for channel in range(3):
        odd = colour.copy()
        odd[5, 6, channel] ^= 1
        assert steps.one_plane(odd) is odd
    assert steps.one_plane(colour.astype(np.uint16)).ndim == 3
    assert steps.one_plane(grey) is grey


def test_an_image_smaller_than_its_margin_still_has_a_background() -> None:
    assert steps.background_level(np.full((2, 2), 7, np.uint8), 0.1) == (7, 7)
    image = np.full((40, 40), 5, np.uint8)
    image[0], image[:, 0] = 255, 255  # a frame line: patches of 16 pixels lie four inside the edge
    assert steps.background_level(image, 0.4) == (5, 5)
