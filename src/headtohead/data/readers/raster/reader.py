"""Read PNG, JPEG, TIFF, BMP, WebP, GIF, JPEG 2000, AVIF and PNM files with Pillow.

Colour profiles (ICC) are not applied: the numbers are delivered as stored, because a profile on a
grey medical image is an accident of the software that saved it, and two copies must compare equal.
"""

from __future__ import annotations

import importlib
import io
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.features
import PIL.Image

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.readers.arrays import fill_non_finite, is_grey_as_rgb, orient
from headtohead.data.readers.errors import decoding_errors, missing_decoder
from headtohead.data.readers.limits import Limits, check_frame, check_size
from headtohead.data.readers.raster import heif
from headtohead.data.readers.raster.guard import check_structure, count_gif
from headtohead.data.readers.raster.libtiff_errors import capture_libtiff_errors
from headtohead.data.readers.raster.pixels import (
    bit_depth,
    decode_wide,
    is_grey_alpha,
    is_wide,
    maxval,
    raw_mode,
    to_array,
)
from headtohead.data.readers.raster.reduced import (
    open_reduced_jpeg,
    open_reduced_tiff,
    reduced_level,
    refuse_jpeg2000,
)
from headtohead.data.readers.raster.tiff_tags import (
    HEIGHT,
    ORIENTATION,
    PHOTOMETRIC,
    SAMPLES,
    WIDTH,
    Directory,
    exif_orientation,
)

__all__ = ["count_raster", "read_raster", "size_raster"]

Array = npt.NDArray[Any]
Notes = tuple[str, ...]
_PLUGINS = {
    "PNG": ("PngImagePlugin", "PNG"),
    "JPEG": ("JpegImagePlugin", "JPEG"),
    "TIFF": ("TiffImagePlugin", "TIFF"),
    "BMP": ("BmpImagePlugin", "BMP"),
    "WEBP": ("WebPImagePlugin", "WEBP"),
    "GIF": ("GifImagePlugin", "GIF"),
    "JPEG2000": ("Jpeg2KImagePlugin", "JPEG2000"),
    "AVIF": ("AvifImagePlugin", "AVIF"),
    "HEIC": ("", "HEIF"),
    "PNM": ("PpmImagePlugin", "PPM"),
}
_FEATURES = {"JPEG": "jpg", "JPEG2000": "jpg_2000", "PNG": "zlib", "WEBP": "webp", "AVIF": "avif"}
"""What a build of Pillow may leave out."""


def read_raster(content: bytes, kind: str, *, frame: int | None, limits: Limits) -> Image:
    """Decode one page or frame of an everyday image file.

    Args:
        content: the whole file.
        kind: its format as `sniff` names it.
        frame: page or frame from 0; None for the first; the history says so where there are more.

    Raises:
        UnreadableError: damaged, truncated, beyond the limits, or stored in a way not supported.
    """
    opened = _open(content, kind, limits)
    image, pages = opened.image, opened.pages
    count = len(pages) or _count(image, content, kind, limits)
    page_notes = (*opened.notes, *_go_to(image, frame, count, limits))
    page = pages[frame or 0] if pages else None
    orientation, exif_notes = _orientation(image, page)
    depth = bit_depth(image, content)
    mode = "LA" if is_grey_alpha(raw_mode(image)) else image.mode  # Pillow calls 16-bit LA "RGBA"
    with capture_libtiff_errors() if kind == "TIFF" else nullcontext():
        pixels, notes = _decode(image, content, opened.level or frame or 0, depth)
    if page is not None:  # Pillow and OpenCV rotate TIFF pages themselves
        pixels, white_notes = _undo_white(pixels, page, depth)
        notes = (*notes, *white_notes)
    else:
        pixels = orient(pixels, orientation)
    pixels, repair_notes = fill_non_finite(pixels)
    facts = {} if orientation == 1 else {"exif_orientation": str(orientation)}
    if is_grey_as_rgb(pixels):
        facts["grey_as_rgb"] = "yes"
    return Image(pixels, depth, mode, kind, None, (*page_notes, *notes, *repair_notes, *exif_notes), facts)


def count_raster(content: bytes, kind: str, *, limits: Limits) -> int:
    """Return the number of pages or frames.

    Raises:
        UnreadableError: damaged or beyond the limits.
    """
    opened = _open(content, kind, limits)
    return len(opened.pages) or _count(opened.image, content, kind, limits)


