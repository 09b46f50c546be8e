"""How much of the subject a crop loses and how much else it keeps; and measures of images that cannot be read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.planting.summaries import summary

from headtohead.audit.descriptors import image_pass
from headtohead.audit.descriptors.image_pass import Foreground, ImageSummaries, summarise_image
from headtohead.core.errors import UnreadableError
from headtohead.core.records import Box, Image
from headtohead.preprocess import foreground

GREY = np.zeros((100, 100), np.uint8)
MASK = np.zeros((100, 100), bool)
MASK[20:60, 20:60] = True
BOX = Box(20, 20, 60, 60)


def compared(cut: Box | None, box: Box | None = BOX, mask: Any = MASK) -> dict[str, float]:
    return image_pass._compare_boxes(GREY, box, mask, cut)


def test_a_crop_on_the_subject_loses_and_keeps_nothing() -> None:
    assert compared(BOX) == {"foreground": 0.16, "crop_lost": 0.0, "crop_other": 0.0}


def test_shares_are_of_the_subject_and_of_the_crop() -> None:
    half = compared(Box(20, 20, 40, 60))
    assert half["crop_lost"] == pytest.approx(0.5) and half["crop_other"] == 0.0
    wide = compared(Box(0, 20, 80, 60))
    assert wide["crop_lost"] == 0.0 and wide["crop_other"] == pytest.approx(0.5)
    beside = compared(Box(10, 50, 50, 70))
    assert beside["crop_lost"] == pytest.approx(1 - 30 * 10 / 1600)
    assert beside["crop_other"] == pytest.approx(1 - 30 * 10 / 800)


def test_pixels_of_the_mask_count_and_not_the_corners_of_its_box() -> None:
    y, x = np.mgrid[:100, :100]
    disc = (y - 40) ** 2 + (x - 40) ** 2 < 20**2
    corner = Box(24, 24, 56, 56)  # cuts little of the disc, a third of the box
    assert compared(corner, Box(21, 21, 60, 60), disc)["crop_lost"] < 0.25


def test_without_subject_or_crop_nothing_is_known() -> None:
    nothing = compared(BOX, None, None)
    assert all(np.isnan(value) for value in nothing.values()) and len(nothing) == 3
    assert np.isnan(compared(BOX, BOX, np.zeros_like(MASK))["crop_lost"])
    uncropped = compared(None)
    assert uncropped["foreground"] == 0.16 and np.isnan(uncropped["crop_lost"])


def test_a_recipe_that_gives_up_leaves_a_note_and_whole_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise UnreadableError("no subject")

    # by module: the package has a function named `preprocess`, too
    monkeypatch.setattr(foreground, "foreground_and_mask", refuse)
    pixels = np.random.default_rng(0).integers(0, 256, (80, 70)).astype(np.uint8)
    image = Image(pixels, 8, "L", "PNG", (0.5, 0.7), (), {"exif_orientation": "6"})
    found = summarise_image("a", image)
    assert (found.foreground, found.foreground_note) == (None, "no subject")
    assert np.isnan(found.values["crop_lost"]) and np.isnan(found.values["glyphs"])
    assert (found.height, found.width, found.spacing_mm) == (80, 70, (0.5, 0.7))
    assert dict(found.facts) == {"exif_orientation": "6"} and found.scene.dtype == np.float16


def test_a_known_subject_is_used_and_the_classical_crop_is_left_out_on_demand() -> None:
    pixels = np.where(MASK, 200, 5).astype(np.uint8)
    image = Image(pixels, 8, "L", "PNG")
    known = summarise_image("a", image, classical=False, foreground=Foreground(BOX, MASK, "known"))
    assert known.foreground == BOX and known.classical is None and known.foreground_note == "known"
    assert known.values["ground"] == pytest.approx(5 / 255)
    assert summarise_image("a", image).classical is not None


def test_rows_of_images_that_cannot_be_read_are_noughts_and_stay_in_place() -> None:
    first = summary("a", {"mean": 0.1}, border=np.full(60, 7, np.uint8))
    third = summary("c", {"mean": 0.3}, border=np.full(60, 9, np.uint8))
    images = ImageSummaries((first, None, third), {"b": "truncated"})
    assert images.stack("border")[:, 0].tolist() == [7.0, 0.0, 9.0]
    assert images.value("mean").tolist() == [0.1, 0.3] and [one.id for one in images.read] == ["a", "c"]
    assert images.stack("thumbnail").shape == (3, 256)
    assert ImageSummaries((None,), {"b": "gone"}).stack("border").shape == (1, 0)
