"""Near copies: smaller, recompressed and turned ones are recognised, other images of the same kind are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow
from tests.planting.trained_model import data_folder

from headtohead.core.records import Image
from headtohead.data.readers import read_image
from headtohead.deploy.guard.copies import (
    MOST_DIFFERENT,
    TrainingPrints,
    copied,
    copy_limit,
    difference,
    nearest_of_others,
    print_of,
)


@pytest.fixture(scope="module")
def images() -> list[Image]:
    return [read_image(path.read_bytes()) for path in sorted(data_folder().glob("*/*.bmp"))]


@pytest.fixture(scope="module")
def known(images: list[Image]) -> TrainingPrints:
    rows = np.stack([print_of(image) for image in images[:30]])
    limit, alarms = copy_limit(nearest_of_others(rows, np.arange(30)))
    assert 10 < limit <= MOST_DIFFERENT and alarms <= 0.01
    return TrainingPrints(rows[:, 0], limit)


def grey(pixels: np.ndarray) -> Image:
    return Image(np.ascontiguousarray(pixels), 8, "L", "PNG")


def test_copies_are_recognised_and_others_are_not(images: list[Image], known: TrainingPrints) -> None:
    assert all(known.holds(copied(image)) for image in images[:30])
    assert not any(known.holds(image) for image in images[30:])


@pytest.mark.parametrize("turn", [
    Pillow.Transpose.FLIP_LEFT_RIGHT, Pillow.Transpose.FLIP_TOP_BOTTOM, Pillow.Transpose.ROTATE_90,
    Pillow.Transpose.ROTATE_180, Pillow.Transpose.ROTATE_270, Pillow.Transpose.TRANSPOSE, Pillow.Transpose.TRANSVERSE,
])  # fmt: skip
def test_turned_copies_are_recognised(
    images: list[Image], known: TrainingPrints, turn: Pillow.Transpose
) -> None:
    turned = grey(np.asarray(Pillow.fromarray(images[4].pixels).transpose(turn)))
    assert known.holds(copied(turned))


def test_a_copy_with_another_border_is_recognised_by_its_foreground(
    images: list[Image], known: TrainingPrints
) -> None:
    framed = np.pad(images[7].pixels, ((30, 4), (2, 40)), constant_values=18)
    assert known.holds(grey(framed))


def test_a_blank_image_resembles_nothing(images: list[Image]) -> None:
    blank = print_of(grey(np.full((40, 40), 7, np.uint8)))
    prints = np.stack([blank[0], print_of(images[0])[0]])
    assert not blank.any()
    assert difference(blank, prints).min() > MOST_DIFFERENT
    assert difference(print_of(images[0]), prints).tolist()[1] == 0


def test_no_limit_takes_different_images_for_copies() -> None:
    assert copy_limit(np.full(50, 3)) == (2, 0.0)
    assert copy_limit(np.array([3, *[60] * 99])) == (MOST_DIFFERENT, 0.01)
    assert not TrainingPrints(np.zeros((0, 2, 32), np.uint8), 9).holds(grey(np.eye(20, dtype=np.uint8)))


def signs(*changed: int) -> npt.NDArray[np.uint8]:
    """Return the hashes of both views, 256 signs each, of which some are turned over in both."""
    bits = np.tile(np.arange(256) % 2, (2, 1)).astype(np.uint8)
    bits[:, list(changed)] ^= 1
    return np.packbits(bits, axis=1)


def turned(*changed: int) -> npt.NDArray[np.uint8]:
    """Return an image whose other turns differ from all that is known in half of the signs."""
    far = signs(*range(0, 256, 4), *range(1, 256, 4))
    return np.stack([signs(*changed), *[far] * 7])


def test_differing_signs_are_counted() -> None:
    known = np.stack([signs(), signs(3), signs(*range(40))])
    assert difference(turned(), known).tolist() == [0, 1, 40]
    assert difference(turned(3, 200), known).tolist() == [2, 1, 40]


def test_the_view_and_the_turn_that_differ_least_count() -> None:
    known = np.stack([signs(*range(30))])
    one = turned(*range(100))
    one[5, 0] = signs(*range(28))[0]  # the whole image, turned
    assert difference(one, known).tolist() == [2]
    one = turned(*range(100))
    one[0, 1] = signs(*range(29))[1]  # the foreground alone
    assert difference(one, known).tolist() == [1]


def test_a_view_without_contrast_resembles_nothing() -> None:
    known = np.stack([signs(), signs()])
    known[0] = 0
    assert difference(turned(), known).tolist() == [256, 0]
    known[1, 0] = 0
    assert difference(turned(), known).tolist() == [256, 0], "the other view still counts"
    assert difference(np.zeros((8, 2, 32), np.uint8), known).tolist() == [256, 256]
    assert difference(turned(), known[:0]).shape == (0,)


def test_the_nearest_of_another_group_is_found() -> None:
    images = np.stack([turned(), turned(1), turned(*range(9)), turned(*range(20))])
    assert nearest_of_others(images, np.array([0, 0, 1, 2])).tolist() == [9, 8, 8, 11]
    assert nearest_of_others(images, np.zeros(4)).tolist() == [256] * 4, "of one group there is no other"


def test_the_limit_lets_no_more_than_the_share_pass() -> None:
    apart = np.array([5, 10, 10, 40] + [90] * 96)
    for share in (0.0, 0.01, 0.02, 0.03, 0.5, 1.0):
        limit, passing = copy_limit(apart, share)
        assert passing == np.mean(apart <= limit) <= share and limit <= 24
    assert copy_limit(apart, 0.01) == (9, 0.01), "two images at 10 would be one too many"


@pytest.mark.parametrize("limit", [0, 3])
def test_a_copy_differs_by_the_limit_at_most(limit: int, images: list[Image]) -> None:
    prints = print_of(images[0])[:1]
    flipped = prints.copy()
    flipped[0, :, 0] ^= 0b10101000  # three signs of each view
    assert bool(TrainingPrints(flipped, limit).holds(images[0])) is (limit == 3)
    assert not TrainingPrints(prints[:0], 256).holds(images[0])
