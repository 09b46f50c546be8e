"""What `to_network_input` does to an image, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.features.input_transform import normalise, resize, resize_to_input, to_network_input
from headtohead.core.errors import UsageError

RECORD = resolve("efficientnet-lite0")
SMALL = with_input_size(RECORD, 64)


def _image(
    height: int, width: int, channels: int = 0, seed: int = 0
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([0, 3]), st.sampled_from(["squash", "pad"]))
def test_any_image_comes_out_normalised(height: int, width: int, channels: int, aspect: str) -> None:
    out = to_network_input(_image(height, width, channels), SMALL, aspect=aspect)  # type: ignore[arg-type]
    assert out.shape == (3, 64, 64)
    assert out.dtype == np.float32
    assert out.flags.c_contiguous
    assert (np.abs(out) <= 1.0).all()  # (x - 0.5) / 0.5 of x in [0, 1]


@pytest.mark.parametrize("size", [(64, 64), (31, 80), (200, 130)])
def test_resize_agrees_with_torch(size: tuple[int, int]) -> None:
    image = _image(97, 121)
    tensor = torch.from_numpy(image)[None, None]
    for mode in ("bicubic", "bilinear"):
        other = torch.nn.functional.interpolate(tensor, size=size, mode=mode, antialias=True)[0, 0].clamp(
            0, 1
        )
        np.testing.assert_allclose(resize(image, size, mode), other.numpy(), atol=2e-5)


def test_grey_is_repeated_and_normalised_per_channel() -> None:
    record = with_input_size(resolve("dinov2-small"), 56)
    out = to_network_input(np.full((20, 30), 0.25, np.float32), record)
    expected = (0.25 - np.array(record.mean)) / np.array(record.std)
    np.testing.assert_allclose(out.mean(axis=(1, 2)), expected, rtol=1e-5)
    grey, colour = _image(20, 30), np.repeat(_image(20, 30)[..., None], 3, axis=2)
    np.testing.assert_array_equal(to_network_input(grey, record), to_network_input(colour, record))


def test_pad_keeps_the_aspect_and_squash_does_not() -> None:
    wide = np.ones((16, 64), np.float32)
    padded = resize_to_input(wide, SMALL, aspect="pad")
    assert padded[24:40].min() == 1.0
    assert padded[:24].max() == padded[40:].max() == 0.0
    assert resize_to_input(wide, SMALL).min() == 1.0


def test_fit_to_is_unit_then_normalise() -> None:
    image = _image(40, 50, 3)
    np.testing.assert_array_equal(
        to_network_input(image, SMALL), normalise(resize_to_input(image, SMALL), SMALL)
    )


def test_nothing_at_the_edge_is_cut_off() -> None:
    image = np.zeros((128, 128), np.float32)
    image[:, :2] = 1.0
    assert resize_to_input(image, SMALL)[:, 0].min() > 0.9


def test_the_right_size_is_left_alone() -> None:
    image = _image(64, 64)
    np.testing.assert_array_equal(resize_to_input(image, SMALL), image)


@pytest.mark.parametrize("shape", [(0, 5), (5, 5, 4), (5,), (2, 5, 5, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="shape"):
        to_network_input(np.zeros(shape, np.float32), SMALL)


def test_values_that_are_not_finite_are_refused() -> None:
    image = _image(5, 5)
    image[0, 0] = np.nan
    with pytest.raises(UsageError, match="not finite"):
        to_network_input(image, SMALL)


def test_unknown_aspect_is_refused() -> None:
    with pytest.raises(UsageError, match="'squash' or 'pad'"):
        to_network_input(_image(5, 5), SMALL, aspect="stretch")  # type: ignore[arg-type]
