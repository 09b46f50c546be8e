"""Near copies of training images, recognised by perceptual hashes that a bundle holds in place of the images.

A hash keeps the signs of the lowest 16 x 16 frequencies of the cosine transform (Zauner 2010, "Implementation and
Benchmarking of Perceptual Image Hash Functions"), of the whole image and of its foreground: 64 bytes, of which no image
can be shown. Resized and recompressed copies differ in few signs; a mirrored or turned image has the same signs with
rows or columns changed.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.core.records import Image

__all__ = [
    "FALSE_COPIES",
    "MOST_PRINTS",
    "TrainingPrints",
    "copied",
    "copy_limit",
    "difference",
    "nearest_of_others",
    "print_of",
]

Bits = npt.NDArray[np.uint8]
HASHED = 2  # views: the whole image and its foreground
TURNS = 8  # identity, two mirrorings, the half turn, and the transposes of these; hashes of negatives are not sought
FALSE_COPIES = 0.01
"""Share of training images that may pass for a copy of an image of another group."""
# Of 256 signs. On 253 brain MRI images the nearest image of another group differs in 54 or more, and a copy at three
# quarters of the side and JPEG quality 70 in 7 at most; on noisy drawings in 31 or more, and 22.
MOST_DIFFERENT = 24
# 64 bytes each: 1.3 MB. Beyond it a random draw stands for all, and the card says so.
MOST_PRINTS = 20_000
COPY_SCALE, COPY_QUALITY = (
    0.75,
    70,
)  # a picture saved again for a slide: three quarters of the side, JPEG at 70


def print_of(image: Image) -> Bits:
    """Return the hashes of an image under each turn, (8, 2, 32) bytes; the first is that of the image as it is.

    A view without contrast gives zeros, which resemble nothing.
    """
    from headtohead.audit.duplicates.fingerprint import fingerprint, rotate_coefficients, to_grey

    blocks = fingerprint(image, to_grey(image))[:HASHED]
    signs = np.stack([rotate_coefficients(blocks, turn) > 0 for turn in range(TURNS)])
    return np.packbits(signs.reshape(TURNS, HASHED, -1), axis=2)


class TrainingPrints:
    """The hashes of training images, and the difference up to which another image counts as a near copy.

    Args:
        prints: (n, 2, 32) bytes.
        limit: the largest number of differing signs of a near copy.
    """

    def __init__(self, prints: Bits, limit: float) -> None:
        self._prints, self._limit = prints, limit

    def holds(self, image: Image) -> bool:
        """Return whether an image is nearly equal to a training image, turned or mirrored ones included."""
        return bool(len(self._prints)) and difference(print_of(image), self._prints).min() <= self._limit


def difference(turned: Bits, prints: Bits) -> npt.NDArray[np.int64]:
    """Return in how many signs each of n hashes differs, in the view and turn that differ least.

    Args:
        turned: (8, 2, 32) of one image. prints: (n, 2, 32).
    """
    best = np.full(len(prints), 8 * prints.shape[2], dtype=np.int64)  # as far apart as signs can be
    for view in range(HASHED):
        usable = prints[:, view].any(axis=1)
        if not turned[0, view].any() or not usable.any():
            continue
        for one in turned[:, view]:
            apart = np.bitwise_count(prints[usable, view] ^ one).sum(axis=1, dtype=np.int64)
            best[usable] = np.minimum(best[usable], apart)
    return best


def nearest_of_others(turned: Bits, groups: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return for each image in how many signs the nearest image of another group differs.

    Args:
        turned: (n, 8, 2, 32). groups: (n,); copies of one another share a group.
    """
    prints, out = turned[:, 0], np.empty(len(turned), dtype=np.int64)
    for place, one in enumerate(turned):
        apart = difference(one, prints)
        others = groups != groups[place]
        out[place] = apart[others].min() if others.any() else 8 * prints.shape[2]
    return out


def copy_limit(apart: npt.NDArray[np.int64], share: float = FALSE_COPIES) -> tuple[int, float]:
    """Return the limit below which at most a share of images lies, and the share that lies there.

    Args:
        apart: from `nearest_of_others`: the images that would be taken for copies although they are none.

    >>> copy_limit(np.array([20, 40, 60, 80]), 0.25), copy_limit(np.array([20, 40, 60, 80]), 0.0)
    ((24, 0.25), (19, 0.0))
    """
    allowed = int(share * len(apart))
    # One sign below the first image that would be one too many.
    limit = min(MOST_DIFFERENT, int(np.sort(apart)[allowed]) - 1) if allowed < len(apart) else MOST_DIFFERENT
    return limit, float((apart <= limit).mean())


def copied(image: Image) -> Image:
    """Return an image as a copy of it would be: smaller, and through JPEG; for measuring what is recognised."""
    from headtohead.audit.duplicates.fingerprint import to_grey

    grey = to_grey(image)
    side = (max(8, round(grey.shape[1] * COPY_SCALE)), max(8, round(grey.shape[0] * COPY_SCALE)))
    small = cv2.resize(grey, side, interpolation=cv2.INTER_AREA)
    packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, COPY_QUALITY])[1]
    pixels = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return Image(pixels=np.asarray(pixels), format="JPEG", mode="L", bit_depth=8)
