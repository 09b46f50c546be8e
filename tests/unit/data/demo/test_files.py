"""Altered copies of the demonstration images: pixels and lesion boxes stay together."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from headtohead.data.demo.files import encode, make_copy


def marked(box: list[int]) -> np.ndarray:
    image = np.zeros((120, 100), np.uint8)
    image[box[0] : box[2], box[1] : box[3]] = 255
    return image


@pytest.mark.parametrize("kind", ["recompressed", "rescaled", "re-cropped"])
@pytest.mark.parametrize("seed", range(5))
def test_the_box_follows_the_lesion(kind: str, seed: int) -> None:
    box = [40, 30, 70, 60]
    pixels, quality, moved = make_copy(np.random.default_rng(seed), marked(box), kind, box)
    rows, columns = np.nonzero(pixels > 127)
    assert moved is not None and 1 <= quality <= 100
    actual = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
    assert np.abs(np.subtract(actual, moved)).max() <= 1
    assert (pixels.shape == (120, 100)) == (kind == "recompressed")


def test_a_box_that_is_cropped_away_stays_inside_the_image() -> None:
    box = [0, 0, 4, 3]
    pixels, _, moved = make_copy(np.random.default_rng(1), marked(box), "re-cropped", box)
    assert moved is not None
    assert 0 <= moved[0] <= moved[2] <= pixels.shape[0] and 0 <= moved[1] <= moved[3] <= pixels.shape[1]
    assert make_copy(np.random.default_rng(1), marked(box), "rescaled", None)[2] is None


def test_png_is_lossless_and_jpeg_quality_counts() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    png = cv2.imdecode(np.frombuffer(encode(image, ".png"), np.uint8), cv2.IMREAD_UNCHANGED)
    assert png is not None and np.array_equal(png, image)
    assert len(encode(image, ".jpg", 30)) < len(encode(image, ".jpg", 95))
