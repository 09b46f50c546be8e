"""Slides and scans beyond the limit of pixels: a smaller level that the file holds, or a JPEG decoded at a fraction."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import PIL.Image
import PIL.JpegImagePlugin
import PIL.TiffImagePlugin

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import Limits, raise_pixels
from headtohead.data.readers.raster.tiff_tags import COMPRESSION, HEIGHT, WIDTH, Directory

__all__ = ["open_reduced_jpeg", "open_reduced_tiff", "reduced_level", "refuse_jpeg2000"]

_JPEG2000 = (33003, 33005, 34712)
"""Aperio's two, and the registered number."""

_SCALES = (2, 4)
"""Fractions at which a JPEG is decoded; libjpeg has 8 as well, which would let a claim of 4 gigapixels through."""

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def reduced_level(pages: Sequence[Directory], limits: Limits) -> int | None:
    """Return the page that is the largest smaller copy of the first page within the limit; None where none is needed.

    A page is a copy if its sides are in the same proportion, within a pixel of rounding at that scale.

    Raises:
        UnreadableError: the first page is beyond the limit, and no page is a smaller copy of it.
    """
    width, height = _size(pages[0])
    if width * height <= limits.pixels:
        return None
    found = [
        (w * h, number)
        for number, (w, h) in enumerate(map(_size, pages))
        if number and w > 0 and h > 0 and w * h <= limits.pixels and _same_shape((w, h), (width, height))
    ]
    if not found:
        raise UnreadableError(
            f"it claims {height} x {width} = {height * width:,} pixels; the limit is {limits.pixels:,}, and it holds "
            f"no smaller level. {raise_pixels(width * height)}; or export a smaller one (vips or openslide)"
        )
    return max(found)[1]


def _size(page: Directory) -> tuple[int, int]:
    return page.get(WIDTH, 0), page.get(HEIGHT, 0)


def _same_shape(small: tuple[int, int], large: tuple[int, int]) -> bool:
    scale = large[0] / small[0]
    return scale > 1.5 and abs(large[1] / scale - small[1]) <= 1.5


def open_reduced_tiff(content: bytes, pages: Sequence[Directory], level: int) -> PIL.Image.Image:
    """Open one level without the check of the whole slide's size that Pillow makes on its first page.

    Raises:
        UnreadableError: its tiles are JPEG 2000.
    """
    refuse_jpeg2000(pages[level])
    image = PIL.TiffImagePlugin.TiffImageFile(io.BytesIO(content))
    image.seek(level)
    return image


def refuse_jpeg2000(page: Directory) -> None:
    """Refuse a page whose tiles are JPEG 2000, with what to do.

    Raises:
        UnreadableError: its tiles are JPEG 2000.
    """
    if page.get(COMPRESSION, 1) in _JPEG2000:
        raise UnreadableError(
            "its tiles are JPEG 2000, which is not read in a TIFF; export a level with openslide or vips"
        )


def open_reduced_jpeg(content: bytes, limits: Limits) -> tuple[PIL.Image.Image, tuple[int, int]] | None:
    """Open a JPEG beyond the limit so that it is decoded at half or a quarter of its sides; with its whole size.

    None where it is within the limit, or too large even so.

    A progressive one is held whole while it is decoded, so it may have four times the limit; others sixteen times.
    """
    claim = _claim(content)
    if claim is None:
        return None
    height, width, progressive = claim
    if height * width <= limits.pixels:
        return None
    for scale in _SCALES[: 1 if progressive else 2]:
        if -(-height // scale) * -(-width // scale) <= limits.pixels:  # libjpeg rounds up
            image = PIL.JpegImagePlugin.JpegImageFile(io.BytesIO(content))
            image.draft(image.mode, (width // scale, height // scale))
            return image, (height, width)
    return None


def _claim(content: bytes) -> tuple[int, int, bool] | None:
    """Return height, width and whether progressive, from the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return height, width, marker in (0xC2, 0xC6, 0xCA, 0xCE)
        at += 2 + length
    return None
