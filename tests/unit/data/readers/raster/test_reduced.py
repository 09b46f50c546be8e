"""Slides and scans over the limit of pixels are read at a smaller level."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, claimed_size, count_frames, read_image

LIMITS = Limits(pixels=40_000)
Y, X = np.mgrid[:400, :320]
SLIDE = np.stack([(X * 255 // 319), (Y * 255 // 399), (X + Y) % 256], -1).astype(np.uint8)


def pyramid(compression: str | None = None, thumbnail: bool = True) -> bytes:
    """A slide as Aperio's scanners write it: the whole, a thumbnail in strips, smaller levels, a label."""
    buffer = io.BytesIO()
    options: dict[str, Any] = {"photometric": "rgb", "tile": (64, 64), "compression": compression}
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(SLIDE, **options)
        if thumbnail:
            writer.write(SLIDE[::10, ::10], photometric="rgb")
        writer.write(SLIDE[::2, ::2], **options)
        writer.write(SLIDE[::4, ::4], **options)
        writer.write(np.zeros((190, 200, 3), np.uint8), photometric="rgb")
    return buffer.getvalue()


@pytest.mark.parametrize("compression", [None, "deflate", "jpeg"])
def test_the_largest_level_within_the_limit(compression: str | None) -> None:
    content = pyramid(compression)
    image = read_image(content, limits=LIMITS)
    assert image.pixels.shape == (200, 160, 3)
    assert np.abs(image.pixels.astype(int) - SLIDE[::2, ::2]).mean() < (20 if compression == "jpeg" else 1e-9)
    assert any("400 x 320" in note and "level" in note for note in image.history)
    assert count_frames(content, limits=LIMITS) == 1 and claimed_size(content, LIMITS) == (200, 160)
    assert read_image(content).pixels.shape == (400, 320, 3), "within the limit the whole is read"
    assert read_image(content, limits=Limits(pixels=10_000)).pixels.shape == (100, 80, 3)


def test_without_a_smaller_level_the_way_on_is_named() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, SLIDE, photometric="rgb")
    with pytest.raises(UnreadableError, match="no smaller level"):
        read_image(buffer.getvalue(), limits=LIMITS)
    with pytest.raises(UnreadableError, match="1 frame"):
        read_image(pyramid(), frame=1, limits=LIMITS)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_jpeg_is_decoded_at_a_fraction(progressive: bool) -> None:
    buffer = io.BytesIO()
    PillowImage.fromarray(SLIDE).save(buffer, "JPEG", quality=95, progressive=progressive)
    content = buffer.getvalue()
    image = read_image(content, limits=LIMITS)
    assert image.pixels.shape == (200, 160, 3) and any("400 x 320" in note for note in image.history)
    assert claimed_size(content, LIMITS) == (200, 160)
    quarter = Limits(pixels=10_000)
    if progressive:
        with pytest.raises(UnreadableError, match="limit"):
            read_image(content, limits=quarter)
    else:
        assert read_image(content, limits=quarter).pixels.shape == (100, 80, 3)
    with pytest.raises(UnreadableError, match="limit"):
        read_image(content, limits=Limits(pixels=1000))


def test_five_channels_are_named_as_such() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((20, 24, 5), np.uint8), photometric="minisblack", planarconfig="contig")
    with pytest.raises(UnreadableError, match="5 channels"):
        read_image(buffer.getvalue())
