"""An image made ready for alignment: grey, small, with local features that follow every turn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates.fingerprint import rotate_pixels
from headtohead.preprocess.foreground import foreground_mask

__all__ = [
    "COARSE",
    "KINDS",
    "NOTHING",
    "Keypoints",
    "chosen",
    "coarse_keypoints",
    "find_keypoints",
    "inside",
    "rotated",
    "stretched",
    "without_impulses",
]

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

KINDS = (0, 2, 8, 10)
"""The turns that features do not follow by themselves: none, mirrored, inverted, both."""

_SIDE = 256  # pixels: enough for anatomy, few enough for milliseconds
COARSE = 128
"""Pixels of the longer side of a view for a quick try, at most."""

_FEATURES = 500  # keypoints of an image at most, the strongest
_QUANTUM = 512  # RootSIFT entries lie below 0.5: so they fill one byte
_FAINT, _FAINT_TO = 100, 180
"""An image whose grey values span less than the first is stretched to the second."""

_STRUCK = 40  # grey values from the local median: salt or pepper, not texture
_STRUCK_SHARE = 1 / 500  # of the pixels, both salt and pepper: edges strike one side only


@dataclass(frozen=True, slots=True)
class Keypoints:
    """An image made ready for alignment.

    Attributes:
        grey: uint8, longer side 256 pixels (128 for a glance).
        scale: pixels of `grey` per pixel of the image.
        points: (k, 2) feature positions (column, row) in `grey`.
        descriptors: (k, 128) root-SIFT (Arandjelović and Zisserman, 2012) times 512, so that a
            number takes one byte: a view of 500 features is about 130 kB.
        strength: (k,) contrast of the features; a copy keeps the strongest.
        subject: (k,) whether the feature lies on the subject, not on the ground or the letters around it.
    """

    grey: Grey
    scale: float
    points: Floats
    descriptors: Grey
    strength: Floats
    subject: Mask


def _nothing(grey: Grey, scale: float) -> Keypoints:
    none = np.zeros((0, 2), np.float32)
    return Keypoints(grey, scale, none, np.zeros((0, 128), np.uint8), none[:, 0], np.zeros(0, bool))


NOTHING = _nothing(np.zeros((8, 8), np.uint8), 1.0)
"""An image without features."""


def find_keypoints(
    grey: Grey, mask: Mask | None = None, *, side: int = _SIDE, features: int = _FEATURES
) -> Keypoints:
    """Make an image ready for alignment.

    Args:
        grey: uint8 (H, W).
        mask: bool (H, W), where the subject is; found here if None.
        side: longer side of the view in pixels. The bounds of `is_duplicate` hold for the default.
        features: how many are kept, the strongest.
    """
    mask = foreground_mask(grey) if mask is None else mask
    grey = stretched(without_impulses(grey))
    scale = side / max(grey.shape)
    size = tuple(max(8, round(side * scale)) for side in grey.shape[::-1])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(grey, size, interpolation=how), np.uint8)
    # without precise upscaling OpenCV places keypoints a fraction of a pixel off, which `residual` would show
    finder = cv2.SIFT.create(nfeatures=features, contrastThreshold=0.02, enable_precise_upscale=True)
    keys, rows = finder.detectAndCompute(small, None)
    if rows is None or len(keys) == 0:
        return _nothing(small, scale)
    root = np.sqrt(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-6))
    points = np.array([key.pt for key in keys], np.float32)
    strength = np.array([key.response for key in keys], np.float32)
    descriptors = np.minimum(np.rint(root * _QUANTUM), 255).astype(np.uint8)
    return Keypoints(small, scale, points, descriptors, strength, _within(mask, points, scale))


def _within(mask: Mask, points: Floats, scale: float) -> Mask:
    """Return which positions (k, 2) in a view at this scale lie in the mask (H, W) of the image."""
    # centres of pixels, as `cv2.resize` has them
    at = np.rint((points - (scale - 1) / 2) / scale).astype(np.int64)
    column, row = np.clip(at, 0, np.array(mask.shape[::-1]) - 1).T
    return np.asarray(mask[row, column])


def without_impulses(grey: Grey) -> Grey:
    """Return the image without salt-and-pepper noise, or as it is where there is none.

    Black and white pixels that stand far from the median of their neighbours take that median (the
    switching median filter), but only where more than one pixel in 500 is such a black one and as
    many are such white ones: white dots alone can be letters, or calcium.

    Args:
        grey: uint8 (H, W).
    """
    if min(grey.shape) < 3:
        return grey
    median = np.asarray(cv2.medianBlur(np.ascontiguousarray(grey), 3), np.uint8)
    far = cv2.absdiff(grey, median) > _STRUCK
    pepper, salt = (grey == 0) & far, (grey == 255) & far
    struck = min(float(pepper.mean()), float(salt.mean())) > _STRUCK_SHARE
    return np.where(pepper | salt, median, grey) if struck else grey


def stretched(grey: Grey) -> Grey:
    """Return the image with more contrast where it has so little that features would go unseen.

    Args:
        grey: uint8 (H, W).
    """
    low, high = np.percentile(grey, [0.5, 99.5])
    if not 8 <= high - low < _FAINT:
        return grey
    return np.asarray(np.clip((grey - low) * (_FAINT_TO / (high - low)), 0, 255), np.uint8)


def coarse_keypoints(grey: Grey, mask: Mask | None = None) -> Keypoints:
    """Make an image ready for a quick try, in a quarter of the time and memory of `find_keypoints`.

    An image smaller than that is not enlarged: what is added shows no features, and takes most of the time.

    Args:
        grey: uint8 (H, W).
        mask: bool (H, W), where the subject is; found here if None.
    """
    side = min(max(max(grey.shape), COARSE // 2), COARSE)
    return find_keypoints(grey, mask, side=side, features=_FEATURES // 3)


def rotated(view: Keypoints, kind: int) -> Keypoints:
    """Return the view of the mirrored or inverted image without looking for features again.

    A descriptor holds 4 x 4 histograms of 8 directions in a frame that follows the feature's own
    direction. Mirroring reverses the rows and the sense of the directions; inverting turns the
    frame by half a turn, which reverses rows and columns.

    Args:
        view: of the image as it is.
        kind: position in `KINDS`.
    """
    if kind == 0:
        return view
    order = np.arange(128).reshape(4, 4, 8)
    points = view.points
    if kind & 1:
        order = order[::-1][:, :, -np.arange(8) % 8]
        points = np.array([view.grey.shape[1] - 1, 0], np.float32) + points * np.array([-1, 1], np.float32)
    if kind & 2:
        order = order[::-1, ::-1]
    descriptors = view.descriptors[:, order.ravel()]
    return replace(view, grey=rotate_pixels(view.grey, KINDS[kind]), points=points, descriptors=descriptors)


def inside(view: Keypoints) -> Keypoints:
    """Return the view with those features alone that lie on the subject.

    Letters, rulers and menus are the same in every image of one machine; two images that agree
    in nothing else are not of one patient.
    """
    return chosen(view, np.flatnonzero(view.subject))


def chosen(view: Keypoints, kept: npt.NDArray[np.int64]) -> Keypoints:
    """Return the view with the features at these positions alone."""
    return replace(
        view,
        points=view.points[kept],
        descriptors=view.descriptors[kept],
        strength=view.strength[kept],
        subject=view.subject[kept],
    )
