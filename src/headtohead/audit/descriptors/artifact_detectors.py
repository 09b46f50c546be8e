"""Signs of what was added to an image or stood between it and the scanner: frames, letters, screens."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["ARTIFACTS", "count_text_blobs", "detect_artifacts", "frame_share", "moire_score"]

U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

ARTIFACTS = {
    "frame": "largest share of one side's length along which a line near the edge is bright",
    "glyphs": "number of letter-like spots outside the foreground",
    "periodic": "height of the tallest off-axis peak of the spectrum, in median-deviation units",
    "ground": "median grey value outside the foreground, 0 to 1",
}
_WORK = 512  # pixels: letters of 1.2 % of the edge are still six pixels high
_BRIGHT = 200  # of 255: brighter than tissue in a windowed scan


def detect_artifacts(grey: U8, mask: Mask | None) -> dict[str, float]:
    """Return the numbers named in `ARTIFACTS`.

    Args:
        grey: (H, W) 8-bit.
        mask: (H, W) foreground, or None.
    """
    outside = ~mask if mask is not None and mask.any() else None
    return {
        "frame": frame_share(grey),
        "glyphs": float(count_text_blobs(grey, mask)) if mask is not None else float("nan"),
        "periodic": moire_score(grey),
        "ground": float(np.median(grey[outside])) / 255
        if outside is not None and outside.any()
        else float("nan"),
    }


def frame_share(grey: U8) -> float:
    """Return the largest share of a side along which one line near that side is bright.

    Lines within 5 % of the edge (at least 3 pixels) are tried on each of the four sides.

    >>> image = np.zeros((100, 100), np.uint8); image[2] = 255
    >>> frame_share(image)
    1.0
    """
    bright = grey >= _BRIGHT
    reach = max(3, round(0.05 * min(grey.shape)))
    rows = np.concatenate([bright[:reach], bright[-reach:]]).mean(axis=1)
    cols = np.concatenate([bright[:, :reach], bright[:, -reach:]], axis=1).mean(axis=0)
    return float(max(rows.max(), cols.max()))


def count_text_blobs(grey: U8, mask: Mask) -> int:
    """Return how many letter-like spots lie outside the foreground.

    A spot counts when it stands out from its surroundings by 60 grey values, is 1.2 to 8 % of the
    image's longer edge high, neither a line nor a block, and does not touch the foreground or the
    border. Letters that lie on the foreground cannot be distinguished from anatomy this way and are not
    counted; a vessel or an eye outside the mask may be.

    Args:
        grey: (H, W).
        mask: (H, W) foreground.
    """
    scale = min(1.0, _WORK / max(grey.shape))
    size = (max(8, round(grey.shape[1] * scale)), max(8, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    covered = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    reach = 2 * max(1, round(0.01 * max(size))) + 1
    # spots at the rim of the foreground are taken for parts of it, not for letters
    covered = cv2.dilate(covered, np.ones((reach, reach), np.uint8))
    # the window, a tenth of the edge, is wider than any letter counted: its median is what lies behind
    ground = cv2.medianBlur(small, 2 * max(3, round(0.05 * max(size))) + 1)
    spots = ((small.astype(np.int16) - ground) > 60).astype(np.uint8)  # uint8 would wrap below 0
    _, marked, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=8)
    touching = set(np.flatnonzero(np.bincount(marked[covered > 0])).tolist())
    return sum(_is_glyph(i, stats, size) for i in range(1, len(stats)) if i not in touching)


def _is_glyph(index: int, stats: npt.NDArray[Any], size: tuple[int, int]) -> bool:
    left, top, width, height, area = (int(v) for v in stats[index])
    edge = max(size)
    inside = left > 0 and top > 0 and left + width < size[0] and top + height < size[1]
    tall = max(6.0, 0.012 * edge) <= height <= 0.08 * edge
    return inside and tall and 0.15 <= width / height <= 2.0 and 0.15 <= area / (width * height) <= 0.92


def moire_score(grey: U8) -> float:
    """Return how far the tallest off-axis peak of the spectrum stands out, as moiré makes it do.

    The logarithm of the power spectrum of the central square is flattened by its ring means; the
    axes and the frequencies of JPEG's 8-pixel blocks lie on the axes and are left out.

    Args:
        grey: (H, W).
    """
    edge = min(grey.shape)
    if edge < 64:
        return float("nan")
    top, left = (grey.shape[0] - edge) // 2, (grey.shape[1] - edge) // 2
    square = cv2.resize(grey[top : top + edge, left : left + edge], (256, 256), interpolation=cv2.INTER_AREA)
    window, ring, use, count = _rings()
    plane = (square.astype(np.float64) - square.mean()) * window
    # the transform repeats the square as a tile; untapered, its edges would add lines of their own
    # The spectrum of real numbers is symmetric, so half of it tells the same means, median and peak.
    waves = np.fft.rfft2(plane).ravel()[use]
    # single precision from here on: the logarithm and the median take most of the time, and six digits will do
    power = np.log((waves.real**2 + waves.imag**2 + 1e-3).astype(np.float32))
    rest = power - (np.bincount(ring, weights=power) / count)[ring]
    # 1.4826 brings the median deviation of normal values to their standard deviation
    spread = float(np.median(np.abs(rest))) * 1.4826
    return float(rest.max()) / spread if spread > 0 else 0.0


@cache
def _rings() -> tuple[F64, Ints, Ints, F64]:
    """Return the window (256, 256), and of the frequencies that are looked at ring and position, and rings' sizes.

    They lie off the axes and are neither low nor in a corner.
    """
    y, x = np.fft.fftfreq(256, 1 / 256)[:, None], np.arange(129)[None, :]
    ring = np.hypot(x, y)
    use = np.flatnonzero(((x > 6) & (np.abs(y) > 6) & (ring > 24) & (ring < 126)).ravel())
    rings = ring.ravel()[use].astype(np.int64)
    window = np.hanning(256)
    return window[:, None] * window[None, :], rings, use, np.maximum(np.bincount(rings), 1).astype(np.float64)
