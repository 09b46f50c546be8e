"""DICOM: transfer syntaxes, and claims that do not hold."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, read_image, sniff

Array = npt.NDArray[Any]
Maker = Callable[..., bytes]
SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"


def shipped(name: str) -> bytes:
    return (SHIPPED / name).read_bytes()


def ramp(dtype: str = "uint16", shape: tuple[int, ...] = (5, 7)) -> Array:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def test_no_preamble(dicom: Maker) -> None:
    content = dicom(ramp(), bare=True)
    assert content[:2] == b"\x08\x00"
    assert sniff(content) == "DICOM"
    assert np.array_equal(read_image(content).pixels, ramp())


def test_deflated(dicom: Maker) -> None:
    content = dicom(ramp(), syntax=DeflatedExplicitVRLittleEndian)
    image = read_image(content)
    assert np.array_equal(image.pixels, ramp())
    assert image.facts["transfer_syntax"] == "Deflated Explicit VR Little Endian"
    with pytest.raises(UnreadableError):
        read_image(content[:-20] + b"\xff" * 20)


def test_a_deflate_bomb_is_refused(dicom: Maker) -> None:
    content = dicom(ramp(), syntax=DeflatedExplicitVRLittleEndian)
    body = pydicom.dcmread(SHIPPED / "image_dfl.dcm")
    assert body.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    meta_end = content.index(b"1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    (group_length,) = np.frombuffer(content[140:144], "<u4")
    start = 144 + int(group_length)
    assert meta_end < start
    with pytest.raises(UnreadableError, match="decompression bomb"):
        read_image(content[:start] + bomb)
    with pytest.raises(UnreadableError, match=r"limit is 1,000,000 \(raise it with --limit unfolded-bytes"):
        read_image(content[:start] + bomb, limits=Limits(unfolded=1_000_000))


def test_dual_tiff_and_dicom_files_are_dicom() -> None:
    content = shipped("CT_small.dcm")
    assert content[:4] == b"II*\0"
    assert read_image(content).format == "DICOM"


@pytest.mark.parametrize("colour", [False, True])
def test_rle(dicom: Maker, colour: bool) -> None:
    pixels = ramp("uint8", (9, 11, 3)) if colour else ramp("uint16", (9, 11))
    dataset = pydicom.dcmread(io.BytesIO(dicom(pixels)))
    dataset.compress(RLELossless)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    assert np.array_equal(read_image(buffer.getvalue()).pixels, pixels)


def test_a_stream_that_disagrees_with_the_header_is_refused() -> None:
    content = shipped("JPEG2000.dcm")
    place = content.index(b"\xff\x4f\xff\x51") + 8
    claim = (60_000).to_bytes(4, "big")
    bomb = content[:place] + claim + claim + content[place + 8 :]
    with pytest.raises(
        UnreadableError, match=r"stream claims \(rows, columns, samples\) \(60000, 60000, 1\)"
    ):
        read_image(bomb)


def test_claims_are_checked_before_memory_is_asked_for(dicom: Maker) -> None:
    with pytest.raises(UnreadableError, match="65535 x 65535"):
        read_image(dicom(ramp(), Rows=65535, Columns=65535))
    with pytest.raises(UnreadableError, match="truncated: 70 bytes of the 20,000"):
        read_image(dicom(ramp(), Rows=100, Columns=100))
    with pytest.raises(UnreadableError, match="Rows is missing"):
        read_image(dicom(ramp(), Rows=None))
    with pytest.raises(UnreadableError, match="bits do not fit"):
        read_image(dicom(ramp(), BitsStored=17))
    with pytest.raises(UnreadableError, match="holds no pixel data"):
        read_image(shipped("rtplan.dcm"))


# ---- decoders that are not installed ---------------------------------------------------------
