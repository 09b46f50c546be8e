"""Simple numbers of one image: pure functions on arrays, no thresholds."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.core.records import Image

__all__ = [
    "MEASURES",
    "adjacent_correlation",
    "background",
    "border_ring",
    "colour_share",
    "grey8",
    "image_statistics",
    "shrink",
    "softness",
]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

MEASURES = {
    "mean": "mean grey value, 0 to 1",
    "spread": "standard deviation of the grey values, 0 to 0.5",
    "at_black": "share of pixels at the lowest value",
    "at_white": "share of pixels at the highest value the format can hold",
    "levels": "number of distinct grey values out of 256",
    "softness": "share of gradient energy that survives blurring: near 1 for blurred or enlarged images",
    "adjacent": "correlation of neighbouring pixels; near 0 for pure noise",
    "coloured": "share of pixels whose channels differ by more than 40 of 255",
    "tinted": "share of pixels with a slight tint, as a camera gives to a grey screen",
    "cast": "mean difference between the largest and the smallest channel, 0 to 1",
    "edge": "shorter edge in pixels",
    "aspect": "longer edge divided by shorter edge",
}
_STRIP = 0.06  # share of the edge: wider than a frame, narrower than the margin of a scan
_COLOURED = 40  # of 255 between channels: above JPEG chroma noise and camera tints
_TINT = 8  # of 255 between channels: above rounding of grey JPEG files


def grey8(image: Image) -> U8:
    """Return the image as 8-bit grey (H, W).

    Eight-bit images keep their values. Deeper ones are windowed: by the file's own window where
    it has one, else by the 0.5 and 99.5 percentiles.
    """
    pixels = image.pixels
    if pixels.dtype == np.uint8:
        return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    plane = pixels.astype(np.float32)
    plane = plane if plane.ndim == 2 else plane.mean(axis=2)
    # a percentile of values with NaN is NaN, which would blank the whole image
    plane = np.nan_to_num(plane, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = image.window or tuple(np.percentile(plane, [0.5, 99.5]))
    scaled = (plane - low) / max(float(high) - float(low), 1e-12)
    return np.asarray(np.clip(scaled, 0, 1) * 255, dtype=np.uint8)


def image_statistics(image: Image, grey: U8) -> dict[str, float]:
    """Return the numbers named in `MEASURES`.

    Args:
        image: the image as read.
        grey: (H, W) its 8-bit grey version.
    """
    height, width = grey.shape
    counts = np.bincount(grey.ravel(), minlength=256)
    coloured, tinted, cast = colour_share(image.pixels)
    lowest = int(np.flatnonzero(counts)[0])
    return {
        "mean": float(grey.mean()) / 255,
        "spread": float(grey.std()) / 255,
        "at_black": float(counts[lowest]) / grey.size,
        "at_white": float(counts[255]) / grey.size,
        "levels": float((counts > 0).sum()),
        "softness": softness(grey),
        "adjacent": adjacent_correlation(grey),
        "coloured": coloured,
        "tinted": tinted,
        "cast": cast,
        "edge": float(min(height, width)),
        "aspect": max(height, width) / min(height, width),
    }


def colour_share(pixels: npt.NDArray[Any]) -> tuple[float, float, float]:
    """Return the shares of clearly coloured and of slightly tinted pixels, and the mean difference.

    The difference is that of a pixel's largest and smallest channel: over 40 of 255 is coloured,
    over 8 tinted; the mean is in 0 to 1.

    >>> colour_share(np.full((4, 4), 9, np.uint8))
    (0.0, 0.0, 0.0)
    """
    if pixels.ndim == 2 or pixels.dtype != np.uint8:
        return 0.0, 0.0, 0.0
    red, green, blue = (np.ascontiguousarray(pixels[..., c]) for c in range(3))
    # the largest less the smallest never wraps in uint8
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return float((spread > _COLOURED).mean()), float((spread > _TINT).mean()), float(spread.mean()) / 255


def adjacent_correlation(grey: U8) -> float:
    """Return the correlation of each pixel with its right and lower neighbours.

    Images of anything have neighbours alike (above 0.9 as a rule); independent noise has none.
    A constant image has no correlation: NaN.

    Args:
        grey: (H, W).
    """
    plane = grey.astype(np.float32)
    if min(plane.shape) < 3 or float(plane.std()) == 0.0:
        return float("nan")
    pairs = [(plane[:, :-1], plane[:, 1:]), (plane[:-1], plane[1:])]
    return float(np.mean([_correlation(a.ravel(), b.ravel()) for a, b in pairs]))


def _correlation(a: F32, b: F32) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0


def softness(grey: U8) -> float:
    """Return how much of the image's local variation is left after one more blur, 0 to 1.

    The idea of Crete et al. (SPIE 2007, "The blur effect"): a sharp image loses much of its
    neighbour differences when it is blurred, a blurred or enlarged one hardly any. Measured along
    rows and columns with a 9-pixel mean; the larger of the two is returned.

    Args:
        grey: (H, W).
    """
    plane = grey.astype(np.float32)
    if min(plane.shape) < 16:
        return float("nan")
    return max(_softness_along(plane, 0), _softness_along(plane, 1))


def _softness_along(plane: F32, axis: int) -> float:
    kernel = (1, 9) if axis == 0 else (9, 1)  # OpenCV's order: width, height
    blurred = cv2.blur(plane, kernel)
    before = np.abs(np.diff(plane, axis=axis))
    after = np.abs(np.diff(blurred, axis=axis))
    lost = float(np.maximum(0.0, before - after).sum())
    total = float(before.sum())
    return 1.0 - lost / total if total > 0 else float("nan")


def shrink(grey: npt.NDArray[Any], edge: int) -> U8:
    """Return the image averaged down to (edge, edge), its shape not kept."""
    return np.asarray(cv2.resize(grey, (edge, edge), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def border_ring(grey: U8) -> U8:
    """Return 60 mean grey values around the edge, from strips 6 % of the edge wide.

    Args:
        grey: (H, W).
    """
    height, width = grey.shape
    rows, cols = max(1, round(height * _STRIP)), max(1, round(width * _STRIP))
    strips = [grey[:rows], grey[-rows:], grey[:, :cols].T, grey[:, -cols:].T]
    return np.concatenate([_line(strip) for strip in strips])


def _line(strip: U8) -> U8:
    line = strip.mean(axis=0, dtype=np.float32)[None, :]
    return np.asarray(cv2.resize(line, (15, 1), interpolation=cv2.INTER_AREA).ravel(), dtype=np.uint8)


def background(grey: U8, mask: npt.NDArray[np.bool_] | None) -> U8:
    """Return a (16, 16) thumbnail of what lies outside the foreground's outer contour.

    The foreground is filled with one constant (0) over its convex hull widened by 3 % of the edge,
    so neither its texture nor a lesion inside can be seen; its outline still can.

    Args:
        grey: (H, W).
        mask: (H, W) foreground, or None where it could not be found: then all of it counts as ground.
    """
    if mask is None or not mask.any():
        return shrink(grey, 16)
    covered = np.where(_hull(mask), 0, grey).astype(np.uint8)
    return shrink(covered, 16)


def _hull(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = np.concatenate(outlines)
    plane = np.zeros(mask.shape, dtype=np.uint8)
    cv2.fillConvexPoly(plane, cv2.convexHull(points), 1)
    reach = 2 * max(1, round(0.03 * min(mask.shape))) + 1
    return np.asarray(cv2.dilate(plane, np.ones((reach, reach), np.uint8)) > 0)
