"""AVIF through Pillow; HEIC only where the user installed a decoder."""

from __future__ import annotations

import io
import struct
import sys
import types
from typing import Any

import numpy as np
import PIL.features
import PIL.Image
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.listing.left_out import by_format
from headtohead.data.readers import Limits, is_candidate, read_image, sniff
from headtohead.data.readers.raster import heif

PIXELS = np.random.default_rng(0).integers(0, 255, (16, 24, 3), dtype=np.uint8)
HEIC = struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(40)


@pytest.mark.skipif(not PIL.features.check("avif"), reason="this Pillow was built without AVIF")
def test_avif() -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(PIXELS).save(buffer, "AVIF", quality=100, subsampling="4:4:4")
    content = buffer.getvalue()
    assert sniff(content) == "AVIF"
    image = read_image(content)
    assert image.pixels.shape == (16, 24, 3) and np.abs(image.pixels.astype(int) - PIXELS).mean() < 6
    with pytest.raises(UnreadableError, match="limit"):
        read_image(content, limits=Limits(pixels=100))
    with pytest.raises(UnreadableError):
        read_image(content[:-40])


def test_heic_without_a_decoder_is_named_with_the_way_on() -> None:
    if heif.decoder():
        pytest.skip("a decoder for HEIC is installed")
    assert sniff(HEIC) == "" and not is_candidate("a.heic", HEIC)
    (why,) = by_format(["a/1.heic", "a/2.HEIF"])
    assert "HEIC files" in why and "pip install pillow-heif" in why and "LGPL" in why


def test_heic_with_a_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own pillow-heif is taken; here a stand-in that gives known pixels."""

    def opened(file: Any, name: Any) -> Any:
        image = PIL.Image.fromarray(PIXELS)
        image.format = "HEIF"
        return image

    module = types.ModuleType("pillow_heif")
    module.register_heif_opener = lambda: PIL.Image.register_open("HEIF", opened)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", module)
    monkeypatch.setattr(heif, "decoder", lambda: "pillow_heif")
    monkeypatch.setitem(PIL.Image.OPEN, "HEIF", (opened, None))
    assert sniff(HEIC) == "HEIC" and is_candidate("a.heic", HEIC)
    assert (read_image(HEIC).pixels == PIXELS).all()
