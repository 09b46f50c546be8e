"""Recipes are data: named, hashable, pure, with a history."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import UnknownNameError, UsageError
from headtohead.core.records import Box, Image
from headtohead.preprocess.foreground import foreground_mask
from headtohead.preprocess.recipe import RECIPES, Recipe, get_recipe, step

SQUARE = np.ones((3, 3), np.uint8)


def image(pixels: npt.NDArray[np.uint8], **facts: object) -> Image:
    return Image(pixels, 8, "L", "PNG", **facts)  # type: ignore[arg-type]


def head(height: int = 200, width: int = 160, level: int = 120) -> npt.NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    inside = ((y - height / 2) / (0.42 * height)) ** 2 + ((x - width / 2) / (0.4 * width)) ** 2 < 1
    noise = np.random.default_rng(0).normal(0, 4, (height, width))
    return np.clip(np.where(inside, level, 3) + noise, 0, 255).astype(np.uint8)


def test_digest_is_the_same_in_another_process_and_blind_to_the_name() -> None:
    code = "from headtohead.preprocess.recipe import get_recipe; print(get_recipe('foreground').digest())"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert said == get_recipe("foreground").digest()
    assert Recipe("other", get_recipe("classical").steps).digest() == get_recipe("classical").digest()
    assert len({recipe.digest() for recipe in RECIPES.values()}) == len(RECIPES)


def test_a_changed_number_changes_the_digest() -> None:
    steps = (step("threshold", level=45),)
    assert Recipe("a", steps).digest() != Recipe("a", (step("threshold", level=46),)).digest()
    assert Recipe("a", steps) == Recipe("a", (step("threshold", level=45),))
    assert len({Recipe("a", steps), Recipe("a", steps)}) == 1


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'foreground'"):
        get_recipe("forground")
    with pytest.raises(UnknownNameError, match="did you mean 'threshold'"):
        step("treshold", level=3)


def test_none_keeps_every_pixel() -> None:
    pixels = head()
    done = get_recipe("none").apply(image(pixels, history=("read",)))
    np.testing.assert_array_equal(done.pixels, pixels.astype(np.float32) / np.float32(255))
    assert done.box == Box(0, 0, 200, 160)
    assert done.history[0] == "read"


def test_classical_is_the_published_chain() -> None:
    """The chain in plain OpenCV calls, as the study's code runs it."""
    colour = np.repeat(head(level=90)[..., None], 3, axis=2)
    colour[60:80, 60:90, 0] = 250
    grey = cv2.GaussianBlur(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    mask = cv2.threshold(grey, 45, 255, cv2.THRESH_BINARY)[1]
    mask = cv2.dilate(cv2.erode(mask, SQUARE, iterations=2), SQUARE, iterations=2)
    contour = max(cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0], key=cv2.contourArea)[
        :, 0
    ]
    (left, top), (right, bottom) = contour.min(axis=0), contour.max(axis=0)
    done = get_recipe("classical").apply(image(colour))
    assert done.box == Box(top, left, bottom, right)
    np.testing.assert_array_equal(np.rint(done.pixels * 255), colour[top:bottom, left:right])


def test_the_crop_is_cut_from_the_untouched_image() -> None:
    pixels = head()
    before = pixels.copy()
    for name in ("none", "classical", "foreground-plain"):
        done = get_recipe(name).apply(image(pixels))
        np.testing.assert_array_equal(np.rint(done.pixels * 255), done.box.crop(pixels))
        assert done.pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, before)


def test_foreground_is_the_plain_crop_stretched_between_percentiles_of_the_subject() -> None:
    pixels = head(level=90)
    plain, done = (
        get_recipe("foreground-plain").apply(image(pixels)),
        get_recipe("foreground").apply(image(pixels)),
    )
    assert done.box == plain.box
    low, high = np.percentile(pixels[foreground_mask(pixels)] / 255, (0.5, 99.5))
    np.testing.assert_allclose(done.pixels, np.clip((plain.pixels - low) / (high - low), 0, 1), atol=1e-5)
    assert any("contrast stretched" in line for line in done.history)
    brighter = get_recipe("foreground").apply(image((pixels * 1.5).astype(np.uint8)))
    assert np.abs(brighter.pixels - done.pixels).mean() < 0.03


def test_a_dark_image_keeps_its_whole_and_says_so() -> None:
    for name in ("classical", "foreground"):
        done = get_recipe(name).apply(image(np.full((40, 50), 3, np.uint8)))
        assert done.box == Box(0, 0, 40, 50)
        assert any("whole image kept" in line or "not darker" in line for line in done.history)


def test_resize_is_followed_back_to_the_original_pixels() -> None:
    pixels = np.zeros((200, 400), np.uint8)
    pixels[50:151, 100:301] = 200
    recipe = Recipe("study", (step("resize", height=100, width=100), *get_recipe("classical").steps))
    done = recipe.apply(image(pixels))
    assert abs(done.box.top - 50) <= 4
    assert abs(done.box.bottom - 150) <= 4
    assert abs(done.box.left - 100) <= 8
    assert abs(done.box.right - 300) <= 8
    assert max(done.pixels.shape) <= 100
    final = Recipe("r", (*get_recipe("classical").steps, step("resize", height=32, width=48))).apply(
        image(pixels)
    )
    assert final.pixels.shape == (32, 48)
    assert final.box == get_recipe("classical").apply(image(pixels)).box


def test_the_window_of_the_file_is_used() -> None:
    deep = head().astype(np.uint16) * 100
    done = get_recipe("none").apply(Image(deep, 16, "I;16", "DICOM", window=(0.0, 25500.0)))
    np.testing.assert_allclose(done.pixels, head() / 255.0, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (4,), (4, 4, 4), (4, 4, 1), (2, 4, 4, 3)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="expected"):
        get_recipe("none").apply(Image(np.zeros(shape, np.uint8), 8, "L", "PNG"))


def test_images_of_a_pixel_survive_every_recipe() -> None:
    for name in RECIPES:
        for shape in [(1, 1), (1, 9), (2, 2), (3, 40, 3), (5, 1)]:
            for level in (0, 128, 255):
                done = get_recipe(name).apply(image(np.full(shape, level, np.uint8)))
                assert done.box.area > 0
                assert done.pixels.size > 0
