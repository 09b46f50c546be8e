"""From tissue to an image file's pixels: contrast, coil, noise, field of view, screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.data.demo.anatomy import SIDE, HeadPhantom, smooth_noise
from headtohead.data.demo.lesion import Blob

__all__ = ["CONTRASTS", "AcquisitionParams", "acquire_image", "framed", "paint", "sample_acquisition"]

Floats = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]

CONTRASTS = ("T1", "T1ce", "T2", "FLAIR")
CONTRAST_SHARES = (0.12, 0.28, 0.28, 0.32)  # a mixture of sequences, as public sets have
# Brightness of white matter, grey matter, fluid, bone, scalp.
TISSUES = {
    "T1": (0.74, 0.52, 0.12, 0.08, 0.90),
    "T1ce": (0.50, 0.40, 0.12, 0.08, 0.85),
    "T2": (0.28, 0.42, 0.90, 0.05, 0.42),
    "FLAIR": (0.36, 0.46, 0.10, 0.05, 0.50),
}


def paint(rng: np.random.Generator, head: HeadPhantom, contrast: str, blots: tuple[Blob, ...]) -> Floats:
    """Return the noiseless image in [0, 1] on the canvas, (SIDE, SIDE)."""
    levels = np.clip(np.array(TISSUES[contrast]) * rng.uniform(0.85, 1.15, 5), 0.02, 1)
    brain = head.white * levels[0] + head.grey * levels[1] + head.fluid * levels[2]
    brain = brain * (1 + 0.04 * smooth_noise(rng, 3))
    for blot in blots:
        amount = blot.amount * (head.brain > 0.3)  # a finding ends where the brain does
        texture = 1 + 0.10 * smooth_noise(rng, 2.5)
        brain = brain + amount * (blot.brightness * texture - brain)
    scalp = head.scalp * levels[4] * (1 + 0.15 * smooth_noise(rng, 6))
    return np.asarray(np.clip(brain + head.skull * levels[3] + scalp, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class AcquisitionParams:
    """How an image is acquired and displayed.

    Attributes:
        height, width: of the image, in pixels.
        zoom: image pixels per canvas pixel.
        shift: (down, right) of the head's centre, in image pixels.
        blur: standard deviation of the point spread, in canvas pixels.
        noise: standard deviation of the noise in each quadrature channel, in units of full brightness.
        bias: strength of the coil's shading.
        gamma, gain: of the display.
    """

    height: int
    width: int
    zoom: float
    shift: tuple[float, float]
    blur: float
    noise: float
    bias: float
    gamma: float
    gain: float


def sample_acquisition(rng: np.random.Generator, large: bool) -> AcquisitionParams:
    """Draw a view.

    Args:
        large: take sizes from the upper of two overlapping ranges (the planted file-fact confound).
    """
    side = float(rng.normal(340, 60) if large else rng.normal(270, 50))
    side = float(np.clip(side, 170, 520))
    aspect = float(rng.uniform(0.8, 1.1))
    height, width = round(side), max(140, round(side * aspect))
    zoom = min(height, width) / SIDE * float(rng.uniform(1.0, 1.22))
    shift = rng.uniform(-0.03, 0.03, 2) * side
    return AcquisitionParams(
        height,
        width,
        zoom,
        (float(shift[0]), float(shift[1])),
        float(rng.uniform(0.3, 1.1)),
        float(rng.uniform(0.01, 0.05)),
        float(rng.uniform(0.0, 0.18)),
        float(rng.uniform(0.8, 1.25)),
        float(rng.uniform(0.8, 1.1)),
    )


def acquire_image(
    rng: np.random.Generator, canvas: Floats, view: AcquisitionParams
) -> tuple[Grey, npt.NDArray[np.float64]]:
    """Return the image, and the (2, 3) matrix from canvas (column, row, 1) to its pixels.

    The noise of a magnitude image is Rician: the modulus of signal plus complex Gaussian noise
    (Gudbjartsson and Patz, 1995).
    """
    import cv2

    matrix = np.array([[view.zoom, 0, 0], [0, view.zoom, 0]], np.float64)
    matrix[:, 2] = (view.width - 1) / 2 + view.shift[1], (view.height - 1) / 2 + view.shift[0]
    matrix[:, 2] -= view.zoom * (SIDE - 1) / 2  # the centre of the canvas, which spans SIDE - 1 steps
    # the sensitivity of a coil varies smoothly and multiplies the signal
    shaded = canvas * np.exp(view.bias * smooth_noise(rng, 70))
    # before the noise, which the receiver adds and no point spread smooths
    soft = cv2.GaussianBlur(np.asarray(shaded, np.float32), (0, 0), view.blur)
    image = cv2.warpAffine(soft, matrix, (view.width, view.height), flags=cv2.INTER_LINEAR)
    noise = view.noise * rng.standard_normal((2, view.height, view.width))
    magnitude = np.hypot(image + noise[0], noise[1])
    displayed = np.clip(view.gain * magnitude, 0, 1) ** view.gamma
    return np.rint(255 * displayed).astype(np.uint8), matrix


def framed(image: Grey, pixels: int) -> Grey:
    """Return the image inside a white frame, as a page or a slide leaves it."""
    return np.pad(image, pixels, constant_values=255)
