"""The steps of a recipe that work on grey values: scale, resize, blur and thresholds.

Pure functions on arrays: grey images are uint8 (H, W), masks are bool (H, W), and no function changes its input.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = [
    "background_level",
    "clip_highlights",
    "gaussian_blur",
    "grey",
    "one_plane",
    "otsu",
    "percentiles",
    "resize_area",
    "resize_cubic",
    "stretch",
    "threshold",
    "to_unit",
]

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.float32]

PERCENTILES = (0.5, 99.5)  # leaves out hot pixels; the window of images that bring none


def to_unit(pixels: npt.NDArray[Any], window: tuple[float, float] | None = None) -> tuple[Pixels, str]:
    """Bring any pixels to float32 in [0, 1] and say how.

    A window that the file asks for is used first; 8-bit pixels are divided by 255; every other
    depth is windowed between robust percentiles, because the full range of a 12- or 16-bit image
    is mostly empty and would leave it black.

    Args:
        pixels: (H, W) or (H, W, 3), any integer or float type.
        window: (low, high) in pixel units, or None.

    Returns:
        The pixels, and one sentence for the history.

    >>> import numpy as np
    >>> to_unit(np.array([[0, 255]], np.uint8))
    (array([[0., 1.]], dtype=float32), '8-bit values divided by 255')
    """
    if window is None and pixels.dtype == np.uint8:
        return pixels.astype(np.float32) / np.float32(255), "8-bit values divided by 255"
    values = pixels.astype(np.float32)
    finite = np.isfinite(values)
    if window is None:
        if not finite.any():
            return np.zeros_like(values), "no finite pixel: the image is empty"
        low, high = (float(v) for v in np.percentile(values[finite], PERCENTILES))
        how = f"window {low:g} to {high:g} (percentiles {PERCENTILES[0]:g} and {PERCENTILES[1]:g})"
    else:
        low, high = window
        how = f"window {low:g} to {high:g} (stated by the file)"
    if not finite.all():
        values, how = (
            np.where(finite, values, np.float32(low)),
            how + "; non-finite pixels set to its lower end",
        )
    if not high > low:  # true of NaN, too
        return np.zeros_like(values), how + "; it is empty, so the image is constant"
    return np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1), how


def one_plane(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return (H, W) of an 8-bit image (H, W, 3) whose channels are equal; any other image as it is.

    Grey images are often stored in colour; one plane is a third of the work, to the same digits.
    """
    if pixels.ndim != 3 or pixels.dtype != np.uint8:
        return pixels
    first = np.ascontiguousarray(pixels[..., 0])
    same = np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2])
    return first if same else pixels


def percentiles(
    values: npt.NDArray[np.float32], percents: tuple[float, ...], copies: int = 1
) -> tuple[float, ...]:
    """Return linearly interpolated percentiles of values, each of which is there `copies` times.

    >>> percentiles(np.array([0, 1, 2], np.float32), (50, 75), copies=3)
    (1.0, 2.0)
    """
    if copies == 1:
        return tuple(float(v) for v in np.percentile(values, percents))
    last = values.size * copies - 1
    places = np.asarray(percents, np.float64) / 100 * last
    lower = np.floor(places).astype(np.int64)
    upper = np.minimum(lower + 1, last)
    ordered = np.partition(values, np.unique([lower // copies, upper // copies]))
    low, high = ordered[lower // copies], ordered[upper // copies]
    share, step = places - lower, high - low
    # As numpy interpolates, from the nearer end with a float32 step: the digits are those of the repeated values.
    found = np.where(share >= 0.5, high - step * (1 - share), low + step * share)
    return tuple(float(v) for v in found)


def stretch(pixels: Pixels, levels: tuple[float, float] | None) -> Pixels:
    """Return pixels with (dark, bright) brought to 0 and 1, clipped; unchanged where `levels` is None."""
    if levels is None:
        return pixels
    dark, bright = levels
    return np.asarray(np.clip((pixels - np.float32(dark)) / np.float32(bright - dark), 0, 1), np.float32)


def grey(pixels: Pixels) -> Grey:
    """Return the luminance (ITU-R BT.601) of pixels in [0, 1] as uint8 (H, W)."""
    whole = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return whole if whole.ndim == 2 else np.asarray(cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY))


def resize_cubic(pixels: Pixels, height: int, width: int) -> Pixels:
    """Return the image at (height, width) by cubic interpolation, clipped to [0, 1]."""
    out = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(out, 0, 1).astype(np.float32, copy=False)


def resize_area(image: Grey, side: int) -> Grey:
    """Return a grey image whose longer side is `side` pixels, so that later sizes mean the same.

    Shrinks by area averages and enlarges linearly; the aspect ratio stays.
    """
    height, width = image.shape
    scale = side / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, shape, interpolation=how))


def gaussian_blur(image: Grey, size: int) -> Grey:
    """Blur with OpenCV's kernel of `size` x `size` pixels for sigma 0: binomial weights for 3 and 5."""
    return np.asarray(cv2.GaussianBlur(image, (size, size), 0))


def threshold(image: Grey, level: float) -> Mask:
    """Return where the image is brighter than `level` (0 to 255)."""
    return image > level


def otsu(image: Grey) -> float:
    """Return the level that best parts the grey values in two classes (Otsu, 1979)."""
    return float(cv2.threshold(image, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])


def clip_highlights(image: Grey, ground: float, least: float) -> Grey:
    """Limit what shines to twice the subject's median above the ground, so that it sways no threshold.

    Args:
        image: uint8 (H, W).
        ground: level of the ground.
        least: what exceeds the ground by more than this counts as subject.
    """
    subject = image[image > ground + least]
    if len(subject) == 0:
        return image
    limit = ground + 2 * (float(np.median(subject)) - ground)
    return np.minimum(image, np.uint8(min(255.0, limit)))


def background_level(image: Grey, share: float) -> tuple[float, float]:
    """Return level and upper end of the ground, read from the four corners.

    A head, a breast or a fan of ultrasound leaves the corners free even where it touches all four
    sides; the median over corners forgives a letter or a scale in one of them.

    Args:
        image: uint8 (H, W).
        share: side of a corner patch as a share of the image's shorter side. The patches lie a
            quarter of that inside the edge, where frame lines run.

    Returns:
        Median over the corners of their medians, and of their 80th percentiles, in grey levels.
    """
    k = max(1, round(min(image.shape) * share))
    # of an image too small for a margin -0 would leave nothing, and None leaves all
    inner = image[k // 4 : -(k // 4) or None, k // 4 : -(k // 4) or None]
    patches = [inner[:k, :k], inner[:k, -k:], inner[-k:, :k], inner[-k:, -k:]]
    middle, upper = np.percentile(np.stack([p.ravel() for p in patches]), (50, 80), axis=1)
    return float(np.median(middle)), float(np.median(upper))
