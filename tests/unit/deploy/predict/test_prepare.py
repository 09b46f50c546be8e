"""From a file's bytes to the inputs of the network: as the bundle says, or refused with the reason."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from tests.planting.stored import jpeg, png

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.readers.limits import Limits
from headtohead.deploy.bundle.records import InputSpec, PreprocessorConfig, RecipeSpec
from headtohead.deploy.predict.prepare import Preprocessor
from headtohead.preprocess.recipe import get_recipe

NONE, FOREGROUND = (RecipeSpec.of(get_recipe(name)) for name in ("none", "foreground"))


def config(
    *inputs: InputSpec, recipes: tuple[RecipeSpec, ...] = (NONE,), **more: object
) -> PreprocessorConfig:
    return PreprocessorConfig.model_validate({"recipes": recipes, "inputs": inputs, **more})


def spec(side: int = 8, recipe: int = 0, mean: float = 0.5, std: float = 0.25) -> InputSpec:
    return InputSpec(input_size=side, recipe=recipe, mean=(mean,) * 3, std=(std,) * 3)


def grey(value: float, side: int = 8) -> Image:
    return Image(np.full((side, side), value, np.uint8), 8, "L", "PNG")


def test_pixels_are_scaled_and_standardised_by_hand() -> None:
    item = Preprocessor(config(spec())).from_image("a", grey(255), "x")
    (found,) = item.inputs
    assert found.shape == (3, 8, 8) and found.dtype == np.float32
    np.testing.assert_allclose(found, (1.0 - 0.5) / 0.25, atol=1e-6)
    np.testing.assert_allclose(Preprocessor(config(spec())).from_image("a", grey(0), "x").inputs[0], -2.0)


def test_each_channel_has_its_own_mean_and_spread() -> None:
    one = InputSpec(input_size=8, mean=(0.0, 0.25, 0.5), std=(1.0, 0.5, 0.25))
    rgb = Image(np.full((8, 8, 3), 255, np.uint8), 8, "RGB", "PNG")
    (found,) = Preprocessor(config(one)).from_image("a", rgb, "x").inputs
    np.testing.assert_allclose(found[:, 0, 0], [1.0, 1.5, 2.0], atol=1e-6)


def test_each_input_has_its_own_size_and_recipe() -> None:
    pixels = np.zeros((40, 60), np.uint8)
    pixels[10:30, 20:44] = np.random.default_rng(0).integers(120, 200, (20, 24))
    image = Image(pixels, 8, "L", "PNG")
    made = Preprocessor(config(spec(8, 1), spec(16, 0), recipes=(NONE, FOREGROUND)))
    item = made.from_image("a", image, "x")
    assert [one.shape for one in item.inputs] == [(3, 8, 8), (3, 16, 16)]
    assert item.box.area == 40 * 60, "the first recipe's, which keeps all"
    # cropped to the bright part, the first input is bright throughout; the second keeps the dark ground
    assert item.inputs[0].min() > -1.5 and item.inputs[1].min() == pytest.approx(-2.0)


def test_the_file_is_known_by_its_bytes_and_name() -> None:
    content = png(np.zeros((8, 8), np.uint8))[1]
    item = Preprocessor(config(spec())).from_bytes("dir/a.png", content)
    assert (item.name, item.sha256) == ("dir/a.png", sha256(content).hexdigest())
    assert item.image.format == "PNG" and item.box.area == 64


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_pixel_that_is_no_number_is_refused(value: float) -> None:
    pixels = np.zeros((8, 8), np.float32)
    pixels[3, 4] = value
    with pytest.raises(UnreadableError, match="it holds pixels that are not finite"):
        Preprocessor(config(spec())).from_image("a", Image(pixels, 32, "F", "TIFF"), "x")


def test_what_is_no_image_or_beyond_the_limits_is_refused() -> None:
    made = Preprocessor(config(spec()))
    with pytest.raises(UnreadableError):
        made.from_bytes("a.png", b"no image")
    with pytest.raises(UnreadableError, match="64"):
        made.from_bytes("a.png", png(np.zeros((8, 8), np.uint8))[1], Limits(pixels=63))


def test_a_model_of_chosen_channels_refuses_a_file_without_any() -> None:
    chosen = config(spec(), channels=(0, 2, 4))
    content = jpeg(np.zeros((8, 8, 3), np.uint8))[1]
    with pytest.raises(
        UnreadableError, match=r"trained on channels 0, 2, 4 \(from 0\).* this file, JPEG, has none"
    ):
        Preprocessor(chosen).from_bytes("a.jpg", content)
    known = config(spec(), channels=(0, 2, 4), plain_formats=("JPEG",))
    assert Preprocessor(known).from_bytes("a.jpg", content).image.format == "JPEG"
