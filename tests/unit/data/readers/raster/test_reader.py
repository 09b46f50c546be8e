"""Everyday images: values as stored, upright, by content, and never half an image."""

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
from openjpeg.utils import encode_array as encode

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import count_frames, read_image

Array = npt.NDArray[Any]
Maker = Callable[..., bytes]


def scene(height: int = 33, width: int = 47) -> Array:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000", "PPM"])
def test_lossless_formats_give_the_very_pixels(saved: Maker, kind: str) -> None:
    grey = scene()[..., 0]
    options = {"lossless": True} if kind == "WEBP" else {}
    image = read_image(saved(PIL.Image.fromarray(grey), kind, **options))
    pixels = image.pixels if image.pixels.ndim == 2 else image.pixels[..., 0]
    assert np.array_equal(pixels, grey)
    assert image.format == {"PPM": "PNM"}.get(kind, kind)
    assert image.bit_depth == 8


def test_jpeg_equals_an_independent_decoder(saved: Maker) -> None:
    smooth = cv2.resize(scene(8, 8), (64, 48), interpolation=cv2.INTER_CUBIC)
    content = saved(smooth, "JPEG", quality=95, subsampling=0)
    other = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert other is not None
    difference = np.abs(read_image(content).pixels.astype(int) - other[..., ::-1])
    assert difference.max() <= 2


def test_the_suffix_plays_no_part(saved: Maker) -> None:
    image = read_image(saved(scene(), "PNG"), name="scan.jpg")
    assert (image.format, image.mode) == ("PNG", "RGB")


def test_equal_channels_stay_three_and_are_told(saved: Maker) -> None:
    grey = np.repeat(scene()[..., :1], 3, axis=2)
    image = read_image(saved(grey, "PNG"))
    assert image.pixels.shape == (33, 47, 3)
    assert image.facts["grey_as_rgb"] == "yes"
    assert "grey_as_rgb" not in read_image(saved(scene(), "PNG")).facts


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
def test_16_bit_grey_stays(suffix: str) -> None:
    deep = np.random.default_rng(2).integers(0, 65536, (21, 34), dtype=np.uint16)
    image = read_image(cv2.imencode(suffix, deep)[1].tobytes())
    assert image.pixels.dtype == np.uint16
    assert image.bit_depth == 16
    assert np.array_equal(image.pixels, deep)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".ppm"])
def test_16_bit_colours_stay(suffix: str) -> None:
    deep = np.random.default_rng(3).integers(0, 65536, (21, 34, 3), dtype=np.uint16)
    image = read_image(cv2.imencode(suffix, deep[..., ::-1])[1].tobytes())
    assert image.pixels.dtype == np.uint16
    assert image.bit_depth == 16
    assert np.array_equal(image.pixels, deep)


def test_16_bit_grey_with_alpha_stays_grey_and_deep(rng: np.random.Generator, png_of: Maker) -> None:
    both = rng.integers(0, 65536, (5, 6, 2), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in both)
    image = read_image(png_of(6, 5, depth=16, colour=4, body=rows))
    expected = np.floor(both[..., 0] * (both[..., 1] / 65535.0) + 0.5)
    assert image.pixels.dtype == np.uint16
    assert np.array_equal(image.pixels, expected)
    assert image.mode == "LA"


def test_bmp_of_15_bits() -> None:
    head = struct.pack("<2sIHHI", b"BM", 62, 0, 0, 54) + struct.pack(
        "<IiiHHIIiiII", 40, 2, 2, 1, 16, 0, 8, 0, 0, 0, 0
    )
    image = read_image(head + struct.pack("<4H", 0x7C00, 0x03E0, 0x001F, 0x7FFF))
    assert image.pixels.tolist() == [[[0, 0, 255], [255, 255, 255]], [[255, 0, 0], [0, 255, 0]]]
    assert image.bit_depth == 5


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_number_types(tiff: Maker, dtype: str, order: str) -> None:
    top = {"uint8": 255, "uint16": 65535, "int16": 32767, "int32": 2**31 - 1, "float32": 9.5}[dtype]
    pixels = np.array([[0, 1, top], [top, 2, 3]], dtype=dtype)
    pixels = -pixels if dtype in ("int16", "int32", "float32") else pixels
    image = read_image(tiff(pixels, order=order))
    assert image.pixels.dtype == np.dtype(dtype)
    assert np.array_equal(image.pixels, pixels)


def test_big_tiff(saved: Maker) -> None:
    content = saved(scene(), "TIFF", big_tiff=True)
    assert content[:4] == b"II+\0"
    assert np.array_equal(read_image(content).pixels, scene())


