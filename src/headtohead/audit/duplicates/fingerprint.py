"""An image's coarse shape as a few numbers that turn and mirror by changing signs.

The low frequencies of the cosine transform of a small version are what perceptual hashes keep
(Zauner, 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"). Here they stay
numbers: their signs are the hash, their cosine ranks candidates. A mirrored image has the same
coefficients with the odd columns negated, a transposed one the transposed matrix, an inverted one
the negated matrix; so all 16 turns of an image cost nothing.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box, Image
from headtohead.preprocess import steps
from headtohead.preprocess.foreground import foreground_box

__all__ = [
    "FINE",
    "ORDER",
    "ORIENTATIONS",
    "OUTLINES",
    "VIEWS",
    "coarse",
    "fine",
    "fingerprint",
    "flat",
    "is_flipped",
    "kind_of",
    "rotate_coefficients",
    "rotate_pixels",
    "to_grey",
]

ORDER = 8
"""Side of the block of coefficients by which candidates are found."""

FINE = 16
"""Side of the block that is kept: what lies beyond `ORDER` weeds out images that are alike at large only."""

ORIENTATIONS = 16
"""Identity, three flips, their transposes, and all of these inverted."""

VIEWS = 3
"""The whole image, the foreground box, and the outlines in that box (blind to contrast)."""

OUTLINES = 2
"""The view that shows outlines; inverting an image leaves them as they are."""

_SIDE = 64  # pixels before the cosine transform: four times the order that is kept
Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def to_grey(image: Image) -> Grey:
    """Return the image as 8-bit grey (H, W), windowed as the recipes do."""
    plane = steps.one_plane(image.pixels)
    if plane.ndim == 2 and plane.dtype == np.uint8 and image.window is None:
        return plane
    return steps.grey(steps.to_unit(plane, image.window)[0])


def _small(grey: Grey) -> Floats:
    return np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)


def _outlines(small: Floats) -> Floats:
    """Return the gradient's size, the strongest tenth held down, so that skull and ventricles weigh alike."""
    soft = cv2.GaussianBlur(small, (0, 0), 0.7)
    size = np.hypot(cv2.Sobel(soft, -1, 1, 0), cv2.Sobel(soft, -1, 0, 1))
    return np.asarray(np.minimum(size, np.percentile(size, 90)), np.float32)


def _coefficients(small: Floats) -> Floats:
    block = cv2.dct(cv2.GaussianBlur(small, (0, 0), 1.0))[:FINE, :FINE].copy()
    block[0, 0] = 0.0  # the mean, which brightness changes
    size = float(np.linalg.norm(block[:ORDER, :ORDER]))
    return np.asarray(block / size if size > 1.0 else np.zeros_like(block), np.float32)


def fingerprint(image: Image, grey: Grey, box: Box | None = None) -> npt.NDArray[np.float16]:
    """Return the low-frequency coefficients of each view, (VIEWS, FINE, FINE), 1.5 kB.

    An image without contrast gives zeros, which resemble nothing.

    Args:
        image: as read.
        grey: the same as 8-bit grey.
        box: of the foreground, where it is known.
    """
    if box is None:
        box, _ = foreground_box(image.pixels, image.window)
    part = box.crop(grey) if box.area > 0 else grey
    small = _small(np.ascontiguousarray(part))
    views = [_coefficients(one) for one in (_small(grey), small, _outlines(small))]
    return np.clip(np.stack(views), -6e4, 6e4).astype(np.float16)  # float16 ends at 65,504


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6), np.float32)


def coarse(blocks: npt.NDArray[Any]) -> Floats:
    """Return the lowest frequencies (..., ORDER, ORDER) at unit length; zeros stay zeros."""
    low = blocks[..., :ORDER, :ORDER].astype(np.float32)
    return _unit(low.reshape(*low.shape[:-2], -1)).reshape(low.shape)


def fine(blocks: npt.NDArray[Any]) -> Floats:
    """Return what lies beyond the lowest frequencies, as rows of FINE² - ORDER² at unit length."""
    beyond = np.ones((FINE, FINE), bool)
    beyond[:ORDER, :ORDER] = False
    return _unit(blocks[..., beyond].astype(np.float32))


def rotate_coefficients(blocks: npt.NDArray[Any], turn: int) -> Floats:
    """Return the coefficients (..., k, k) of the turned images; see `rotate_pixels`."""
    alternating = (-1.0) ** np.arange(blocks.shape[-1], dtype=np.float32)
    out = np.swapaxes(blocks, -1, -2) if turn & 4 else blocks
    factor = np.full(blocks.shape[-2:], -1.0 if turn & 8 else 1.0, np.float32)
    factor = factor * alternating if turn & 2 else factor
    factor = factor * alternating[:, None] if turn & 1 else factor
    return np.asarray(out * factor, np.float32)


def rotate_pixels(grey: npt.NDArray[Any], turn: int) -> npt.NDArray[Any]:
    """Return a grey image turned: bit 4 transposes, then 2 mirrors, 1 flips, 8 inverts.

    >>> import numpy as np
    >>> rotate_pixels(np.array([[0, 1], [2, 3]], np.uint8), 2).tolist()
    [[1, 0], [3, 2]]
    """
    out = grey.T if turn & 4 else grey
    out = out[:, ::-1] if turn & 2 else out
    out = out[::-1] if turn & 1 else out
    return np.ascontiguousarray(255 - out if turn & 8 else out)


def is_flipped(turn: int) -> bool:
    """Tell whether a turn reverses left and right (it is no mere rotation)."""
    return (turn & 7).bit_count() % 2 == 1


def kind_of(turn: int) -> int:
    """Return the position in `keypoints.KINDS` of what features do not follow: mirrored 1, inverted 2.

    >>> [kind_of(turn) for turn in (0, 1, 3, 4, 6, 8, 9)]
    [0, 1, 0, 1, 0, 2, 3]
    """
    return 2 * (turn >> 3) + int(is_flipped(turn))


def flat(blocks: Floats) -> Floats:
    """Return blocks (..., k, k) as rows of k² - 1 numbers, without the constant term."""
    return np.asarray(blocks.reshape(*blocks.shape[:-2], -1)[..., 1:], np.float32)
