"""Turn an opened Pillow image into the numbers that the file stores."""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.arrays import is_grey_as_rgb, narrow
from headtohead.data.readers.raster.codestream_header import codestream_shape

__all__ = ["bit_depth", "decode_wide", "is_grey_alpha", "is_wide", "raw_mode", "to_array"]

Array = npt.NDArray[Any]
Notes = tuple[str, ...]
_OPENCV = threading.Lock()
_COLOUR_MODES = ("RGB", "RGBA", "RGBX", "LA")


def raw_mode(image: PIL.Image.Image) -> str:
    """Return the layout that was given to the decoder ("RGB;16B", "L;4", …), "" if there was none.

    Must be asked before the pixels are loaded: loading forgets it.
    """
    tile = getattr(image, "tile", None)
    args = tile[0][3] if tile else None
    layout = args[0] if isinstance(args, tuple) and args else args
    return layout if isinstance(layout, str) else ""


def is_grey_alpha(raw: str) -> bool:
    """Return whether a decoder's layout is grey with transparency.

    >>> is_grey_alpha("LA"), is_grey_alpha("LA;16B"), is_grey_alpha("LAB")
    (True, True, False)
    """
    return raw.partition(";")[0] == "LA"


def maxval(image: PIL.Image.Image) -> int | None:
    """Return the greatest value that a PNM file declares, if its decoder will rescale by it."""
    tile = getattr(image, "tile", None)
    if not tile or tile[0][0] not in ("ppm", "ppm_plain"):
        return None
    args = tile[0][3]
    return int(args[1]) if isinstance(args, tuple) and len(args) > 1 and isinstance(args[1], int) else None


def bit_depth(image: PIL.Image.Image, content: bytes) -> int:
    """Return the bits per channel that the file stores; ask before loading."""
    if image.format == "JPEG2000":
        claim = codestream_shape(content)
        return claim[3] if claim else 8
    declared, raw = maxval(image), raw_mode(image)
    if declared is not None:
        return max(1, declared.bit_length())
    if image.mode == "1":
        return 1
    if raw in ("BGR;15", "BGR;16"):  # BMP with 5 (green: 5 or 6) bits per channel
        return 5
    bits = re.search(r";(16|12|4|2|1)(?!\d)", raw)
    if bits:
        return int(bits[1])
    if image.mode.startswith("I;16"):
        return 16
    return 32 if image.mode in ("I", "F") else 8


def is_wide(image: PIL.Image.Image, depth: int) -> bool:
    """Tell whether these are colours of more than 8 bits, which Pillow would cut down to 8."""
    return depth > 8 and image.mode in _COLOUR_MODES


def decode_wide(content: bytes, page: int, size: tuple[int, int], *, grey: bool) -> tuple[Array, Notes]:
    """Decode colours of 9 to 16 bits with OpenCV, which keeps them.

    Args:
        content: a file whose pixel data Pillow has decoded whole.
        page: page of a TIFF.
        size: (height, width) expected.
        grey: whether the file holds grey (with alpha), which OpenCV gives as three equal channels.

    Returns:
        (H, W, 3) or (H, W) uint16, alpha composited over black; rotated upright in case of a TIFF only,
        as Pillow does.

    Raises:
        UnreadableError: OpenCV disagrees about what the file holds.
    """
    decoded = _opencv(np.frombuffer(content, np.uint8), page)
    if decoded is None or decoded.dtype != np.uint16 or decoded.shape[:2] != size:
        raise UnreadableError("its colours have more than 8 bits and are stored in a way that is not read")
    if decoded.ndim == 2:
        return decoded, ()
    colour = decoded[..., 0] if grey else np.ascontiguousarray(decoded[..., 2::-1])  # OpenCV has BGR
    if decoded.shape[2] < 4:
        return colour, ()
    return _composite(colour, decoded[..., 3] if grey else decoded[..., 3:])


def _opencv(data: Array, page: int) -> Any:
    """Decode with OpenCV's log muted; its level is global, so a lock is needed."""
    import cv2

    with _OPENCV:
        log: Any = cv2.utils.logging
        level = log.getLogLevel()
        log.setLogLevel(log.LOG_LEVEL_SILENT)
        try:
            if not page:
                return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            _, pages = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED, range=(page, page + 1))
            return pages[0] if pages else None
        except cv2.error:
            return None
        finally:
            log.setLogLevel(level)


