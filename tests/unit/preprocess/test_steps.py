"""Each step on grey values against a second implementation in plain numpy, written from its definition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.preprocess import steps

Mask = npt.NDArray[np.bool_]


def random_grey(seed: int, shape: tuple[int, int] = (23, 31)) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_grey_is_bt601_luminance() -> None:
    colour = (np.random.default_rng(3).integers(0, 256, (20, 20, 3)) / 255).astype(np.float32)
    want = colour @ np.array([0.299, 0.587, 0.114]) * 255
    assert np.abs(steps.grey(colour).astype(float) - want).max() <= 1
    np.testing.assert_array_equal(steps.grey(colour[..., 0]), np.rint(colour[..., 0] * 255))


def test_gaussian_blur_is_the_convolution_with_the_stated_kernel() -> None:
    image = random_grey(4)
    line = np.array([1, 4, 6, 4, 1]) / 16
    padded = np.pad(image.astype(float), 2, mode="reflect")
    height, width = image.shape
    want = sum(line[i] * line[j] * padded[i : i + height, j : j + width] for i in range(5) for j in range(5))
    assert np.abs(steps.gaussian_blur(image, 5).astype(float) - want).max() <= 1


@pytest.mark.parametrize("seed", range(4))
def test_otsu_maximises_the_variance_between_classes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = rng.normal(60, 15, 600), rng.normal(170, 25, 300)
    image = np.clip(np.concatenate([low, high]), 0, 255).astype(np.uint8).reshape(30, 30)
    values = image.ravel().astype(float)

    def between(level: int) -> float:
        below = values <= level
        if below.all() or not below.any():
            return 0.0
        share = below.mean()
        return float(share * (1 - share) * (values[below].mean() - values[~below].mean()) ** 2)

    assert between(int(steps.otsu(image))) == pytest.approx(max(between(t) for t in range(256)))


def test_resize_cubic_is_the_stated_convolution() -> None:
    """Twice the size along columns, kernel of Keys (1981) with a = -0.75 as in OpenCV."""
    row = np.random.default_rng(5).random(16).astype(np.float32) * 0.5 + 0.25
    image = np.repeat(row[None], 8, axis=0)
    got = steps.resize_cubic(image, 8, 32)[4]

    def kernel(x: float) -> float:
        x, a = abs(x), -0.75
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    for out in range(6, 26):
        place = (out + 0.5) / 2 - 0.5
        want = sum(row[k] * kernel(place - k) for k in range(16))
        assert got[out] == pytest.approx(want, abs=1e-4)


def test_ground_level_reads_the_corners_and_forgives_one() -> None:
    image = np.full((100, 100), 20, np.uint8)
    image[20:80, 20:80] = 200
    image[:12, :12] = 255
    assert steps.background_level(image, 0.06) == (20.0, 20.0)


def test_to_unit_uses_the_window_then_percentiles_then_says_so() -> None:
    deep = np.linspace(0, 4000, 1001).reshape(7, 143)
    values, how = steps.to_unit(deep.astype(np.uint16), (1000.0, 3000.0))
    assert "stated by the file" in how
    np.testing.assert_allclose(values, np.clip((deep.astype(np.uint16) - 1000.0) / 2000.0, 0, 1), atol=1e-6)
    values, how = steps.to_unit(deep.astype(np.float64))
    low, high = np.percentile(deep, (0.5, 99.5))
    assert "percentiles" in how
    np.testing.assert_allclose(values, np.clip((deep - low) / (high - low), 0, 1), atol=1e-5)


def test_to_unit_survives_constant_and_broken_values() -> None:
    constant, how = steps.to_unit(np.full((4, 4), 7, np.int16))
    assert "constant" in how
    assert not constant.any()
    broken = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    broken[0, 5] = np.nan
    broken[3, 3] = np.inf
    values, how = steps.to_unit(broken)
    assert "non-finite" in how
    assert np.isfinite(values).all()
    assert values[0, 5] == 0
    nothing, how = steps.to_unit(np.full((3, 3), np.nan, np.float32))
    assert "empty" in how
    assert not nothing.any()
