"""Everyday picture files, decoded by Pillow.

Colour profiles (ICC) are not applied: the numbers are delivered as stored, because a profile on a
grey medical picture is an accident of the software that saved it, and two copies must compare equal.
"""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np
import PIL.Image

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.readers.arrays import fill_non_finite, is_grey_as_rgb, orient
from headtohead.data.readers.limits import Limits, check_frame, check_size

__all__ = ["count_raster", "read_raster"]

_PLUGINS = {
    "PNG": ("PngImagePlugin", "PNG"),
    "JPEG": ("JpegImagePlugin", "JPEG"),
    "TIFF": ("TiffImagePlugin", "TIFF"),
    "BMP": ("BmpImagePlugin", "BMP"),
    "WEBP": ("WebPImagePlugin", "WEBP"),
    "GIF": ("GifImagePlugin", "GIF"),
    "JPEG2000": ("Jpeg2KImagePlugin", "JPEG2000"),
    "PNM": ("PpmImagePlugin", "PPM"),
}
_ORIENTATION = 0x0112


def read_raster(content: bytes, kind: str, *, frame: int | None, limits: Limits) -> Image:
    """Decode one page or frame of an everyday picture file.

    Args:
        content: the whole file.
        kind: its format as `sniff` names it.
        frame: page or frame from 0; None for the first, said in the history where there are more.

    Raises:
        UnreadableError: damaged, truncated, beyond the limits, or stored in a way not supported.
    """
    picture = open_picture(content, kind, limits)
    history = list(_go_to(picture, frame, limits))
    orientation, said = _orientation(picture)
    history += said
    mode, depth = picture.mode, _bit_depth(picture)
    _load(picture)
    pixels, said = _to_array(picture)
    history += said
    pixels, said = fill_non_finite(pixels)
    history += said
    facts: dict[str, str] = {}
    if orientation != 1:
        if kind != "TIFF":  # Pillow turns TIFF pages itself
            pixels = orient(pixels, orientation)
        history.append(f"Turned upright: EXIF orientation {orientation} applied.")
        facts["exif_orientation"] = str(orientation)
    if is_grey_as_rgb(pixels):
        facts["grey_as_rgb"] = "yes"
    return Image(pixels, depth, mode, kind, history=tuple(history), facts=facts)


def count_raster(content: bytes, kind: str, *, limits: Limits) -> int:
    """Return the number of pages or frames.

    Raises:
        UnreadableError: damaged or beyond the limits.
    """
    picture = open_picture(content, kind, limits)
    return int(getattr(picture, "n_frames", 1))


def open_picture(content: bytes, kind: str, limits: Limits) -> PIL.Image.Image:
    """Open without decoding, as exactly this format, and hold its claimed size against the limits.

    Raises:
        UnreadableError: no header that Pillow understands, or too many pixels.
    """
    plugin, pillow_name = _PLUGINS[kind]
    importlib.import_module(f"PIL.{plugin}")
    try:
        picture = PIL.Image.open(io.BytesIO(content), formats=(pillow_name,))
    except PIL.Image.DecompressionBombError:
        raise UnreadableError(
            f"its header claims far more than {limits.pixels:,} pixels, the limit: taken for a decompression bomb"
        ) from None
    except PIL.UnidentifiedImageError:
        raise UnreadableError(f"it starts like {kind} but its header is damaged or not supported") from None
    check_size(picture.height, picture.width, limits)
    return picture


def _go_to(picture: PIL.Image.Image, frame: int | None, limits: Limits) -> tuple[str, ...]:
    if frame is None:
        if getattr(picture, "is_animated", False):
            return ("The file holds several pages or frames; the first was taken.",)
        return ()
    count = int(getattr(picture, "n_frames", 1))
    check_frame(frame, count)
    if count == 1:
        return ()
    picture.seek(frame)
    check_size(picture.height, picture.width, limits)
    return (f"Frame {frame} of {count} taken (counted from 0).",)


def _orientation(picture: PIL.Image.Image) -> tuple[int, tuple[str, ...]]:
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - hostile EXIF raises anything; the picture itself may be sound
        return 1, ("Its EXIF data are unreadable and were ignored.",)
    if value in range(1, 9):
        return int(value), ()
    return 1, (f"EXIF orientation ignored: not a number from 1 to 8.",)


def _bit_depth(picture: PIL.Image.Image) -> int:
    raw = _raw_mode(picture)
    if picture.mode == "1":
        return 1
    for suffix, depth in ((";16", 16), (";12", 12), (";4", 4), (";2", 2)):
        if suffix in raw:
            return depth
    if picture.mode.startswith("I;16"):
        return 16
    return 32 if picture.mode in ("I", "F") else 8


def _raw_mode(picture: PIL.Image.Image) -> str:
    tile = getattr(picture, "tile", None)
    if not tile:
        return ""
    args: Any = tile[0][3]
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _load(picture: PIL.Image.Image) -> None:
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UnreadableError(f"its pixel data are truncated or damaged ({error})") from None


def _to_array(picture: PIL.Image.Image) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    mode = picture.mode
    if mode == "1":
        return np.asarray(picture.convert("L")), ("1 bit per pixel: 0 and 1 delivered as 0 and 255.",)
    if mode == "P":
        return _from_palette(picture)
    if mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        return _over_black(picture)
    if mode in ("L", "RGB", "F"):
        return _with_transparency(picture)
    if mode == "I":
        return np.asarray(picture), ()
    if mode.startswith("I;16"):
        return np.asarray(picture).astype(np.uint16), ()
    return np.asarray(picture.convert("RGB")), (f"{mode} converted to RGB.",)


def _with_transparency(picture: PIL.Image.Image) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    return np.asarray(picture), ()


def _from_palette(picture: PIL.Image.Image) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    if "transparency" in picture.info:
        pixels, said = _over_black(picture)
    else:
        pixels, said = np.asarray(picture.convert("RGB")), ()
    if is_grey_as_rgb(pixels):
        return np.ascontiguousarray(pixels[..., 0]), ("Palette of greys looked up.", *said)
    return pixels, ("Palette looked up: RGB.", *said)


def _over_black(picture: PIL.Image.Image) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    rgba = np.asarray(picture.convert("RGBA"))
    alpha = rgba[..., 3:].astype(np.uint16)
    colour = ((rgba[..., :3] * alpha + 127) // 255).astype(np.uint8)
    said = (
        "Alpha channel composited over black."
        if bool((alpha < 255).any())
        else "Opaque alpha channel dropped."
    )
    if picture.mode in ("LA", "La"):
        colour = np.ascontiguousarray(colour[..., 0])
    return colour, (said,)
