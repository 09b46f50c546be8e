"""Occlusion and RISE on scores whose evidence is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.explain.methods.perturbation import Score, blurred, mixed, occlusion, rise

Pixels = npt.NDArray[np.float32]
SIDE = 56


def image() -> Pixels:
    """Return noise, of which blur leaves nothing."""
    return np.random.default_rng(0).random((SIDE, SIDE)).astype(np.float32)


def spread_in(rows: slice, columns: slice) -> Score:
    """Return a score: the variance in a part of the image, which blur takes away."""

    def score(images: Sequence[Pixels]) -> npt.NDArray[np.float64]:
        return np.array([float(one[rows, columns].var()) for one in images])

    return score


def test_the_evidence_is_where_hiding_lowers_the_score() -> None:
    score = spread_in(slice(8, 16), slice(40, 48))  # cells of 4 pixels: rows 2 and 3, columns 10 and 11
    for found in (occlusion(score, image()), rise(score, image(), seed=1)):
        row, column = np.unravel_index(int(found.argmax()), found.shape)
        assert found.shape == (14, 14) and row in (2, 3) and column in (10, 11)
        far = found[7:, :7]
        assert np.abs(far).max() < 0.5 * found.max()


def test_evidence_against_is_negative() -> None:
    score = spread_in(slice(8, 16), slice(40, 48))

    def reversed_score(images: Sequence[Pixels]) -> npt.NDArray[np.float64]:
        return -score(images)

    np.testing.assert_allclose(
        occlusion(reversed_score, image()),
        -occlusion(score, image()),
        atol=1e-12,
    )


def test_a_score_that_nothing_changes_has_no_map() -> None:
    def constant(images: Sequence[Pixels]) -> npt.NDArray[np.float64]:
        return np.full(len(images), 3.0)

    assert not occlusion(constant, image()).any()
    assert np.allclose(rise(constant, image()), 0)


def test_every_cell_is_hidden_by_as_many_windows() -> None:
    """A score of the mean with hiding by zeros: each cell's share is the same, at the edge too."""
    seen: list[int] = []

    def count(images: Sequence[Pixels]) -> npt.NDArray[np.float64]:
        seen.append(len(images))
        return np.zeros(len(images))

    occlusion(count, image(), cells=5)
    assert seen == [1, (5 + 1) ** 2], "windows of two cells, from outside the edge on"


def test_the_masks_of_rise_are_drawn_by_seed() -> None:
    score = spread_in(slice(8, 16), slice(40, 48))
    one, same, other = (rise(score, image(), seed=seed, masks=40) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_blur_leaves_the_mean_and_no_detail() -> None:
    pixels = image()
    found = blurred(pixels)
    assert found.dtype == np.float32 and found.shape == pixels.shape
    assert float(found.mean()) == pytest.approx(float(pixels.mean()), abs=0.02)
    assert found.std() < 0.15 * pixels.std()
    np.testing.assert_allclose(blurred(np.full((20, 30), 0.5, np.float32)), 0.5, atol=1e-6)


@pytest.mark.parametrize("shape", [(SIDE, SIDE), (SIDE, SIDE, 3)])
def test_what_is_kept_and_what_is_hidden(shape: tuple[int, ...]) -> None:
    pixels, hidden = np.full(shape, 0.75, np.float32), np.full(shape, 0.25, np.float32)
    kept = np.zeros((14, 14))
    kept[:, 7:] = 1.0
    found = mixed(pixels, hidden, kept)
    assert found.shape == shape and found.dtype == np.float32
    np.testing.assert_allclose(found[:, :26], 0.25)
    np.testing.assert_allclose(found[:, 30:], 0.75)
    np.testing.assert_allclose(mixed(pixels, hidden, np.full((14, 14), 0.5)), 0.5)
