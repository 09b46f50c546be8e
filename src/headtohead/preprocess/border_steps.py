"""The steps of a recipe that remove what runs along an image's edge: dark margins, white frames, title bars.

Pure functions on arrays: grey images are uint8 (H, W), masks are bool (H, W), and no function changes its input.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box
from headtohead.preprocess.mask_steps import bounding_box, dilate

__all__ = ["clear_bright_background", "crop_bright_border", "crop_dark_border", "remove_border_bands"]

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


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
    counts[0] = 0  # label 0 is all that is not white
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
    # views: each clears its side in `out` itself
    for side in (out, out[::-1], out.T, out.T[::-1]):
        side[: _band(side.mean(axis=1), least, after, most)] = False
    return out
