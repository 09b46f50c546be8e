"""Lossless and 12-bit JPEG: streams of libjpeg-turbo, and streams of an encoder written here."""

from __future__ import annotations

import base64
import contextlib
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, read_image
from headtohead.data.readers.dicom.medical_jpeg import decode_medical_jpeg

Array = npt.NDArray[Any]
Maker = Callable[..., bytes]
GOLDEN = json.loads(Path(__file__).with_name("golden_jpeg.json").read_text())
SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"


def scene(bits: int, components: int = 1) -> Array:
    """The image that the golden streams hold, by formula."""
    y, x = np.mgrid[:21, :27]
    blocks = ((x // 5 + y // 4) % 2) * ((1 << bits) // 5)
    grey = ((x * 37 + y * y * 11 + (x * y) % 13 * 5 + blocks) % (1 << (bits - 1))).astype(np.uint16)
    return grey if components == 1 else np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)


def encoded(pixels: Array, bits: int, selection: int = 1, *, band: int = 0, point: int = 0) -> bytes:
    """Encode (H, W) or (H, W, C) by the formulas of T.81 H; every difference class has a 5-bit code."""
    planes = pixels.astype(int)[..., None] if pixels.ndim == 2 else pixels.astype(int)
    height, width, count = planes.shape
    numbers = range(1, count + 1)
    frame = struct.pack(">BHHB", bits, height, width, count) + b"".join(bytes([n, 0x11, 0]) for n in numbers)
    table = bytes([0, 0, 0, 0, 0, 17] + [0] * 11) + bytes(range(17))
    scan = bytes([count]) + b"".join(bytes([n, 0]) for n in numbers) + bytes([selection, 0, point])
    parts = [b"\xff\xd8", segment(0xC3, frame), segment(0xC4, table)]
    parts += [segment(0xDD, struct.pack(">H", band * width))] if band else []
    parts.append(segment(0xDA, scan))
    for i, top in enumerate(range(0, height, band or height)):
        part = planes[top : top + (band or height)] >> point
        parts += [bytes([0xFF, 0xD0 + (i - 1) % 8])] if i else []
        parts.append(coded(part, selection, 1 << (bits - point - 1)))
    return b"".join(parts) + b"\xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def coded(planes: Array, selection: int, start: int) -> bytes:
    bits = []
    for (y, x, c), value in np.ndenumerate(planes):
        a = int(planes[y, x - 1, c]) if x else None
        b = int(planes[y - 1, x, c]) if y else None
        if a is None or b is None:
            guess = start if a is None and b is None else (a if b is None else b)
        else:
            corner = int(planes[y - 1, x - 1, c])
            guess = [
                a, b, corner, a + b - corner, a + ((b - corner) >> 1), b + ((a - corner) >> 1), (a + b) >> 1,
            ][selection - 1]  # fmt: skip
        assert guess is not None
        difference = (int(value) - guess + 32767) % 65536 - 32767
        size = abs(difference).bit_length()
        bits.append(f"{size:05b}")
        if 0 < size < 16:
            bits.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")


def wrapped(dicom: Maker, stream: bytes, pixels: Array, syntax: str = JPEGLossless, **elements: Any) -> bytes:
    return dicom(pixels, syntax=syntax, PixelData=encapsulate([stream]), **elements)


@pytest.mark.parametrize("case", GOLDEN["lossless"], ids=lambda case: f"{case['bits']}-{case['predictor']}")
def test_streams_of_libjpeg_turbo(case: dict[str, Any]) -> None:
    found = decode_medical_jpeg(base64.b64decode(case["stream"]))
    assert np.array_equal(found, scene(case["bits"], case["components"]))


def test_12_bit_stream_of_libjpeg_turbo() -> None:
    """Two inverse transforms may round to neighbours; libjpeg-turbo's is in whole numbers."""
    found = decode_medical_jpeg(base64.b64decode(GOLDEN["extended"]["stream"])).astype(int)
    theirs = np.frombuffer(base64.b64decode(GOLDEN["extended"]["decoded"]), "<u2").reshape(21, 27)
    assert np.abs(found - theirs).max() <= 1
    assert (found != theirs).mean() < 0.1


@given(
    st.integers(1, 7), st.integers(2, 16), st.integers(0, 4), st.sampled_from([1, 3]), st.integers(0, 2**32)
)
@settings(max_examples=60, deadline=None)
def test_what_goes_in_comes_out(selection: int, bits: int, band: int, count: int, seed: int) -> None:
    """Noise over the whole range: every class of difference, wraps of 2**16 and restarts among it."""
    rng = np.random.default_rng(seed)
    height, width = (int(n) for n in rng.integers(1, 9, 2))
    pixels = rng.integers(0, 1 << bits, (height, width, count))
    pixels = pixels[..., 0] if count == 1 else pixels
    assert np.array_equal(decode_medical_jpeg(encoded(pixels, bits, selection, band=band)), pixels)


def test_dropped_low_bits_come_back_as_zeros() -> None:
    pixels = scene(12)
    assert np.array_equal(decode_medical_jpeg(encoded(pixels, 12, 1, point=3)), pixels >> 3 << 3)


def test_scans_of_single_components() -> None:
    """Each component in a scan of its own, as some modalities write colour."""
    pixels = scene(8, 3)
    parts = [encoded(pixels[..., i], 8) for i in range(3)]
    starts = [part.index(b"\xff\xda") for part in parts]
    frame = struct.pack(">BHHB", 8, 21, 27, 3) + b"".join(bytes([n, 0x11, 0]) for n in (1, 2, 3))
    table = parts[0][parts[0].index(b"\xff\xc4") : starts[0]]
    scans = [bytearray(part[start:-2]) for part, start in zip(parts, starts, strict=True)]
    for number, scan in enumerate(scans, start=1):
        scan[5] = number
    stream = b"\xff\xd8" + segment(0xC3, frame) + table + b"".join(scans) + b"\xff\xd9"
    assert np.array_equal(decode_medical_jpeg(stream), pixels)


# ---- in DICOM --------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1])
def test_lossless_in_dicom(dicom: Maker, syntax: str) -> None:
    pixels = scene(12)
    image = read_image(wrapped(dicom, encoded(pixels, 12), pixels, syntax, BitsStored=12, HighBit=11))
    assert np.array_equal(image.pixels, pixels)
    assert image.bit_depth == 12
    assert image.pixels.dtype == np.uint16


def test_signed_lossless_keeps_its_sign(dicom: Maker) -> None:
    signed = scene(12).astype(np.int16) - 1000
    stream = encoded(signed.astype(np.uint16) & 0xFFF, 12)
    image = read_image(wrapped(dicom, stream, signed, BitsStored=12, HighBit=11))
    assert np.array_equal(image.pixels, signed)


def test_frames_of_lossless_and_colours(dicom: Maker) -> None:
    frames = np.stack([scene(16), scene(16)[::-1]])
    content = dicom(
        frames, syntax=JPEGLosslessSV1, PixelData=encapsulate([encoded(one, 16) for one in frames])
    )
    assert np.array_equal(read_image(content, frame=1).pixels, frames[1])
    ybr = scene(8, 3).astype(np.uint8)
    for photometric, expected in (("RGB", ybr), ("YBR_FULL", convert_color_space(ybr, "YBR_FULL", "RGB"))):
        made = wrapped(dicom, encoded(ybr, 8), ybr, PhotometricInterpretation=photometric)
        assert np.array_equal(read_image(made).pixels, expected)


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_shipped_12_bit_files(name: str) -> None:
    """Two values that pydicom's own tests expect of these files (tests/pixels/pixels_reference.py), up to rounding."""
    pixels = read_image((SHIPPED / name).read_bytes()).pixels
    assert pixels.shape == (1024, 256)
    assert pixels.dtype == np.uint16
    assert np.abs(pixels[[420, 230], [140, 120]].astype(int) - [244, 95]).max() <= 1


def test_shipped_lossless_file_equals_its_uncompressed_twin() -> None:
    """GDCM wrote the one, RLE holds the same test card in the other."""
    twin = read_image((SHIPPED / "SC_rgb_rle.dcm").read_bytes()).pixels
    assert np.array_equal(read_image((SHIPPED / "SC_rgb_jpeg_gdcm.dcm").read_bytes()).pixels, twin)


# ---- hostile ---------------------------------------------------------------------------------


def test_a_stream_of_another_size_than_the_header_is_refused(dicom: Maker) -> None:
    with pytest.raises(UnreadableError, match="its compressed stream claims"):
        read_image(wrapped(dicom, encoded(scene(12)[:-1], 12), scene(12)))


def test_more_bits_than_are_allocated_are_refused(dicom: Maker) -> None:
    narrow = scene(8).astype(np.uint8)
    with pytest.raises(UnreadableError, match="12 bits per sample, its header allocates 8"):
        read_image(wrapped(dicom, encoded(scene(12), 12), narrow))


def test_claims_are_bounded_before_decoding(dicom: Maker) -> None:
    with pytest.raises(UnreadableError, match="the limit is 100"):
        read_image(wrapped(dicom, encoded(scene(12), 12), scene(12)), limits=Limits(pixels=100))


@pytest.mark.parametrize(
    ("find", "put", "reason"),
    [
        (b"\xff\xc3", b"\xff\xc2", "process 2, which is not read"),
        (b"\xff\xc4", b"\xff\xe1", "a table that is not there"),
        (b"\x01\x01\x00\x01\x00\x00", b"\x01\x01\x00\x09\x00\x00", "predictor is not one of"),
        (b"\xff\xda", b"\xff\xd9", "not exactly one scan"),
        (b"\x00\x00\x00\x00\x00\x11", b"\x00\x11\x00\x00\x00\x00", "too many codes"),
    ],
)
def test_damage_is_named(find: bytes, put: bytes, reason: str) -> None:
    stream = encoded(scene(12), 12)
    assert find in stream
    with pytest.raises(UnreadableError, match=reason):
        decode_medical_jpeg(stream.replace(find, put, 1))


def test_truncated_streams_are_refused() -> None:
    stream = encoded(scene(12), 12)
    for cut in range(2, len(stream) - 2, 7):
        with pytest.raises(UnreadableError):
            decode_medical_jpeg(stream[:cut])


def test_missing_restart_marks_are_refused() -> None:
    stream = encoded(scene(12), 12, band=4)
    with pytest.raises(UnreadableError, match="6 are due"):
        decode_medical_jpeg(stream.replace(b"\xff\xd2", b""))


@pytest.mark.parametrize("band", [0, 4])
def test_coded_data_that_end_early_are_refused_though_the_end_is_marked(band: int) -> None:
    """libjpeg-turbo would fill in the rest and say nothing."""
    stream = encoded(scene(12), 12, band=band)
    start = stream.index(b"\xff\xda") + 10
    for cut in (10, 100, (len(stream) - start) // 2):
        with pytest.raises(UnreadableError, match=r"end too early|6 are due"):
            decode_medical_jpeg(stream[: -2 - cut] + b"\xff\xd9")


def test_a_restart_interval_that_is_cut_short_is_refused() -> None:
    stream = encoded(scene(12), 12, band=4)
    mark = stream.index(b"\xff\xd1")
    with pytest.raises(UnreadableError, match="end too early"):
        decode_medical_jpeg(stream[: mark - 20] + stream[mark:])


@given(st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_hostile_streams_give_an_image_or_a_reason(seed: int, changes: int) -> None:
    rng = np.random.default_rng(seed)
    base = base64.b64decode(GOLDEN["extended"]["stream"]) if seed % 2 else encoded(scene(8, 3), 8, 6, band=3)
    stream = bytearray(base)
    for at in rng.integers(2, len(stream), changes):
        stream[at] = rng.integers(256)
    with contextlib.suppress(UnreadableError):
        assert decode_medical_jpeg(bytes(stream)).shape[:2]


def test_without_the_extra_the_reason_names_it(dicom: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(UnreadableError, match=r"pip install 'headtohead\[jpeg\]'.*not found damaged"):
        read_image(wrapped(dicom, encoded(scene(12), 12), scene(12), BitsStored=12, HighBit=11))


def test_12_bit_colour_is_refused_with_its_process(dicom: Maker) -> None:
    stream = encoded(scene(12, 3), 12).replace(b"\xff\xc3", b"\xff\xc1", 1)
    with pytest.raises(UnreadableError, match="12-bit JPEG of 3 components"):
        read_image(wrapped(dicom, stream, scene(12, 3), JPEGExtended12Bit, BitsStored=12, HighBit=11))
