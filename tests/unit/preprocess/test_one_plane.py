"""Grey images stored in colour are worked on as one plane, and only what is kept is stretched: the same digits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.audit.duplicates.fingerprint import fingerprint, to_grey
from headtohead.core.records import Image
from headtohead.preprocess import steps
from headtohead.preprocess.foreground import foreground_and_mask, foreground_box
from headtohead.preprocess.recipe import MASK_STEPS, RECIPES, Recipe, get_recipe, step

U8 = npt.NDArray[np.uint8]


def scan(seed: int, height: int = 150, width: int = 170) -> U8:
    """Return a bright ellipse with texture on a dark ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    inside = (y / rng.uniform(0.6, 0.9)) ** 2 + (x / rng.uniform(0.5, 0.9)) ** 2 < 1
    plane = np.where(inside, 90 + 40 * np.sin(9 * y + 5 * x), 6) + rng.normal(0, 6, y.shape)
    return np.asarray(np.clip(plane, 0, 255), np.uint8)


def in_colour(plane: U8) -> Image:
    return Image(np.repeat(plane[..., None], 3, axis=2), 8, "RGB", "PNG")


@pytest.mark.parametrize("name", sorted(RECIPES))
@pytest.mark.parametrize("seed", range(4))
def test_one_plane_gives_the_digits_of_three(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    image, recipe = in_colour(scan(seed)), get_recipe(name)
    quick, plane = recipe.apply(image), recipe.apply(image, as_plane=True)
    monkeypatch.setattr(steps, "one_plane", lambda pixels: pixels)
    whole = recipe.apply(image)
    assert quick.pixels.shape == whole.pixels.shape and plane.pixels.ndim == 2
    np.testing.assert_array_equal(quick.pixels, whole.pixels)
    np.testing.assert_array_equal(plane.pixels, whole.pixels[..., 2])
    assert quick.history == plane.history == whole.history and quick.box == whole.box


def test_colour_is_never_taken_for_grey() -> None:
    pixels = np.array(in_colour(scan(1)).pixels)
    pixels[40, 50, 2] += 1
    image = Image(pixels, 8, "RGB", "PNG")
    assert steps.one_plane(pixels) is pixels
    assert get_recipe("foreground").apply(image, as_plane=True).pixels.ndim == 3


@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_a_stretch_before_the_cut_equals_one_of_the_whole_image(margin: float) -> None:
    image = Image(scan(2), 8, "L", "PNG")
    cut = step("crop", margin=margin)
    done = Recipe("cut", (*MASK_STEPS, step("stretch", low=0.5, high=99.5), cut)).apply(image)
    only = Recipe("stretched", (*MASK_STEPS, step("stretch", low=0.5, high=99.5))).apply(image)
    box = done.box
    assert box.area < image.pixels.size
    top, left = box.top - only.box.top, box.left - only.box.left
    expected = only.pixels[top : top + done.pixels.shape[0], left : left + done.pixels.shape[1]]
    np.testing.assert_array_equal(done.pixels, expected)
    assert [one.split()[0] for one in done.history[-2:]] == ["contrast", "cut"]


@given(
    st.lists(st.integers(0, 255), min_size=1, max_size=60),
    st.sampled_from([0.0, 0.5, 25.0, 50.0, 99.5, 100.0]),
)
@settings(max_examples=80, deadline=None)
def test_percentiles_of_repeated_values_are_numpys(values: list[int], percent: float) -> None:
    one = np.array(values, np.float32) / np.float32(255)
    # As the recipe asks, with several percents: numpy takes a single one in the values' own float32.
    expected = float(np.percentile(np.repeat(one, 3), (percent,))[0])
    assert np.float32(steps.percentiles(one, (percent,), 3)[0]) == np.float32(expected)


@pytest.mark.parametrize("seed", range(3))
def test_grey_and_foreground_do_not_depend_on_the_planes(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    image = in_colour(scan(seed))
    grey = to_grey(image)
    box, mask, history = foreground_and_mask(image.pixels)
    prints = fingerprint(image, grey, box)
    monkeypatch.setattr(steps, "one_plane", lambda pixels: pixels)
    np.testing.assert_array_equal(to_grey(image), grey)
    again = foreground_and_mask(image.pixels)
    assert (again[0], again[2]) == (box, history) and foreground_box(image.pixels)[0] == box
    np.testing.assert_array_equal(again[1], mask)
    np.testing.assert_array_equal(fingerprint(image, grey), prints)
