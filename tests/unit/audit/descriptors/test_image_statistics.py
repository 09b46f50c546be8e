"""The numbers of one image, on images whose numbers are known beforehand."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.audit.descriptors import image_statistics as measures
from headtohead.core.records import Image

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (60, 80)).astype(np.uint8)
RAMP = np.tile(np.linspace(0, 255, 80), (60, 1)).astype(np.uint8)


def of(pixels: Any, **facts: Any) -> dict[str, float]:
    image = Image(pixels, 8, "L", "PNG", **facts)
    return measures.image_statistics(image, measures.grey8(image))


# ---- grey ---------------------------------------------------------------------------------------------------


def test_eight_bits_stay_and_colours_are_weighed_as_the_eye_does() -> None:
    assert measures.grey8(Image(NOISE, 8, "L", "PNG")) is NOISE
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert measures.grey8(Image(colours, 8, "RGB", "PNG")).tolist() == [[76, 150, 29]]


def test_a_window_of_the_file_decides_how_deep_pixels_are_seen() -> None:
    deep = np.array([[0, 1000, 1500, 2000, 9000]], np.uint16)
    seen = measures.grey8(Image(deep, 16, "I;16", "DICOM", window=(1000.0, 2000.0)))
    assert seen.tolist() == [[0, 0, 127, 255, 255]]


def test_without_a_window_half_a_percent_is_cut_on_either_side() -> None:
    deep = np.arange(1001, dtype=np.uint16).reshape(1, -1) * 10
    seen = measures.grey8(Image(deep, 16, "I;16", "PNG")).ravel()
    assert (seen == 0).sum() == pytest.approx(5 + 4, abs=3) and (seen == 255).sum() == pytest.approx(6, abs=1)
    assert seen[500] == 127


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_do_not_blank_an_image(bad: float) -> None:
    plane = np.linspace(0, 100, 400, dtype=np.float32).reshape(20, 20)
    plane[3, 3] = bad
    seen = measures.grey8(Image(plane, 32, "F", "TIFF"))
    assert len(np.unique(seen)) > 200


def test_equal_deep_pixels_are_black_and_three_planes_are_averaged() -> None:
    assert not measures.grey8(Image(np.full((4, 4), 700, np.uint16), 16, "I;16", "PNG")).any()
    planes = np.stack([np.zeros((2, 2)), np.full((2, 2), 30), np.full((2, 2), 60)], axis=2).astype(np.uint16)
    assert (measures.grey8(Image(planes, 16, "RGB", "PNG", window=(0.0, 60.0))) == 127).all()


# ---- statistics ---------------------------------------------------------------------------------------------


def test_shares_levels_and_edges_by_counting() -> None:
    plane = np.full((20, 50), 10, np.uint8)
    plane[:5] = 255
    plane[5:7] = 3
    found = of(plane)
    assert found["mean"] == pytest.approx(plane.mean() / 255) and found["spread"] == pytest.approx(
        plane.std() / 255
    )
    assert (found["at_black"], found["at_white"], found["levels"]) == (0.1, 0.25, 3.0)
    assert (found["edge"], found["aspect"]) == (20.0, 2.5)
    assert of(np.ascontiguousarray(plane.T))["aspect"] == 2.5
    assert set(found) == set(measures.MEASURES)


def test_the_bounds_of_colour_and_tint() -> None:
    def shares(difference: int) -> tuple[float, float, float]:
        pixels = np.full((2, 5, 3), 100, np.uint8)
        pixels[0, 0] = (100 + difference, 100, 100)
        return measures.colour_share(pixels)

    assert shares(41) == pytest.approx((0.1, 0.1, 41 / 2550))
    assert shares(40)[:2] == (0.0, 0.1)
    assert shares(9)[:2] == (0.0, 0.1) and shares(8)[:2] == (0.0, 0.0)
    assert measures.colour_share(np.zeros((2, 2, 3), np.uint16)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_colour_does_not_depend_on_the_order_of_channels(order: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    span = pixels.max(axis=2).astype(int) - pixels.min(axis=2)
    expected = ((span > 40).mean(), (span > 8).mean(), span.mean() / 255)
    assert measures.colour_share(pixels[..., list(order)]) == pytest.approx(expected)


def test_neighbours_of_noise_do_not_correlate_and_those_of_a_ramp_do() -> None:
    assert abs(measures.adjacent_correlation(NOISE)) < 0.05
    assert measures.adjacent_correlation(RAMP) > 0.999
    across = np.corrcoef(RAMP[:, :-1].ravel(), RAMP[:, 1:].ravel())[0, 1]
    down = np.corrcoef(RAMP[:-1].ravel(), RAMP[1:].ravel())[0, 1]
    assert measures.adjacent_correlation(RAMP) == pytest.approx((across + down) / 2, abs=1e-5)
    stripes = np.tile(np.array([0, 200], np.uint8), (8, 4))
    assert measures.adjacent_correlation(stripes) == pytest.approx(0.0, abs=1e-6), "-1 across and +1 down"


def test_equal_neighbours_on_one_side_alone_count_as_nought() -> None:
    plane = np.full((9, 9), 7, np.uint8)
    plane[:, -1] = 9
    assert measures.adjacent_correlation(plane) == pytest.approx(0.5), "0 across, 1 down"


def test_what_has_no_correlation_is_no_number() -> None:
    assert np.isnan(measures.adjacent_correlation(np.full((9, 9), 7, np.uint8)))
    assert np.isnan(measures.adjacent_correlation(NOISE[:2]))
    assert not np.isnan(measures.adjacent_correlation(NOISE[:3]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_blur_and_enlarging_make_an_image_softer(seed: int) -> None:
    plane = np.random.default_rng(seed).integers(0, 256, (64, 64)).astype(np.uint8)
    sharp = measures.softness(plane)
    values = [measures.softness(np.asarray(cv2.GaussianBlur(plane, (0, 0), s), np.uint8)) for s in (1, 2, 4)]
    assert 0 <= sharp < values[0] < values[1] < values[2] <= 1
    enlarged: Any = np.asarray(cv2.resize(plane, (256, 256), interpolation=cv2.INTER_CUBIC))
    assert measures.softness(enlarged) > sharp


def test_softness_is_the_larger_of_both_directions_and_turns_with_the_image() -> None:
    motion: Any = np.asarray(cv2.blur(NOISE, (25, 1)))
    assert measures.softness(motion) == pytest.approx(
        measures.softness(np.ascontiguousarray(motion.T)), abs=1e-5
    )
    assert measures.softness(motion) > measures.softness(NOISE) + 0.1
    assert np.isnan(measures.softness(NOISE[:15])) and not np.isnan(measures.softness(NOISE[:16]))
    assert np.isnan(measures.softness(np.full((20, 20), 3, np.uint8)))


# ---- small images -------------------------------------------------------------------------------------------


def test_the_border_is_read_from_four_strips() -> None:
    plane = np.full((100, 200), 50, np.uint8)
    plane[:6], plane[-6:], plane[:, :12], plane[:, -12:] = 10, 20, 30, 40
    ring = measures.border_ring(plane)
    assert ring.shape == (60,)
    top, bottom, left, right = ring.reshape(4, 15)
    assert top[7] == 10 and bottom[7] == 20 and left[7] == 30 and right[7] == 40
    inner = plane.copy()
    inner[6:-6, 12:-12] = 255
    assert (measures.border_ring(inner) == ring).all(), "what lies further in is not seen"


def test_the_background_hides_the_subject_and_nothing_else() -> None:
    mask = np.zeros((96, 96), bool)
    mask[40:56, 40:56] = True
    plane = np.full((96, 96), 100, np.uint8)
    seen = measures.background(plane, mask)
    assert seen[8, 8] == 0 and (seen[0] == 100).all() and seen[4, 4] == 100
    lesion = plane.copy()
    lesion[45:50, 45:50] = 255
    assert (measures.background(lesion, mask) == seen).all()
    outside = plane.copy()
    outside[:6, :6] = 255
    assert measures.background(outside, mask)[0, 0] == 255


def test_a_dent_in_the_outline_is_filled() -> None:
    mask = np.zeros((96, 96), bool)
    mask[20:76, 20:76] = True
    mask[40:56, 40:76] = False
    plane = np.full((96, 96), 100, np.uint8)
    assert measures.background(plane, mask)[8, 11] == 0


@pytest.mark.parametrize("mask", [None, np.zeros((60, 80), bool)])
def test_without_a_subject_all_is_background(mask: Any) -> None:
    assert (measures.background(NOISE, mask) == measures.shrink(NOISE, 16)).all()


def test_shrinking_averages() -> None:
    blocks = np.kron(np.arange(256).reshape(16, 16), np.ones((4, 4), int)).astype(np.uint8)
    assert measures.shrink(blocks, 16).tolist() == np.arange(256).reshape(16, 16).tolist()