def to_array(image: PIL.Image.Image, raw: str, depth: int, declared: int | None) -> tuple[Array, Notes]:
    """Return the loaded pixels, (H, W) or (H, W, 3), and what was done to them.

    Args:
        image: loaded.
        raw: its `raw_mode`, depth: its `bit_depth`, declared: its `maxval`, all from before loading.

    Raises:
        UnreadableError: a colour mode without a defined way to RGB.
    """
    mode = image.mode
    if mode == "P":
        return _from_palette(image)
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or (mode in ("L", "RGB") and "transparency" in image.info):
        return _over_black(image)
    if mode == "1":
        return np.asarray(image.convert("L")), ("1 bit per pixel: 0 and 1 delivered as 0 and 255.",)
    if mode in ("L", "RGB"):
        return _undo_scaling(np.asarray(image), declared, 255), ()
    if mode == "F":
        return np.asarray(image), ()
    if mode == "I" or mode.startswith("I;16"):
        return _whole_numbers(image, raw, depth, declared)
    try:
        return np.asarray(image.convert("RGB")), (f"{mode} converted to RGB.",)
    except ValueError:
        raise UnreadableError(f"its colour mode {mode} has no plain way to RGB; save it as RGB") from None


def _whole_numbers(image: PIL.Image.Image, raw: str, depth: int, declared: int | None) -> tuple[Array, Notes]:
    pixels = np.asarray(image)
    if declared is not None:
        return _undo_scaling(pixels, declared, 65535).astype(np.uint16), ()
    if image.mode.startswith("I;16"):
        pixels = pixels.astype(np.uint16)
        if image.format == "JPEG2000" and depth < 16:  # Pillow moves 9 to 15 bits up to 16
            pixels = pixels >> (16 - depth)
        return pixels, ()
    if ";16" in raw:
        return pixels.astype(np.int16 if "S" in raw else np.uint16), ()
    if "32" in raw and "S" not in raw and raw.startswith("I;32"):
        unsigned = pixels.view(np.uint32)  # Pillow's mode I is signed
        small = bool((pixels >= 0).all())
        notes = () if small else ("Unsigned 32-bit numbers beyond 2**31 rounded to 32-bit floats.",)
        return (pixels if small else narrow(unsigned, 0, 2.0**32)), notes
    return pixels, ()


def _undo_scaling(pixels: Array, declared: int | None, top: int) -> Array:
    """Undo Pillow's stretch of PNM values to 0 .. top, which is exact for smaller maxima."""
    if declared is None or declared >= top:
        return pixels
    return np.rint(pixels.astype(np.float64) * declared / top).astype(pixels.dtype)


def _from_palette(image: PIL.Image.Image) -> tuple[Array, Notes]:
    if "transparency" in image.info:
        pixels, notes = _over_black(image)
    else:
        pixels, notes = np.asarray(image.convert("RGB")), ()
    if is_grey_as_rgb(pixels):
        return np.ascontiguousarray(pixels[..., 0]), ("Palette of greys looked up.", *notes)
    return pixels, ("Palette looked up: RGB.", *notes)


def _over_black(image: PIL.Image.Image) -> tuple[Array, Notes]:
    grey = image.mode in ("L", "LA", "La")
    straight = image.convert("LA") if image.mode == "La" else image  # Pillow converts La to LA alone
    rgba = np.asarray(straight.convert("RGBA"))
    colour, notes = _composite(rgba[..., :3], rgba[..., 3:])
    return (np.ascontiguousarray(colour[..., 0]) if grey else colour), notes


def _composite(colour: Array, alpha: Array) -> tuple[Array, Notes]:
    """Return colour x alpha (rounded), so that what is transparent is black."""
    top = int(np.iinfo(colour.dtype).max)
    if bool((alpha == top).all()):
        return np.ascontiguousarray(colour), ("Opaque alpha channel dropped.",)
    mixed = np.empty_like(colour, order="C")
    step = max(1, (1 << 20) // max(1, colour.shape[1]))
    for row in range(0, len(colour), step):  # in strips: the products need four times the memory
        part = colour[row : row + step].astype(np.uint32)
        mixed[row : row + step] = (part * alpha[row : row + step] + top // 2) // top
    return mixed, ("Alpha channel composited over black.",)