def test_float_pixels_that_are_not_finite_are_filled_and_told(tiff: Maker) -> None:
    pixels = np.array([[1.5, np.nan, 2.5], [np.inf, -np.inf, 7.0]], dtype=np.float32)
    image = read_image(tiff(pixels))
    assert np.array_equal(image.pixels, [[1.5, 1.5, 2.5], [7.0, 1.5, 7.0]])
    assert any("1 NaN" in line and "2 infinite" in line for line in image.history)
    with pytest.raises(UnreadableError, match="none of its pixels is a finite number"):
        read_image(tiff(np.full((2, 2), np.nan, dtype=np.float32)))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_tiff_whose_zero_is_white_is_inverted(tiff: Maker, dtype: str) -> None:
    pixels = np.array([[0, 1], [100, 255]], dtype=dtype)
    image = read_image(tiff(pixels, {262: 0}))
    assert np.array_equal(image.pixels, np.iinfo(dtype).max - pixels)
    assert "Zero is white in the file: inverted." in image.history


TURNS: dict[int, Callable[[Array], Array]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: a[::-1, ::-1],
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.swapaxes(a[::-1, ::-1], 0, 1),
    8: lambda a: np.rot90(a, 1),
}


def with_exif(png: bytes, exif: PIL.Image.Exif) -> bytes:
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    return png[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + png[33:]


@pytest.mark.parametrize("orientation", sorted(TURNS))
def test_exif_orientation_is_undone_and_told(saved: Maker, tiff: Maker, orientation: int) -> None:
    pixels = scene(4, 6)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    deep = pixels.astype(np.uint16) * 257
    contents = [
        (saved(pixels, "PNG", exif=exif), pixels),
        (saved(pixels, "WEBP", lossless=True, exif=exif), pixels),
        (tiff(pixels, {274: orientation}), pixels),
        (tiff(deep, {274: orientation}), deep),
        (with_exif(cv2.imencode(".png", deep[..., ::-1])[1].tobytes(), exif), deep),
    ]
    for content, expected in contents:
        image = read_image(content)
        assert np.array_equal(image.pixels, TURNS[orientation](expected))
        told = [line for line in image.history if "Rotated upright" in line]
        assert bool(told) == (orientation != 1)
        assert image.facts.get("exif_orientation") == (str(orientation) if orientation != 1 else None)


def test_broken_exif_is_ignored_and_told(saved: Maker) -> None:
    content = saved(scene(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    image = read_image(content)
    assert any(line.startswith("EXIF ignored") for line in image.history)
    exif = PIL.Image.Exif()
    exif[0x0112] = 9
    assert any("orientation 9" in line for line in read_image(saved(scene(), "JPEG", exif=exif)).history)


def test_alpha_is_composited_over_black(saved: Maker) -> None:
    rgba = np.dstack([scene(), np.full((33, 47), 255, np.uint8)])
    opaque = read_image(saved(rgba, "PNG"))
    assert np.array_equal(opaque.pixels, scene())
    assert "Opaque alpha channel dropped." in opaque.history
    rgba[..., 3] = np.arange(33 * 47).reshape(33, 47) % 256
    image = read_image(saved(rgba, "PNG"))
    expected = np.floor(scene() * (rgba[..., 3:] / 255.0) + 0.5)
    assert np.abs(image.pixels - expected).max() == 0
    assert "Alpha channel composited over black." in image.history
    assert image.mode == "RGBA"


def test_grey_with_alpha_stays_grey(saved: Maker) -> None:
    grey, alpha = (PIL.Image.fromarray(scene()[..., i]) for i in range(2))
    image = read_image(saved(PIL.Image.merge("LA", [grey, alpha]), "PNG"))
    expected = np.floor(scene()[..., 0] * (scene()[..., 1] / 255.0) + 0.5)
    assert np.array_equal(image.pixels, expected)
    assert image.mode == "LA"


def test_cielab_has_no_transparency(saved: Maker) -> None:
    lab = PIL.Image.fromarray(scene()).convert("LAB")
    image = read_image(saved(lab, "TIFF"))
    assert image.mode == "LAB" and image.pixels.shape == (33, 47, 3)


def test_transparent_colour_becomes_black(saved: Maker) -> None:
    pixels = np.array([[[9, 9, 9], [200, 1, 2]]], dtype=np.uint8)
    image = read_image(saved(pixels, "PNG", transparency=(200, 1, 2)))
    assert image.pixels.tolist() == [[[9, 9, 9], [0, 0, 0]]]


def test_palettes(saved: Maker) -> None:
    indices = PIL.Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), "L").convert("P")
    indices.putpalette([10, 20, 30, 40, 50, 60, 70, 70, 70] + [0] * 759)
    colour = read_image(saved(indices, "PNG"))
    assert colour.pixels.tolist() == [[[10, 20, 30], [40, 50, 60], [70, 70, 70]]]
    assert (colour.mode, colour.history) == ("P", ("Palette looked up: RGB.",))
    indices.putpalette([10, 10, 10, 40, 40, 40, 70, 70, 70] + [0] * 759)
    grey = read_image(saved(indices, "GIF"))
    assert grey.pixels.tolist() == [[10, 40, 70]]


def test_one_bit_and_cmyk_are_told(saved: Maker) -> None:
    bits = read_image(saved(PIL.Image.fromarray(scene()[..., 0] > 127), "PNG"))
    assert set(np.unique(bits.pixels)) == {0, 255}
    assert (bits.bit_depth, bits.mode) == (1, "1")
    inks = PIL.Image.fromarray(scene()).convert("CMYK")
    image = read_image(saved(inks, "TIFF"))
    assert np.array_equal(image.pixels, np.asarray(inks.convert("RGB")))
    assert image.history == ("CMYK converted to RGB.",)


@pytest.mark.parametrize("top", [1, 15, 100, 255, 4095, 65535])
def test_pnm_values_are_not_stretched(top: int) -> None:
    values = np.linspace(0, top, 12).round().astype(np.int64).reshape(3, 4)
    body = values.astype(">u2").tobytes() if top > 255 else values.astype(np.uint8).tobytes()
    image = read_image(b"P5 4 3 %d\n" % top + body)
    assert np.array_equal(image.pixels, values)
    assert image.bit_depth == top.bit_length()


def test_pages_and_frames(saved: Maker) -> None:
    pages = [PIL.Image.fromarray(scene()[..., i]) for i in range(3)]
    content = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert count_frames(content) == 3
    for i in range(3):
        assert np.array_equal(read_image(content, frame=i).pixels, scene()[..., i])
    first = read_image(content)
    assert np.array_equal(first.pixels, scene()[..., 0])
    assert first.history == ("The file holds 3 pages or frames; the first was taken.",)
    with pytest.raises(UnreadableError, match=r"frame 3 was requested; the file holds 3 frames \(0 to 2\)"):
        read_image(content, frame=3)
    with pytest.raises(UnreadableError, match="frame -1"):
        read_image(content, frame=-1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_moving_images(saved: Maker, kind: str) -> None:
    frames = [PIL.Image.fromarray(np.full((9, 9, 3), shade, np.uint8)) for shade in (10, 120, 240)]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert count_frames(content) == 3
    for i, shade in enumerate((10, 120, 240)):
        assert np.unique(read_image(content, frame=i).pixels).tolist() == [shade]


def test_still_images_hold_one_frame(saved: Maker) -> None:
    assert count_frames(saved(scene(), "JPEG")) == 1
    with pytest.raises(UnreadableError, match=r"the file holds 1 frame \(number 0\)"):
        read_image(saved(scene(), "JPEG"), frame=1)


@pytest.mark.parametrize("colour", [False, True])
def test_12_bit_jpeg_2000_keeps_its_numbers(rng: np.random.Generator, colour: bool) -> None:
    pixels = rng.integers(0, 4096, (40, 50, 3) if colour else (40, 50), dtype=np.uint16)
    image = read_image(bytes(encode(pixels, bits_stored=12, photometric_interpretation=2 - colour)))
    assert np.array_equal(image.pixels, pixels)
    assert image.bit_depth == 12


def test_pixels_are_contiguous_and_read_only(saved: Maker) -> None:
    for kind in ("PNG", "JPEG", "TIFF"):
        pixels = read_image(saved(scene(), kind)).pixels
        assert pixels.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            pixels[0] = 0


def test_pillows_own_switches_are_left_alone(saved: Maker) -> None:
    before = PIL.Image.MAX_IMAGE_PIXELS
    read_image(saved(scene(), "PNG"))
    assert before == PIL.Image.MAX_IMAGE_PIXELS


def test_the_253_real_images(brain_mri: Any) -> None:
    files = sorted(path for path in brain_mri.rglob("*") if path.is_file())
    images = {path.name: read_image(path.read_bytes()) for path in files}
    assert len(images) == 253
    assert sum(image.format == "PNG" and name.endswith(".jpg") for name, image in images.items()) == 6
    for path in files:
        reference = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert reference is not None
        assert images[path.name].size == reference.shape
