"""Near copies: smaller, recompressed and turned ones are recognised, other images of the same kind are not."""

from __future__ import annotations

import numpy as np
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
