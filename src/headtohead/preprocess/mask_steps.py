"""The steps of a recipe that work on masks: morphology, components, contours and boxes.

Pure functions on arrays: masks are bool (H, W), and no function changes its input.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box

__all__ = [
    "bounding_box",
    "close",
    "dilate",
    "erode",
    "extreme_points",
    "fill_holes",
    "largest_component",
    "largest_contour",
    "open_",
    "upsample_mask",
]

Mask = npt.NDArray[np.bool_]


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
    # padded, so that the ground on every side is reached from one corner
    ground = (~np.pad(mask, 1)).astype(np.uint8)
    cv2.floodFill(ground, None, (0, 0), 2)
    return np.asarray(ground[1:-1, 1:-1] != 2)


def largest_component(mask: Mask) -> Mask:
    """Keep the largest 8-connected component; an empty mask stays empty."""
    # areas counted here: OpenCV's statistics also hold centroids and boxes, which take as long as the components
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    if count < 2:
        return np.zeros_like(mask)
    if count == 2:
        return np.asarray(labels > 0)
    return np.asarray(labels == 1 + int(np.argmax(np.bincount(labels.ravel(), minlength=count)[1:])))


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
