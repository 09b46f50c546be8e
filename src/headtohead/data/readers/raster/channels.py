"""Read chosen channels of a TIFF, which may be samples of each pixel or pages, with tifffile (extra `formats`)."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.core.safety.bounded_work import GATE
from headtohead.data.readers.array_files.reader import as_image, image_dtype
from headtohead.data.readers.errors import decoding_errors, missing_decoder
from headtohead.data.readers.limits import BYTES_PER_PIXEL, Limits, check_frame, check_size
from headtohead.data.readers.planes import take_channels
from headtohead.data.readers.raster.guard import check_structure
from headtohead.data.readers.raster.tiff_tags import HEIGHT, SAMPLES, WIDTH, Directory

__all__ = ["count_channels", "read_channels"]

Array = npt.NDArray[Any]

_DEFLATE = (8, 32946)
"""Compressions of TIFF (tag 259) that zlib unpacks, without a bound of its own."""

_READ = (1, 5, *_DEFLATE, 32773)
"""None, LZW, deflate and PackBits; others are streams with a size of their own, which may be any."""


def count_channels(content: bytes, *, limits: Limits) -> int:
    """Return 1 where the pages of a TIFF are channels of one image, else the number of pages.

    Raises:
        UnreadableError: damaged or beyond the limits.
    """
    pages = check_structure(content, "TIFF", limits)
    return 1 if _are_channels(pages) else len(pages)


def read_channels(content: bytes, channels: tuple[int, ...], *, frame: int | None, limits: Limits) -> Image:
    """Decode one or three channels of a TIFF: of the samples of each pixel, else of its pages.

    Args:
        content: the whole file.
        channels: one for grey, three for red, green and blue; counted from 0.
        frame: page, where the pages are no channels.
        limits: how much the file may ask for.

    Raises:
        UnreadableError: damaged, beyond the limits, no such channel, or tifffile is missing.
    """
    pages = check_structure(content, "TIFF", limits)
    stacked = _are_channels(pages)
    check_frame(frame or 0, 1 if stacked else len(pages))
    wanted = pages if stacked else [pages[frame or 0]]
    for page in wanted:
        _check_page(page, len(wanted), limits)
    values = _decoded(content, range(len(pages)) if stacked else [frame or 0])
    taken, history, facts = take_channels(values, channels)
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise UnreadableError(f"its channels are of type {values.dtype}, which is no number")
    return as_image(taken, image_dtype(values), "TIFF", history, facts)


def _are_channels(pages: Sequence[Directory]) -> bool:
    """Tell whether the pages are channels: several of one size, one sample a pixel each."""
    sizes = {(page.get(HEIGHT, 0), page.get(WIDTH, 0)) for page in pages}
    return len(pages) > 1 and len(sizes) == 1 and all(page.get(SAMPLES, 1) == 1 for page in pages)


def _check_page(page: Directory, n_pages: int, limits: Limits) -> None:
    height, width, samples = page.get(HEIGHT, 0), page.get(WIDTH, 0), page.get(SAMPLES, 1)
    check_size(height, width, limits)
    if height * width * max(samples, n_pages) > limits.voxels:
        raise UnreadableError(
            f"its header claims {height} x {width} pixels of {max(samples, n_pages)} channels; the limit is "
            f"{limits.voxels:,} numbers (--limit voxels=NUMBER raises it)"
        )
    GATE.claim(BYTES_PER_PIXEL * height * width * max(samples, n_pages))


def _decoded(content: bytes, numbers: Sequence[int]) -> Array:
    """Return (H, W, C) of one page's samples or of several pages."""
    try:
        import tifffile
    except ImportError:
        raise missing_decoder("tifffile") from None
    with decoding_errors("its channels are damaged, or stored in a way that is not read"):
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            read = [_page(file.pages[number], content) for number in numbers]
        return read[0] if len(read) == 1 else np.stack([one[..., 0] for one in read], axis=-1)


def _page(page: Any, content: bytes) -> Array:
    """Decode a page as (H, W, samples)."""
    kind = getattr(page.compression, "name", page.compression)
    if page.compression not in _READ:
        raise UnreadableError(
            f"its channels are compressed as {kind}; plain, LZW, deflate and PackBits are read. Save it as one of these"
        )
    if page.compression in _DEFLATE:
        _check_strips(page, content)
    try:
        values = page.asarray()
    except ValueError as error:
        if "imagecodecs" in str(error):  # tifffile names what it lacks
            raise missing_decoder("imagecodecs", f"{kind} in a TIFF") from None
        raise
    if page.planarconfig == 2 and values.ndim == 3:  # samples in planes of their own
        values = np.moveaxis(values, 0, -1)
    return np.asarray(values).reshape(page.imagelength, page.imagewidth, page.samplesperpixel)


def _check_strips(page: Any, content: bytes) -> None:
    """Refuse strips that unfold to more than their part of the image, before they are unfolded whole."""
    most = int(np.prod(page.chunks)) * page.dtype.itemsize
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        unpack = zlib.decompressobj()
        unpack.decompress(content[start : start + length], most + 1)
        if unpack.unconsumed_tail:
            raise UnreadableError("a strip unfolds to more than the size that the header claims")
