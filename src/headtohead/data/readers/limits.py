"""Limits on what one file may claim, and the checks against them.

A header is a claim: thirty bytes can promise an image of 4 billion by 4 billion pixels. Every
reader compares the claim with these limits *before* it asks for memory.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from headtohead.core.errors import UnreadableError
from headtohead.core.safety.bounded_work import GATE
from headtohead.core.safety.limits import limit

__all__ = ["DEFAULT_LIMITS", "Limits", "check_frame", "check_size", "inflate", "raise_pixels"]

MIB = 1 << 20
BYTES_PER_PIXEL = 24  # the peak of reading one; 25 of PNG RGBA with 16 bits and 30 of DICOM YBR were measured


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one file may hold or unfold to.

    Attributes:
        bytes: of the file itself.
        pixels: of one delivered image (height x width).
        frames: pages, frames or slices of one file.
        voxels: of a whole volume or of all frames that have to be decoded for the one asked for.
        unfolded: bytes that a compressed stream (gzip, deflate) may unfold to.
        ratio: unfolded bytes per compressed byte; looked at only beyond `ratio_floor` unfolded bytes,
            because small blank images rightly compress very well.
        ratio_floor: see `ratio`.
        own_files: whether the files are the user's own. HDF5 (and MATLAB 7.3) is read by a C library that has no
            bounds against hostile content, so a server reads none (False).
    """

    bytes: int = field(default_factory=lambda: limit("file-bytes"))
    pixels: int = field(default_factory=lambda: limit("pixels"))
    frames: int = field(default_factory=lambda: limit("frames"))
    voxels: int = field(default_factory=lambda: limit("voxels"))
    unfolded: int = field(default_factory=lambda: limit("unfolded-bytes"))
    ratio: float = 400.0
    ratio_floor: int = 96 * MIB
    own_files: bool = True


DEFAULT_LIMITS = Limits()


def check_size(height: int, width: int, limits: Limits) -> None:
    """Refuse an image without pixels or with more than the limit.

    Raises:
        UnreadableError: the size is not positive, or beyond `limits.pixels`.
    """
    if height <= 0 or width <= 0:
        raise UnreadableError(f"its header claims {height} x {width} pixels; both must be at least 1")
    if height * width > limits.pixels:
        raise UnreadableError(
            f"its header claims {height} x {width} = {height * width:,} pixels; the limit is "
            f"{limits.pixels:,} ({raise_pixels(height * width)}, if the image is really that large)"
        )
    GATE.claim(BYTES_PER_PIXEL * height * width)


def raise_pixels(n_pixels: int) -> str:
    """Return the words that name the options with which so many pixels are allowed.

    >>> raise_pixels(72_000_000)
    '--max-megapixels 72 raises it, or --limit pixels=72000000'
    """
    return f"--max-megapixels {-(-n_pixels // 1_000_000)} raises it, or --limit pixels={n_pixels}"


def check_frame(frame: int, count: int) -> None:
    """Refuse a frame that the file does not hold.

    Raises:
        UnreadableError: `frame` is outside 0 .. count - 1.
    """
    if not 0 <= frame < count:
        available = "1 frame (number 0)" if count == 1 else f"{count} frames (0 to {count - 1})"
        raise UnreadableError(f"frame {frame} was requested; the file holds {available}")


def inflate(content: bytes, need: int, limits: Limits, *, wbits: int, exact: bool = True) -> bytes:
    """Decompress at most `need` bytes of a deflate, zlib or gzip stream, with memory bounded.

    Args:
        content: the compressed stream; whatever follows its end is left alone.
        need: number of bytes wanted from the front.
        wbits: as for `zlib.decompressobj`: 31 gzip, 15 zlib, -15 bare deflate.
        exact: refuse a stream that ends before `need` bytes.

    Raises:
        UnreadableError: beyond the limits, damaged, or (if `exact`) too short.
    """
    _check_unfolding(len(content), need if exact else 0, limits)
    # Parts and the joined whole are held at one time.
    GATE.claim(2 * min(need, int(max(limits.ratio_floor, limits.ratio * len(content)))))
    decompressor = zlib.decompressobj(wbits)
    parts: list[bytes] = []
    n_bytes, rest = 0, content
    try:
        while n_bytes < need and not decompressor.eof:
            part = decompressor.decompress(rest, min(need - n_bytes, 4 * MIB))  # steps, to stop a bomb early
            if not part and not decompressor.unconsumed_tail:
                break
            parts.append(part)
            n_bytes += len(part)
            rest = decompressor.unconsumed_tail
            _check_unfolding(len(content), n_bytes, limits)
        if n_bytes == need and not decompressor.eof:
            decompressor.decompress(rest, 1)  # a stream that ends here has its checksum verified
    except zlib.error:
        raise UnreadableError("its compressed stream is damaged (not valid deflate data)") from None
    if exact and n_bytes < need:
        raise UnreadableError(
            f"its compressed stream ends after {n_bytes:,} of {need:,} bytes; the file is truncated or damaged"
        )
    return b"".join(parts)


def _check_unfolding(packed: int, unfolded: int, limits: Limits) -> None:
    if unfolded > limits.unfolded:
        raise UnreadableError(
            f"{packed:,} bytes unfold to {unfolded:,} or more; the limit is {limits.unfolded:,} "
            "(raise it with --limit unfolded-bytes=NUMBER if that is meant)"
        )
    if unfolded > limits.ratio_floor and unfolded > limits.ratio * max(packed, 1):
        raise UnreadableError(
            f"{packed:,} bytes unfold to {unfolded:,} or more, over {limits.ratio:g} times their size: "
            "taken for a decompression bomb (raise Limits.ratio if the data are really that blank)"
        )
