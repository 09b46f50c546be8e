"""A map in an image's own pixels, and its colour scale that no grid and no size of image changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headtohead.core.records import Box
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import ImageMap

WHOLE = Box(0, 0, 20, 40)


def image_map(grid: Any, box: Box = WHOLE, size: tuple[int, int] = (20, 40), **changes: Any) -> ImageMap:
    own = Attribution(np.asarray(grid, float), changes.pop("target", 1), changes.pop("log_odds", 0.0), 0.0)
    return ImageMap("s", "net", "contributions", ("no", "yes"), own, box, size, **changes)


def test_the_pixels_sum_to_the_localised_part_and_stay_in_the_box() -> None:
    one = image_map([[1.0, -2.0], [0.5, 4.0]], Box(4, 6, 16, 30))
    found = one.pixels()
    assert found.shape == (20, 40) and found.sum(dtype=np.float64) == pytest.approx(3.5, abs=1e-5)
    outside = found.copy()
    outside[4:16, 6:30] = 0
    assert not outside.any()


@pytest.mark.parametrize("side", [1, 2, 7, 16])
def test_an_even_map_has_one_density_on_every_grid(side: int) -> None:
    """A log-odd of 3 over the whole area is 0.03 per 1 % of it."""
    assert np.allclose(image_map(np.full((side, side), 3.0 / side**2)).density(), 0.03)


def test_the_target_and_its_probability() -> None:
    assert image_map([[0.0]], target=0).target == "no"
    assert image_map([[0.0]], log_odds=np.log(3)).probability == pytest.approx(0.75)
    assert image_map([[0.0]], log_odds=-np.log(3)).probability == pytest.approx(0.25)


def test_the_words_are_on_the_target_and_the_place_in_the_image() -> None:
    words = image_map(np.eye(1, 16).reshape(4, 4), Box(10, 20, 20, 40), log_odds=1.0).words
    assert words.startswith("Log-odds of yes +1.00 (probability 0.73).")
    assert (
        "around the middle" not in words
        and "lies on 3.1 % of the area seen, around the centre of the image" in words
    )
