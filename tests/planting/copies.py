"""Every way in which one image becomes another file that shows the same: name -> what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from tests.planting import stored
from tests.planting.scenes import field
from tests.planting.stored import File

Pixels = npt.NDArray[Any]
Copy = Callable[[Pixels], File]


def clipped(values: npt.NDArray[Any]) -> Pixels:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def resized(p: Pixels, across: float, down: float | None = None) -> Pixels:
    how = cv2.INTER_AREA if across < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(p, None, fx=across, fy=down or across, interpolation=how), np.uint8)


def cropped(p: Pixels, share: float) -> Pixels:
    """Cut a share of each side away, so that (1 - 2 x share) of height and width is left."""
    height, width = (round(share * side) for side in p.shape[:2])
    return p[height : p.shape[0] - height, width : p.shape[1] - width]


def turned(p: Pixels, angle: float) -> Pixels:
    matrix = cv2.getRotationMatrix2D((p.shape[1] / 2, p.shape[0] / 2), angle, 1)
    return np.asarray(cv2.warpAffine(p, matrix, p.shape[::-1]), np.uint8)


def shifted(p: Pixels, right: int, down: int) -> Pixels:
    matrix = np.array([[1.0, 0, right], [0, 1.0, down]])
    return np.asarray(cv2.warpAffine(p, matrix, p.shape[::-1]), np.uint8)


def gamma(p: Pixels, power: float) -> Pixels:
    return clipped(255 * (p / 255.0) ** power)


def contrast(p: Pixels, slope: float) -> Pixels:
    return clipped((p.astype(float) - 90) * slope + 90)


def lettered(p: Pixels) -> Pixels:
    return np.asarray(cv2.putText(p.copy(), "L 12.03", (6, 190), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2))


def arrow(p: Pixels) -> Pixels:
    return np.asarray(cv2.arrowedLine(p.copy(), (30, 30), (85, 80), 255, 3))


def red_arrow(p: Pixels) -> Pixels:
    return np.asarray(cv2.arrowedLine(np.dstack([p] * 3), (30, 30), (85, 80), (255, 20, 20), 3))


def blacked_out(p: Pixels) -> Pixels:
    out = p.copy()
    out[:30, :70] = 0
    return out


def watermark(p: Pixels) -> Pixels:
    layer = cv2.putText(np.zeros_like(p), "SAMPLE", (20, 115), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 255, 3)
    return clipped(p + 0.25 * layer)


def own_rng(p: Pixels) -> np.random.Generator:
    """Return a generator that depends on the image, so that no two are struck alike."""
    return np.random.default_rng(int(p.sum(dtype=np.int64)))


def noisy(p: Pixels, spread: float) -> Pixels:
    return clipped(p + own_rng(p).normal(0, spread, p.shape))


def salted(p: Pixels) -> Pixels:
    chance = own_rng(p).random(p.shape)
    return np.where(chance < 0.01, 0, np.where(chance > 0.99, 255, p)).astype(np.uint8)


def shaded(p: Pixels) -> Pixels:
    """Lay a smooth field over the image, as a receiver coil does."""
    smooth = cv2.resize(field(own_rng(p), 30), p.shape[::-1])
    return clipped(p * (1 + 0.15 * smooth))


def sharpened(p: Pixels) -> Pixels:
    return clipped(2.0 * p - cv2.GaussianBlur(p, (0, 0), 1.5).astype(float))


def equalised_locally(p: Pixels) -> Pixels:
    return np.asarray(cv2.createCLAHE(2.0, (8, 8)).apply(p))


def bent(p: Pixels) -> Pixels:
    """Warp by a smooth field of up to about 4 pixels, as an elastic augmentation does."""
    rng = own_rng(p)
    y, x = np.mgrid[: p.shape[0], : p.shape[1]].astype(np.float32)
    dx, dy = (cv2.resize(field(rng, 16), p.shape[::-1]).astype(np.float32) * 2 for _ in range(2))
    return np.asarray(cv2.remap(p, x + dx, y + dy, cv2.INTER_LINEAR))


def from_the_side(p: Pixels) -> Pixels:
    """Show the image in perspective, as a photograph of a screen does."""
    height, width = p.shape
    to = np.array([[10, 4], [width - 4, 12], [width - 12, height - 8], [5, height - 3]], np.float32)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return np.asarray(cv2.warpPerspective(p, cv2.getPerspectiveTransform(corners, to), (width, height)))


def brownish(p: Pixels) -> Pixels:
    return clipped(np.dstack([p] * 3) * np.array([1.0, 0.9, 0.75]) + [14, 6, 0])


def _png(change: Callable[[Pixels], Pixels]) -> Copy:
    return lambda p: stored.png(change(p))


SIZES: dict[str, Copy] = {
    "60 % of the size": _png(lambda p: resized(p, 0.6)),
    "a third of the size": _png(lambda p: resized(p, 0.34)),
    "enlarged 1.7 times": _png(lambda p: resized(p, 1.7)),
    "squashed to 80 % height": _png(lambda p: resized(p, 1.0, 0.8)),
    "5 % cropped off each side": _png(lambda p: cropped(p, 0.05)),
    "10 % cropped off each side": _png(lambda p: cropped(p, 0.10)),
    "15 % cropped off each side": _png(lambda p: cropped(p, 0.15)),
    "25 % cropped off each side": _png(lambda p: cropped(p, 0.25)),
    "cropped at one corner": _png(lambda p: p[: int(0.8 * len(p)), : int(0.8 * len(p))]),
    "padded with black": _png(lambda p: np.pad(p, ((0, 0), (40, 40)))),
    "padded with white": _png(lambda p: np.pad(p, ((0, 0), (40, 40)), constant_values=255)),
}
TONES: dict[str, Copy] = {
    "gamma 0.6": _png(lambda p: gamma(p, 0.6)),
    "gamma 1.6": _png(lambda p: gamma(p, 1.6)),
    "more contrast": _png(lambda p: contrast(p, 1.5)),
    "less contrast": _png(lambda p: contrast(p, 0.5)),
    "brighter": _png(lambda p: clipped(p.astype(float) + 40)),
    "inverted": _png(lambda p: 255 - p),
    "histogram equalised": _png(lambda p: np.asarray(cv2.equalizeHist(p))),
    "equalised locally (CLAHE)": _png(equalised_locally),
    "32 grey values": _png(lambda p: p // 8 * 8),
    "smooth shading": _png(shaded),
    "tinted": _png(brownish),
}
DETAIL: dict[str, Copy] = {
    "JPEG quality 90": lambda p: stored.jpeg(p, 90),
    "JPEG quality 50": lambda p: stored.jpeg(p, 50),
    "JPEG quality 30": lambda p: stored.jpeg(p, 30),
    "WebP, lossy": lambda p: stored.pillow(p, ".webp", "WEBP", quality=60),
    "blurred": _png(lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 1.2))),
    "median filtered": _png(lambda p: np.asarray(cv2.medianBlur(p, 3))),
    "sharpened": _png(sharpened),
    "noise": _png(lambda p: noisy(p, 8)),
    "salt and pepper": _png(salted),
}
MARKS: dict[str, Copy] = {
    "white frame": _png(lambda p: np.pad(p, 16, constant_values=255)),
    "letters": _png(lettered),
    "arrow": _png(arrow),
    "red arrow": _png(red_arrow),
    "a corner blacked out": _png(blacked_out),
    "watermark": _png(watermark),
}
TURNS: dict[str, Copy] = {
    "mirrored": _png(lambda p: p[:, ::-1]),
    "upside down": _png(lambda p: p[::-1]),
    "turned 90": _png(lambda p: np.rot90(p)),
    "turned 180": _png(lambda p: np.rot90(p, 2)),
    "turned 270": _png(lambda p: np.rot90(p, 3)),
    "transposed": _png(lambda p: p.T),
    "turned 3 degrees": _png(lambda p: turned(p, 3)),
    "turned 10 degrees": _png(lambda p: turned(p, 10)),
    "shifted": _png(lambda p: shifted(p, 14, -9)),
}
FORMATS: dict[str, Copy] = {
    "the same file again": stored.png,
    "other metadata": stored.noted_png,
    "BMP": lambda p: stored.pillow(p, ".bmp", "BMP"),
    "TIFF": lambda p: stored.pillow(p, ".tif", "TIFF"),
    "WebP, lossless": lambda p: stored.pillow(p, ".webp", "WEBP", lossless=True),
    "16-bit PNG": lambda p: stored.png(p.astype(np.uint16) * 257),
    "DICOM": stored.dicom,
    "DICOM, 12 bits": lambda p: stored.dicom(p.astype(np.uint16) * 16, bits=12),
    "NIfTI": stored.nifti,
    "grey as RGB": lambda p: stored.png(p, mode="RGB"),
    "with alpha": lambda p: stored.png(p, mode="RGBA"),
    "with a palette": lambda p: stored.png(p, mode="P"),
    "EXIF orientation": stored.oriented,
    "wrong suffix": lambda p: (".png", stored.jpeg(p, 90)[1]),
}
MIXTURES: dict[str, Copy] = {
    "smaller, cropped, JPEG 50": lambda p: stored.jpeg(resized(cropped(p, 0.05), 0.7), 50),
    "mirrored, gamma, JPEG 70": lambda p: stored.jpeg(gamma(p[:, ::-1], 0.7), 70),
    "cropped, turned, more contrast": _png(lambda p: contrast(cropped(turned(p, 5), 0.08), 1.3)),
    "framed, letters, smaller": _png(lambda p: resized(np.pad(lettered(p), 12, constant_values=255), 0.6)),
    "inverted, turned 90": _png(lambda p: 255 - np.rot90(p)),
    "squashed, noise, JPEG 60": lambda p: stored.jpeg(noisy(resized(p, 1.0, 0.85), 5), 60),
}
BEYOND: dict[str, Copy] = {
    "JPEG quality 5": lambda p: stored.jpeg(p, 5),
    "strong noise": _png(lambda p: noisy(p, 40)),
    "bent elastically": _png(bent),
    "in perspective": _png(from_the_side),
}
"""Beyond what the search promises; what it does with them is in docs/audit.md."""

COPIES: dict[str, Copy] = {**SIZES, **TONES, **DETAIL, **MARKS, **TURNS, **FORMATS, **MIXTURES}
