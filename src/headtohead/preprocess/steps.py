"""The steps of a recipe as pure functions on arrays; nothing here knows of files or recipes.

Grey images are uint8 (H, W); masks are bool (H, W); no function changes its input.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box

__all__ = [
    "background_level",
    "bounding_box",
    "clear_bright_background",
    "clip_highlights",
    "close",
    "crop_bright_border",
    "crop_dark_border",
    "dilate",
    "erode",
    "extreme_points",
    "fill_holes",
    "gaussian_blur",
    "grey",
    "largest_component",
    "largest_contour",
    "open_",
    "otsu",
    "remove_border_bands",
    "resize_area",
    "resize_cubic",
    "threshold",
    "to_unit",
    "upsample_mask",
]

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.float32]

PERCENTILES = (0.5, 99.5)


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
    if not high > low:
        return np.zeros_like(values), how + "; it is empty, so the image is constant"
    return np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1), how


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


def erode(mask: Mask, times: int) -> Mask:
    """Erode with a 3 x 3 square, `times` times; outside the image counts as set."""
    return cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=times) > 0


def dilate(mask: Mask, times: int) -> Mask:
    """Dilate with a 3 x 3 square, `times` times; outside the image counts as unset."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=times) > 0


def _disc(size: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def close(mask: Mask, size: int) -> Mask:
    """Close gaps narrower than a disc of `size` pixels; the image's edge does not count as set."""
    padded = np.pad(mask.astype(np.uint8), size)
    closed = np.asarray(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _disc(size)), bool)
    return closed[size:-size, size:-size]


