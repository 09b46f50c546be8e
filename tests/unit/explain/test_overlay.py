"""Maps as pictures: one colour scale for all, orange for and blue against, and the image visible everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headtohead.core.records import Box
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import ImageMap
from headtohead.explain.overlay import AGAINST, FOR, OPACITY, color_limit, draw_card, overlay

SIZE = (40, 60)
WHOLE = Box(0, 0, *SIZE)


def image_map(grid: Any, box: Box = WHOLE, **changes: Any) -> ImageMap:
    own = Attribution(np.asarray(grid, float), 1, float(np.sum(grid)), changes.pop("offset", 0.0))
    return ImageMap("a.png", "net", "contributions", ("no", "yes"), own, box, SIZE, **changes)


def test_the_limit_is_where_a_hundredth_of_the_area_lies_above() -> None:
    grid = np.ones((10, 10))
    grid[0, 0] = 50.0  # one cell of a hundred
    assert color_limit([image_map(grid)]) == pytest.approx(1.0)
    grid[0, 1] = 50.0
    assert color_limit([image_map(grid)]) == pytest.approx(50.0)
    assert color_limit([image_map(-grid)]) == pytest.approx(50.0), "of the size, not the sign"


def test_each_map_counts_once_however_fine_it_is() -> None:
    fine, coarse = image_map(np.full((20, 20), 1 / 400)), image_map(np.full((2, 2), 3 / 4))
    assert color_limit([fine, coarse]) == pytest.approx(0.03)
    assert color_limit([fine]) == pytest.approx(0.01)


def test_without_evidence_there_is_a_scale_all_the_same() -> None:
    assert color_limit([]) == 1.0 and color_limit([image_map(np.zeros((3, 3)))]) == 1.0


def test_full_evidence_has_the_colour_of_its_sign_and_none_leaves_the_image() -> None:
    image = np.full(SIZE, 100, np.uint8)
    for grid, color in ((np.full((4, 6), 1.0), FOR), (np.full((4, 6), -1.0), AGAINST)):
        found = overlay(image, image_map(grid), limit=1e-6)
        expected = 100 * (1 - OPACITY) + np.array(color) * OPACITY
        assert found.shape == (*SIZE, 3) and np.abs(found - expected).max() <= 1
    np.testing.assert_array_equal(
        overlay(image, image_map(np.zeros((4, 6))), 1.0), np.repeat(image[..., None], 3, 2)
    )


def test_half_of_the_limit_has_half_of_the_colour() -> None:
    even = image_map(np.full((4, 6), 1.0))  # 24 in all: 0.24 per 1 % of the area
    found = overlay(np.zeros(SIZE, np.uint8), even, limit=0.48)
    np.testing.assert_allclose(found[20, 30], np.array(FOR) * OPACITY / 2, atol=5)


def test_outside_the_box_nothing_is_drawn() -> None:
    found = overlay(np.full(SIZE, 100, np.uint8), image_map(np.ones((4, 4)), Box(10, 20, 30, 50)), 1e-6)
    outside = np.ones(SIZE, bool)
    outside[10:30, 20:50] = False
    assert (found[outside] == 100).all() and (found[~outside] != 100).any(axis=1).all()


def test_a_map_that_is_not_to_be_believed_is_grey() -> None:
    found = overlay(np.full(SIZE, 100, np.uint8), image_map(np.ones((4, 6))), 1e-6, grey=True)
    assert (found == found[..., :1]).all() and found[0, 0, 0] == round(100 * 0.2 + 128 * 0.8)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int16])
def test_other_depths_are_shown_over_their_own_range(dtype: Any) -> None:
    image: Any = (
        np.linspace(-500 if dtype != np.uint16 else 10, 4000, SIZE[0] * SIZE[1]).reshape(SIZE).astype(dtype)
    )
    found = overlay(image, image_map(np.zeros((2, 2))), 1.0)
    assert found.min() == 0 and found.max() == 255
    flat = overlay(np.full(SIZE, 7, dtype), image_map(np.zeros((2, 2))), 1.0)
    assert not flat.any(), "an even image has no range"


@pytest.mark.parametrize("changes", [{}, {"offset": None}, {"sanity": "failed: as permuted labels"}])
def test_a_card_holds_the_image_twice_and_its_words(changes: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    card = draw_card(
        rng.integers(0, 255, SIZE).astype(np.uint8), image_map(rng.normal(size=(4, 6)), **changes), 0.5
    )
    assert card.width >= 2 * 360 and card.height > 240
    plain = np.asarray(card.convert("RGB"))
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) > 100
