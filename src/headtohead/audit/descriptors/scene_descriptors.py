"""Descriptors of what is shown: enough to tell another kind of scene, too coarse for one patient."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["intensity_histogram", "layout_descriptor", "lbp_histogram"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# The eight neighbours clockwise: one bit each.
_RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))


def layout_descriptor(crop: U8) -> F32:
    """Return the (256,) grey values of the crop at 16 x 16, mean 0 and standard deviation 1.

    Args:
        crop: (H, W), the foreground's box cut out.
    """
    small = cv2.resize(crop, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    spread = float(small.std())
    return np.asarray((small - small.mean()) / spread if spread > 0 else small * 0, dtype=np.float32)


def intensity_histogram(crop: U8, mask: Mask) -> F32:
    """Return (16,) square roots of the shares of grey values inside the mask.

    The range runs from the 1st to the 99th percentile, so brightness and contrast drop out.

    Args:
        crop: (H, W).
        mask: (H, W), of the same box.
    """
    values = crop[mask] if mask.any() else crop.ravel()
    low, high = np.percentile(values, [1, 99])
    unit = np.clip((values.astype(np.float32) - low) / max(float(high - low), 1.0), 0, 1)
    counts, _ = np.histogram(unit, bins=16, range=(0, 1))
    # of square roots the Euclidean distance is Hellinger's, in which rare values count, too
    return np.asarray(np.sqrt(counts / counts.sum()), dtype=np.float32)


def lbp_histogram(crop: U8) -> F32:
    """Return (256,) square roots of the shares of local binary patterns at 96 x 96.

    Each pixel's eight neighbours are compared with it, 4 grey values of slack (after Ojala,
    Pietikäinen and Mäenpää, IEEE TPAMI 2002).

    Args:
        crop: (H, W).
    """
    small = cv2.resize(crop, (96, 96), interpolation=cv2.INTER_AREA).astype(np.int16)
    centre = small[1:-1, 1:-1] + 4
    code = np.zeros(centre.shape, dtype=np.int64)
    for bit, (dy, dx) in enumerate(_RING):
        code |= (small[dy : dy + 94, dx : dx + 94] > centre).astype(np.int64) << bit
    return np.asarray(np.sqrt(np.bincount(code.ravel(), minlength=256) / code.size), dtype=np.float32)