def size_raster(content: bytes, kind: str, *, limits: Limits) -> tuple[int, int]:
    """Return the (height, width) that the header claims.

    Raises:
        UnreadableError: damaged or beyond the limits.
    """
    image = _open(content, kind, limits).image
    return image.height, image.width


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file whose header is read, and its pages if it is a TIFF.

    Attributes:
        level: the page that stands for a whole beyond the limit, 0 where it is read itself.
        notes: what was decided, one sentence each.
    """

    image: PIL.Image.Image
    pages: list[Directory]
    level: int = 0
    notes: Notes = ()


def _open(content: bytes, kind: str, limits: Limits) -> _Opened:
    """Open without decoding, as exactly this format, and hold its claimed size against the limits."""
    pages = check_structure(content, kind, limits)
    if kind in _FEATURES and not PIL.features.check(_FEATURES[kind]):
        raise missing_decoder("pillow", f"{kind}, which the Pillow installed was built without")
    smaller = _smaller(content, kind, pages, limits)
    if smaller is not None:
        return smaller
    plugin, pillow_name = _PLUGINS[kind]
    if plugin:
        importlib.import_module(f"PIL.{plugin}")
    else:
        heif.register()
    with decoding_errors(
        f"it starts like {kind} but its header is damaged, not supported, or claims an absurd size"
    ):
        image = PIL.Image.open(io.BytesIO(content), formats=(pillow_name,))
    check_size(image.height, image.width, limits)
    return _Opened(image, pages)


def _smaller(content: bytes, kind: str, pages: list[Directory], limits: Limits) -> _Opened | None:
    """Return a slide or scan beyond the limit of pixels at a level within it, None where none is needed or found."""
    damaged = "its header is damaged or not supported"
    if kind == "TIFF":
        channels = pages[0].get(SAMPLES, 1)
        if channels > 4:
            raise UnreadableError(
                f"it has {channels} channels; 1, 3 or 4 (with alpha) are read. Choose three, such as --channels 0,1,2, "
                "or one"
            )
        level = reduced_level(pages, limits)
        refuse_jpeg2000(pages[level or 0])
        if level is None:
            return None
        with decoding_errors(damaged):
            image = open_reduced_tiff(content, pages, level)
        whole = (pages[0].get(HEIGHT, 0), pages[0].get(WIDTH, 0))
        found = _Opened(
            image, [pages[level]], level, (_reduced_note(whole, image, f"level {level} of the file"),)
        )
    elif kind == "JPEG":
        with decoding_errors(damaged):
            scaled = open_reduced_jpeg(content, limits)
        if scaled is None:
            return None
        image, whole = scaled
        found = _Opened(image, [], 0, (_reduced_note(whole, image, "decoded at a fraction of its level"),))
    else:
        return None
    check_size(found.image.height, found.image.width, limits)
    return found


def _reduced_note(whole: tuple[int, int], image: PIL.Image.Image, how: str) -> str:
    size = f"{image.height} x {image.width}"
    return f"The whole has {whole[0]} x {whole[1]} pixels, more than the limit: read at {size} ({how})."


def _count(image: PIL.Image.Image, content: bytes, kind: str, limits: Limits) -> int:
    """Count the frames without decoding; the second image some phones put into a JPEG is no frame."""
    if kind == "JPEG":
        return 1
    count = count_gif(content, limits.frames) if kind == "GIF" else int(getattr(image, "n_frames", 1))
    if count > limits.frames:
        raise UnreadableError(
            f"it claims {count:,} frames; the limit is {limits.frames:,} (--limit frames=NUMBER raises it)"
        )
    return max(1, count)


def _go_to(image: PIL.Image.Image, frame: int | None, count: int, limits: Limits) -> Notes:
    """Move to the frame asked for; frames that build on earlier ones cost all of these."""
    check_frame(frame or 0, count)
    if frame:
        if image.format != "TIFF" and (frame + 1) * image.height * image.width > limits.voxels:
            raise UnreadableError(
                f"frame {frame} needs {frame} earlier ones decoded: beyond the limit of {limits.voxels:,} pixels "
                "(--limit voxels=NUMBER raises it)"
            )
        with decoding_errors(f"frame {frame} cannot be reached: the file is truncated or damaged"):
            image.seek(frame)
        check_size(image.height, image.width, limits)  # pages may be larger than the first
    if count == 1:
        return ()
    if frame is None:
        return (f"The file holds {count} pages or frames; the first was taken.",)
    return (f"Frame {frame} of {count} taken (counted from 0).",)


def _orientation(image: PIL.Image.Image, page: Directory | None) -> tuple[int, Notes]:
    """Return the orientation that the file states (1 where none) and the sentence about it."""
    if page is not None:
        stated = page.get(ORIENTATION, 1)
        orientation = stated if 1 <= stated <= 8 else 1
    else:
        blob = image.info.get("exif")
        if not isinstance(blob, bytes):
            return 1, ()
        try:
            orientation = exif_orientation(blob)
        except UnreadableError as error:
            return 1, (f"EXIF ignored: {error}.",)
    notes = () if orientation == 1 else (f"Rotated upright: orientation {orientation} undone.",)
    return orientation, notes


def _decode(image: PIL.Image.Image, content: bytes, page: int, depth: int) -> tuple[Array, Notes]:
    # before the pixels are loaded, which forgets the layout that the decoder was given
    wide, raw, declared = is_wide(image, depth), raw_mode(image), maxval(image)
    with decoding_errors("its pixel data are truncated or damaged"):
        image.load()
    if wide:
        return decode_wide(content, page, (image.height, image.width), grey=is_grey_alpha(raw))
    return to_array(image, raw, depth, declared)


def _undo_white(pixels: Array, page: Directory, depth: int) -> tuple[Array, Notes]:
    """Invert a TIFF page whose zero is white, so that higher is brighter (Pillow does so up to 8 bits)."""
    if page.get(PHOTOMETRIC, 1) != 0:
        return pixels, ()
    if pixels.dtype == np.uint8:
        return pixels, ("Zero is white in the file: inverted.",)
    if pixels.dtype == np.uint16:
        return (1 << min(depth, 16)) - 1 - pixels, ("Zero is white in the file: inverted.",)
    return pixels, ("Zero is white in the file: left as stored (no defined range to invert in).",)