def open_(mask: Mask, size: int) -> Mask:
    """Remove what is narrower than a disc of `size` pixels: lines, letters, what they tie on.

    The mask is continued beyond the image's edge, so that a head cut by the edge keeps its rim;
    what is thin along the edge itself is removed before that.
    """
    thick = cv2.morphologyEx(np.pad(mask.astype(np.uint8), size), cv2.MORPH_OPEN, _disc(max(3, size // 3)))
    padded = np.pad(thick[size:-size, size:-size], size, mode="edge")
    opened = np.asarray(cv2.morphologyEx(padded, cv2.MORPH_OPEN, _disc(size)), bool)
    return opened[size:-size, size:-size]


def fill_holes(mask: Mask) -> Mask:
    """Fill what cannot be reached from outside the image without crossing the mask."""
    ground = (~np.pad(mask, 1)).astype(np.uint8)
    cv2.floodFill(ground, None, (0, 0), 2)
    return np.asarray(ground[1:-1, 1:-1] != 2)


def largest_component(mask: Mask) -> Mask:
    """Keep the largest 8-connected component; an empty mask stays empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return np.zeros_like(mask)
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def largest_contour(mask: Mask) -> npt.NDArray[np.int32]:
    """Return the points (n, 2) as (column, row) of the external contour with the largest area.

    The area is the polygon's through the contour's pixels (OpenCV, contourArea), as in the
    published study. No contour: an array of shape (0, 2).
    """
    found = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    if not found:
        return np.zeros((0, 2), np.int32)
    return np.asarray(max(found, key=cv2.contourArea)[:, 0], np.int32)


def extreme_points(contour: npt.NDArray[np.int32]) -> Box | None:
    """Return the box from the contour's topmost and leftmost to its lowest and rightmost points.

    As in the published study the last row and column are left out (a Python slice from point to
    point); None where the contour is empty or too thin to leave a pixel.
    """
    if len(contour) == 0:
        return None
    (left, top), (right, bottom) = contour.min(axis=0).tolist(), contour.max(axis=0).tolist()
    box = Box(top, left, bottom, right)
    return box if box.area > 0 else None


def upsample_mask(mask: Mask, height: int, width: int) -> Mask:
    """Return the mask at (height, width), each pixel that of its nearest neighbour."""
    whole = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(whole > 0)


def bounding_box(mask: Mask) -> Box | None:
    """Return the smallest box that holds the mask, or None where it is empty.

    >>> import numpy as np
    >>> bounding_box(np.eye(4, dtype=bool)[1:3])
    Box(top=0, left=1, bottom=2, right=3)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


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
    inner = image[k // 4 : -(k // 4) or None, k // 4 : -(k // 4) or None]
    patches = [inner[:k, :k], inner[:k, -k:], inner[-k:, :k], inner[-k:, -k:]]
    middle, upper = np.percentile(np.stack([p.ravel() for p in patches]), (50, 80), axis=1)
    return float(np.median(middle)), float(np.median(upper))


def crop_dark_border(image: Grey, level: float) -> Box:
    """Return the box without the outer rows and columns that nowhere exceed `level`.

    An image that is dark throughout is kept whole.
    """
    return bounding_box(image > level) or Box(0, 0, *image.shape)


def _bright_lines(share: npt.NDArray[np.float64], least: float, tail: int) -> int:
    """Number of leading lines that are bright, and up to `tail` more that only fade out."""
    below = np.flatnonzero(share < least)
    count = int(below[0]) if len(below) else len(share)
    if count == 0:
        return 0
    for _ in range(tail):
        if count + 1 >= len(share) or share[count] < 0.05 or share[count] <= share[count + 1] + 0.02:
            break
        count += 1
    return count


def crop_bright_border(image: Grey, level: float, least: float, most: float) -> Box:
    """Return the box without bright bands along the sides: white frames, margins of a page.

    Args:
        image: uint8 (H, W).
        level: what counts as bright (0 to 255).
        least: a line belongs to the band where at least this share of its pixels is bright.
        most: largest share of a side's length that one band may take; beyond it the band stays.
    """
    height, width = image.shape
    rows, columns = (image > level).mean(axis=1), (image > level).mean(axis=0)

    def band(lines: npt.NDArray[np.float64]) -> int:
        count = _bright_lines(lines, least, max(2, len(lines) // 100))
        return count if count <= most * len(lines) else 0

    top, bottom, left, right = band(rows), band(rows[::-1]), band(columns), band(columns[::-1])
    if top + bottom >= height or left + right >= width:
        return Box(0, 0, height, width)
    return Box(top, left, height - bottom, width - right)


def clear_bright_background(image: Grey, level: float, perimeter: float, ground: float) -> tuple[Grey, bool]:
    """Darken a flat white area that runs along the image's edge, as around an oval cut-out.

    Args:
        image: uint8 (H, W).
        level: what counts as white (0 to 255).
        perimeter: least share of the image's edge that the area must take.
        ground: value that it gets.

    Returns:
        The image, and whether there was such an area.
    """
    _, labels = cv2.connectedComponents((image >= level).astype(np.uint8), connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    counts = np.bincount(edge, minlength=int(labels.max()) + 1)
    counts[0] = 0
    if counts.sum() < perimeter * len(edge):
        return image, False
    # the fading rim of the white area goes with it
    area = dilate(np.isin(labels, np.flatnonzero(counts)), 2)
    return np.where(area, np.uint8(ground), image).astype(np.uint8), True


def _band(share: npt.NDArray[np.float64], least: float, after: float, most: float) -> int:
    """Number of leading lines that are full and then break off, within `most` of all lines."""
    limit = max(1, round(most * len(share)))
    full = np.flatnonzero(share[:limit] >= least)
    if len(full) == 0 or full[0] > 2:
        return 0
    free = np.flatnonzero(share[full[0] : limit + 3] < after)
    return int(full[0] + free[0]) if len(free) else 0


def remove_border_bands(mask: Mask, least: float, after: float, most: float) -> Mask:
    """Clear thin full lines along the image's sides: grey frames, title bars, scanner lines.

    Left in place they would close a ring around the ground, and filling holes would take it all.

    Args:
        mask: bool (H, W).
        least: a line is full where at least this share of it is set.
        after: it ends where less than this share is set; a subject that fills the image never does.
        most: a band takes at most this share of the lines.
    """
    out = mask.copy()
    for turned in (out, out[::-1], out.T, out.T[::-1]):
        turned[: _band(turned.mean(axis=1), least, after, most)] = False
    return out
