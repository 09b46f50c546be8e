"""Descriptors of a scene: what they tell apart, and what drops out of them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from headtohead.audit.descriptors import scene_descriptors as looks

RNG = np.random.default_rng(4)
CROP: Any = np.asarray(cv2.GaussianBlur(RNG.integers(0, 256, (96, 96)).astype(np.uint8), (0, 0), 3))
ALL = np.ones(CROP.shape, bool)


def test_layout_has_mean_nought_and_deviation_one_and_knows_no_contrast() -> None:
    found = looks.layout_descriptor(CROP)
    assert (
        found.shape == (256,)
        and found.mean() == pytest.approx(0, abs=1e-5)
        and found.std() == pytest.approx(1)
    )
    darker = (CROP // 2).astype(np.uint8)
    assert np.corrcoef(found, looks.layout_descriptor(darker))[0, 1] > 0.99
    assert not looks.layout_descriptor(np.full((40, 40), 9, np.uint8)).any()
    turned = looks.layout_descriptor(np.ascontiguousarray(CROP[::-1])).reshape(16, 16)
    np.testing.assert_allclose(turned[::-1].ravel(), found, atol=0.05)


def test_the_profile_is_a_distribution_and_drops_brightness_and_contrast() -> None:
    found = looks.intensity_histogram(CROP, ALL)
    assert found.shape == (16,) and (found**2).sum() == pytest.approx(1.0)
    brighter = (CROP // 2 + 90).astype(np.uint8)
    assert np.abs(found - looks.intensity_histogram(brighter, ALL)).max() < 0.1
    inverted = looks.intensity_histogram((255 - CROP).astype(np.uint8), ALL)
    np.testing.assert_allclose(inverted[::-1], found, atol=0.06)


def test_only_the_subject_counts_and_all_where_there_is_none() -> None:
    half = ALL.copy()
    half[:, 48:] = False
    other = CROP.copy()
    other[:, 48:] = 255
    assert (looks.intensity_histogram(other, half) == looks.intensity_histogram(CROP, half)).all()
    assert (looks.intensity_histogram(CROP, ~ALL) == looks.intensity_histogram(CROP, ALL)).all()


def test_the_profile_by_hand() -> None:
    plane = np.repeat(np.arange(0, 160, 10, dtype=np.uint8), 36).reshape(24, 24)
    found = looks.intensity_histogram(plane, np.ones_like(plane, bool))
    assert found == pytest.approx(np.full(16, 0.25))


def patterns(plane: Any) -> dict[int, float]:
    found = looks.lbp_histogram(plane)
    assert (found**2).sum() == pytest.approx(1.0)
    return {int(i): float(found[i] ** 2) for i in np.flatnonzero(found)}


def test_texture_by_hand() -> None:
    assert patterns(np.full((96, 96), 50, np.uint8)) == {0: pytest.approx(1.0)}
    ramp = np.tile(np.arange(96) * 2, (96, 1)).astype(np.uint8)
    assert patterns(ramp) == {0: pytest.approx(1.0)}, "two grey values are within the slack of four"
    steep = np.tile(np.minimum(255, np.arange(96) * 5) % 256, (96, 1)).astype(np.uint8)[:, :51]
    right = sum(
        1 << bit for bit in (2, 3, 4)
    )  # the three neighbours to the right, clockwise from the top left
    steep = np.asarray(cv2.copyMakeBorder(steep, 0, 0, 0, 45, cv2.BORDER_REPLICATE))
    assert patterns(steep)[right] == pytest.approx(50 / 94, abs=0.03)
    upwards = patterns(np.ascontiguousarray(steep.T[::-1]))
    assert upwards[sum(1 << bit for bit in (0, 1, 2))] == pytest.approx(50 / 94, abs=0.03)
