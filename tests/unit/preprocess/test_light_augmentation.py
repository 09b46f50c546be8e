"""The light augmentation does what it says that it drew, and draws what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.preprocess.light_augmentation import (
    DEGREES,
    GAIN,
    OFFSET,
    SHIFT,
    WORDS,
    ZOOM,
    LightAugmentation,
    apply_light,
    draw_light,
)

Pixels = npt.NDArray[np.float32]
STILL = LightAugmentation(flip=False, degrees=0.0, zoom=1.0, shift=(0.0, 0.0), gain=1.0, offset=0.0)


@pytest.fixture
def pixels() -> Pixels:
    return np.random.default_rng(0).uniform(0.1, 0.9, (20, 30)).astype(np.float32)


def test_nothing_drawn_changes_nothing(pixels: Pixels) -> None:
    assert apply_light(STILL, pixels) == pytest.approx(pixels, abs=1e-6)
    colour = np.stack([pixels, pixels / 2, 1 - pixels], axis=-1)
    assert apply_light(STILL, colour) == pytest.approx(colour, abs=1e-6)


def test_left_and_right_are_exchanged_and_not_top_and_bottom(pixels: Pixels) -> None:
    assert apply_light(replace(STILL, flip=True), pixels) == pytest.approx(pixels[:, ::-1], abs=1e-6)


def test_a_shift_is_down_and_right_in_shares_of_height_and_width(pixels: Pixels) -> None:
    moved = apply_light(replace(STILL, shift=(0.1, -0.2)), pixels)  # 2 rows down, 6 columns to the left
    assert moved[2:, :-6] == pytest.approx(pixels[:-2, 6:], abs=1e-5)
    assert (moved[:2] == 0).all() and (moved[:, -6:] == 0).all()


def test_a_positive_angle_turns_counter_clockwise() -> None:
    image = np.zeros((41, 41), np.float32)
    image[20, 34:38] = 1.0  # to the right of the centre
    turned = apply_light(replace(STILL, degrees=90.0), image)
    assert turned[4:6, 20].min() > 0.9 and turned[20, 34:38].max() < 0.1  # above it
    assert turned == pytest.approx(np.rot90(image), abs=1e-4)


def test_a_zoom_enlarges_about_the_centre() -> None:
    image = np.zeros((41, 41), np.float32)
    image[16:25, 16:25] = 1.0
    assert apply_light(replace(STILL, zoom=2.0), image).sum() == pytest.approx(4 * image.sum(), rel=0.05)
    larger = apply_light(replace(STILL, zoom=1.1), image)
    assert larger[20, 20] == 1 and larger == pytest.approx(larger[::-1, ::-1], abs=1e-5)


def test_contrast_and_brightness_are_about_mid_grey(pixels: Pixels) -> None:
    toned = apply_light(replace(STILL, gain=1.2, offset=-0.05), pixels)
    assert toned == pytest.approx(np.clip((pixels - 0.5) * 1.2 + 0.45, 0, 1), abs=1e-6)
    bright = apply_light(replace(STILL, offset=0.8), pixels)
    assert bright.max() == 1.0


def test_what_lies_outside_stays_black_when_brightness_is_added(pixels: Pixels) -> None:
    moved = apply_light(replace(STILL, shift=(0.1, 0.0), offset=0.05), pixels)
    assert (moved[:2] == 0).all() and moved[2:].min() > 0.1


def test_the_input_is_left_alone(pixels: Pixels) -> None:
    before = pixels.copy()
    apply_light(replace(STILL, flip=True, gain=0.9, degrees=5.0), pixels)
    assert (pixels == before).all()


def test_draws_fill_the_stated_ranges_and_follow_from_the_seed() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_light(rng) for _ in range(4000)]
    assert 0.47 < np.mean([one.flip for one in drawn]) < 0.53
    for values, centre, reach in (
        ([one.degrees for one in drawn], 0, DEGREES), ([one.zoom for one in drawn], 1, ZOOM),
        ([one.shift[0] for one in drawn], 0, SHIFT), ([one.shift[1] for one in drawn], 0, SHIFT),
        ([one.gain for one in drawn], 1, GAIN), ([one.offset for one in drawn], 0, OFFSET),
    ):  # fmt: skip
        low, high = min(values), max(values)
        assert (
            centre - reach <= low < centre - 0.98 * reach and centre + 0.98 * reach < high <= centre + reach
        )
    assert draw_light(np.random.default_rng(7)) == draw_light(np.random.default_rng(7))
    assert draw_light(np.random.default_rng(7)) != draw_light(np.random.default_rng(8))


def test_the_words_name_the_ranges() -> None:
    assert WORDS == (
        "half are flipped; rotated by up to 10 degrees, size by 10 %, place by 5 %, contrast by 10 %, brightness by 5 %"
    )
