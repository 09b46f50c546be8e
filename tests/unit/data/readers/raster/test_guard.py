"""Everyday images that are damaged or lie about themselves: the whole image, or a reason."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, count_frames, read_image

Array = npt.NDArray[Any]
Maker = Callable[..., bytes]


def scene(height: int = 33, width: int = 47) -> Array:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


CUTS = ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "JPEG2000", "PPM"]


@pytest.mark.parametrize("kind", CUTS)
def test_a_truncated_file_gives_the_whole_image_or_none(saved: Maker, kind: str) -> None:
    smooth = cv2.resize(scene(6, 8), (64, 48), interpolation=cv2.INTER_CUBIC)
    content = saved(smooth, kind)
    whole = read_image(content).pixels
    refused = 0
    for cut in np.linspace(1, len(content) - 1, 60).astype(int):
        try:
            part = read_image(content[:cut])
        except UnreadableError as error:
            refused += 1
            assert str(error)
        else:
            assert np.array_equal(part.pixels, whole)
    assert refused >= 55


def test_damage_under_a_png_checksum_is_refused(saved: Maker) -> None:
    content = bytearray(saved(scene()[..., 0], "PNG", compress_level=0))
    content[len(content) // 2] ^= 1  # stored, not compressed: it would decode to a wrong pixel
    with pytest.raises(UnreadableError, match="IDAT chunk does not match its checksum"):
        read_image(bytes(content))


def test_claims_beyond_the_limits_are_refused_by_name(png_of: Maker) -> None:
    with pytest.raises(UnreadableError, match="9000 x 9000 = 81,000,000 pixels; the limit is 64,000,000"):
        read_image(png_of(9000, 9000))
    with pytest.raises(UnreadableError, match="absurd size"):
        read_image(png_of(2_000_000_000, 2_000_000_000))
    with pytest.raises(UnreadableError, match="limit is 5"):
        read_image(png_of(3, 2), limits=Limits(pixels=5))
    with pytest.raises(UnreadableError, match=r"the limit is 10 \(--limit file-bytes"):
        read_image(png_of(3, 2), limits=Limits(bytes=10))


def test_a_text_bomb_in_a_png_is_refused(png_of: Maker) -> None:
    bomb = b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9)
    with pytest.raises(UnreadableError):
        read_image(png_of(3, 2, bomb))


def test_too_many_pages_and_scans_are_refused(saved: Maker) -> None:
    pages = [PIL.Image.new("L", (2, 2), shade) for shade in range(0, 240, 40)]
    for kind in ("TIFF", "GIF", "PNG", "WEBP"):
        content = saved(pages[0], kind, save_all=True, append_images=pages[1:])
        assert count_frames(content, limits=Limits(frames=6)) == 6
        with pytest.raises(UnreadableError, match="limit"):
            count_frames(content, limits=Limits(frames=5))
    content = saved(scene(), "JPEG", progressive=True)
    start = content.index(b"\xff\xda")
    with pytest.raises(UnreadableError, match="scans"):
        read_image(content[:start] + content[start : start + 60] * 400)


def test_a_webp_canvas_is_checked_before_it_is_reserved() -> None:
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\x00" + b"\xff\x3f\x00"
    with pytest.raises(UnreadableError, match="16384 x 16384"):
        read_image(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body)


def test_a_jpeg_2000_whose_stream_is_larger_than_its_boxes_is_refused(saved: Maker) -> None:
    content = bytearray(saved(scene(), "JPEG2000"))
    place = content.index(b"\xff\x4f\xff\x51") + 8
    content[place : place + 8] = struct.pack(">II", 100_000, 100_000)
    with pytest.raises(UnreadableError, match="100000 x 100000"):
        read_image(bytes(content))
    decoy = b"uuid" + b"\xff\x4f\xff\x51" + struct.pack(">HH4I", 41, 0, 47, 33, 0, 0) + bytes(60)
    box = struct.pack(">I", len(decoy) + 4) + decoy
    with pytest.raises(UnreadableError, match="100000 x 100000"):
        read_image(bytes(content[:12]) + box + bytes(content[12:]))


def test_a_late_frame_that_costs_all_earlier_ones_is_bounded(saved: Maker) -> None:
    frames = [PIL.Image.fromarray(np.full((9, 9), shade, np.uint8)) for shade in range(0, 250, 25)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableError, match="needs 9 earlier ones"):
        read_image(content, frame=9, limits=Limits(voxels=500))


def test_a_pillow_built_without_a_format_is_no_damage(saved: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(scene(), "WEBP")
    monkeypatch.setattr("PIL.features.check", lambda feature: feature != "webp")
    with pytest.raises(UnreadableError, match=r"decoder pillow is missing; .* built without"):
        read_image(content)
    assert read_image(saved(scene(), "PNG")).pixels.shape == scene().shape


# ---- what libtiff says -----------------------------------------------------------------------
