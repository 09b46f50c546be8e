"""Makers of small files, shared by the tests of the readers."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import PIL.Image
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

Array = npt.NDArray[Any]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def saved() -> Callable[..., bytes]:
    """Save a Pillow image or an array as the format named."""

    def save(image: PIL.Image.Image | Array, kind: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        source = image if isinstance(image, PIL.Image.Image) else PIL.Image.fromarray(image)
        source.save(buffer, kind, **options)
        return buffer.getvalue()

    return save


@pytest.fixture(scope="session")
def tiff() -> Callable[..., bytes]:
    """Write an uncompressed one-page TIFF by hand, with any single-number tags."""

    def write(pixels: Array, tags: dict[int, int] | None = None, *, order: Literal["<", ">"] = "<") -> bytes:
        pixels = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(order)))
        height, width = pixels.shape[:2]
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        place = 8 + 2 + 12 * 24 + 4
        numbers = {256: width, 257: height, 259: 1, 262: 2 if channels > 1 else 1, 277: channels, 278: height}
        numbers |= {273: place + 8, 279: pixels.nbytes, 339: {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]}
        numbers |= {258: pixels.itemsize * 8} if channels == 1 else {}
        numbers |= tags or {}
        entries = {tag: struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in numbers.items()}
        if channels > 1:
            entries[258] = struct.pack(f"{order}HHII", 258, 3, channels, place)
        table = b"".join(entries[tag] for tag in sorted(entries))
        mark = b"II*\0" if order == "<" else b"MM\0*"
        head = mark + struct.pack(f"{order}IH", 8, len(entries)) + table + bytes(4)
        return (
            head.ljust(place, b"\0")
            + struct.pack(f"{order}4H", *[pixels.itemsize * 8] * 4)
            + pixels.tobytes()
        )

    return write


@pytest.fixture(scope="session")
def dicom() -> Callable[..., bytes]:
    """Write a DICOM file of the given stored pixels; further elements by keyword."""

    def write(
        pixels: Array, *, syntax: str = ExplicitVRLittleEndian, bare: bool = False, **elements: Any
    ) -> bytes:
        dataset = Dataset()
        dataset.SOPClassUID = SecondaryCaptureImageStorage
        dataset.SOPInstanceUID = "1.2.3.4"
        dataset.Modality = "OT"
        colour = pixels.ndim >= 3 and pixels.shape[-1] == 3
        shape = pixels.shape[:-1] if colour else pixels.shape
        dataset.Rows, dataset.Columns = shape[-2:]
        if len(shape) == 3:
            dataset.NumberOfFrames = shape[0]
        dataset.SamplesPerPixel = 3 if colour else 1
        dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
        if colour:
            dataset.PlanarConfiguration = 0
        if pixels.dtype.kind == "f":
            setattr(
                dataset,
                "FloatPixelData" if pixels.itemsize == 4 else "DoubleFloatPixelData",
                pixels.tobytes(),
            )
            dataset.BitsAllocated = pixels.itemsize * 8
        else:
            dataset.BitsAllocated = dataset.BitsStored = pixels.itemsize * 8
            dataset.HighBit = dataset.BitsStored - 1
            dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
            data = pixels.tobytes()
            dataset.PixelData = data + bytes(len(data) % 2)
            dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        buffer = io.BytesIO()
        if bare:
            pydicom.dcmwrite(buffer, dataset, implicit_vr=True, little_endian=True)
            return buffer.getvalue()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        dataset.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()

    return write


@pytest.fixture(scope="session")
def png_of() -> Callable[..., bytes]:
    """Write a PNG by hand, with any header and any `zTXt` chunks."""

    def write(
        width: int, height: int, *extra: bytes, depth: int = 8, colour: int = 0, body: bytes = b"\0"
    ) -> bytes:
        def chunk(name: bytes, body: bytes) -> bytes:
            return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

        head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
        texts = [chunk(b"zTXt", body) for body in extra]
        return (
            b"\x89PNG\r\n\x1a\n"
            + head
            + b"".join(texts)
            + chunk(b"IDAT", zlib.compress(body))
            + chunk(b"IEND", b"")
        )

    return write
