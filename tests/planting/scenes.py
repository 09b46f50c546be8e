"""Synthetic images of four kinds of imaging; neighbouring seeds share nothing but their kind."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
SIDE = 200


def field(rng: np.random.Generator, width: float) -> npt.NDArray[np.float64]:
    """Return smooth noise, mean 0, variance 1."""
    noise = cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), (0, 0), width)
    return np.asarray((noise - noise.mean()) / noise.std())


def ellipse(height: float, width: float) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    return np.asarray((y / height) ** 2 + (x / width) ** 2 < 1)


def head(seed: int) -> Grey:
    """A slice: bright rim, folded tissue, dark ground, receiver noise."""
    rng = np.random.default_rng(seed)
    height, width = rng.uniform(0.36, 0.44), rng.uniform(0.30, 0.38)
    tissue = 110 + 25 * np.sign(field(rng, 5)) + 15 * field(rng, 2.5)
    ventricle = ellipse(rng.uniform(0.08, 0.14), rng.uniform(0.04, 0.1))
    inside = np.where(ventricle, 40 + 8 * field(rng, 2), tissue)
    image = np.where(ellipse(height - 0.03, width - 0.03), inside, np.where(ellipse(height, width), 210, 4))
    seen = cv2.GaussianBlur(image, (0, 0), 0.8) + rng.normal(0, 3, image.shape)
    return np.asarray(np.clip(seen, 0, 255), np.uint8)


def echo(seed: int) -> Grey:
    """An ultrasound fan with speckle, under the same letters and scale in every image."""
    rng = np.random.default_rng(1000 + seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    fan = (np.abs(x - SIDE / 2) < 0.15 * SIDE + 0.4 * y) & (y > 20) & (np.hypot(x - SIDE / 2, y) < 180)
    speckle = np.abs(field(rng, 1.2) + 1j * field(rng, 1.2)) * np.exp(0.6 * field(rng, 14))
    image = np.where(fan, np.clip(45 * speckle, 0, 255), 0).astype(np.uint8)
    for row, words in enumerate(("CLINIC A", "MI 1.1", "TIS 0.4")):
        cv2.putText(image, words, (4, 14 + 12 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.35, 200, 1)
    for tick in range(30, 180, 15):
        cv2.line(image, (192, tick), (198, tick), 180, 1)
    return image


def chest(seed: int) -> Grey:
    """A radiograph: lungs at the same place in every image, ribs, soft shadows, no dark ground."""
    rng = np.random.default_rng(2000 + seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    left, right = (np.exp(-((((x - at) / 0.13) ** 2 + ((y + 0.02) / 0.3) ** 2) ** 2)) for at in (-0.2, 0.2))
    lungs = left + right
    ribs = np.sin((y + rng.uniform(0.2, 0.6) * x**2 + rng.uniform(0, 0.1)) * rng.uniform(55, 75)) * lungs
    image = 170 - 100 * lungs + 14 * ribs + 9 * field(rng, 8) + 6 * field(rng, 2)
    return np.asarray(np.clip(image + rng.normal(0, 2, image.shape), 0, 255), np.uint8)


def tissue(seed: int) -> Grey:
    """A histology tile: cells all over, no ground."""
    rng = np.random.default_rng(3000 + seed)
    cells = np.maximum(field(rng, 2.5), field(rng, 3.5))
    image = 190 - 70 * (cells > 1.1) - 15 * field(rng, 6) - 6 * field(rng, 1)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


SCENES: dict[str, Callable[[int], Grey]] = {"head": head, "echo": echo, "chest": chest, "tissue": tissue}


def series(n: int, seed: int = 5) -> list[Grey]:
    """Slices through one smooth volume, each with noise of its own."""
    rng = np.random.default_rng(seed)
    volume = np.stack([cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), (0, 0), 6) for _ in range(n + 60)])
    along = np.exp(-0.5 * (np.arange(-24, 25) / 4.0) ** 2)
    volume = np.apply_along_axis(np.convolve, 0, volume, along, mode="same")[30 : 30 + n]
    volume = (volume - volume.mean()) / volume.std()
    inside = ellipse(0.42, 0.36)
    return [
        np.clip(np.where(inside, 115 + 45 * one, 3) + rng.normal(0, 3, one.shape), 0, 255).astype(np.uint8)
        for one in volume
    ]
