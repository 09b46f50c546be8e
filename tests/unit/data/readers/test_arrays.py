"""Repairs of decoded pixels: NaN, types, orientation."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.arrays import fill_non_finite, is_grey_as_rgb, narrow, narrowed, orient


def test_nan_becomes_background_and_infinities_the_finite_ends() -> None:
    pixels = np.array([[np.nan, np.inf], [-np.inf, 2.0], [5.0, 3.0]], np.float32)
    filled, history = fill_non_finite(pixels)
    assert filled.tolist() == [[2, 5], [2, 2], [5, 3]]
    assert history == (
        "1 NaN pixels set to the smallest finite value, 2 infinite ones to the nearest finite.",
    )
    whole = np.ones((2, 2), np.uint8)
    assert fill_non_finite(whole) == (whole, ()) or fill_non_finite(whole)[0] is whole


def test_an_image_without_any_number_is_refused() -> None:
    with pytest.raises(UnreadableError, match="finite number"):
        fill_non_finite(np.full((2, 2), np.nan, np.float32))


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (0, 255, np.uint8),
        (0, 256, np.uint16),
        (-1, 255, np.int16),
        (-1, 40000, np.int32),
        (0, 2**33, np.float32),
    ],
)
def test_the_type_follows_the_range_that_the_file_can_hold(low: int, high: int, kind: type) -> None:
    assert narrow(np.array([[0, 7]]), low, high).dtype == kind


def test_rounding_to_floats_is_told() -> None:
    assert narrowed(np.array([[2**24 + 1]]), 0, 2**40)[1] == ("Rounded to 32-bit floats.",)
    assert narrowed(np.array([[2**24]]), 0, 2**40)[1] == ()


def test_grey_as_rgb() -> None:
    grey = np.repeat(np.arange(4, dtype=np.uint8).reshape(2, 2, 1), 3, axis=2)
    assert is_grey_as_rgb(grey) and not is_grey_as_rgb(grey[..., 0])
    grey[0, 0, 2] = 9
    assert not is_grey_as_rgb(grey)


# EXIF 2.32, tag 0x0112: where the stored row 0 and column 0 belong, drawn on an F-like image.
UPRIGHT = np.array([[1, 2], [3, 0], [5, 0]])
STORED = {
    1: [[1, 2], [3, 0], [5, 0]],
    2: [[2, 1], [0, 3], [0, 5]],
    3: [[0, 5], [0, 3], [2, 1]],
    4: [[5, 0], [3, 0], [1, 2]],
    5: [[1, 3, 5], [2, 0, 0]],
    6: [[2, 0, 0], [1, 3, 5]],
    7: [[0, 0, 2], [5, 3, 1]],
    8: [[5, 3, 1], [0, 0, 2]],
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_upright(orientation: int) -> None:
    assert orient(np.array(STORED[orientation]), orientation).tolist() == UPRIGHT.tolist()
