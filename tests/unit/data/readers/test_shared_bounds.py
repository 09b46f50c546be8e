"""What bounds all files together: the memory that threads claim while they decode, and the time that one file takes."""

from __future__ import annotations

import io
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, SecondaryCaptureImageStorage

from headtohead.core.errors import UnreadableError
from headtohead.core.safety.bounded_work import GATE
from headtohead.core.safety.limits import ENVIRONMENT
from headtohead.data.readers import read as reading
from headtohead.data.readers import read_image

MIB = 1 << 20


def _png(side: int) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("L", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


def _deflated_dicom(side: int) -> bytes:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    made.Rows = made.Columns = side
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
    made.PixelData = bytes(2 * side * side)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, made, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize(("make", "side"), [(_png, 1400), (_deflated_dicom, 1400)])
def test_files_read_side_by_side_wait_for_memory(
    make: Any, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each claims some 45 MiB, eight at once would claim 360."""
    monkeypatch.setenv(ENVIRONMENT, f"memory-bytes={100 * MIB}")
    content, most, claim = make(side), [0], GATE.claim

    def watched(n_bytes: int) -> None:
        claim(n_bytes)
        most[0] = max(most[0], GATE.used)

    monkeypatch.setattr(GATE, "claim", watched)
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda _: read_image(content).pixels.shape, range(8)))
    assert sizes == [(side, side)] * 8
    assert 40 * MIB < most[0] <= 100 * MIB
    assert GATE.used == 0


def test_a_file_that_takes_too_long_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "seconds=1")

    def endless(*_: object, **__: object) -> Any:
        while True:
            zlib.crc32(b"x")

    began = time.monotonic()
    with pytest.raises(
        UnreadableError, match=r"slow\.dcm: reading it takes longer than 1 s \(--limit seconds"
    ):
        reading._with_reasons(endless, "slow.dcm")
    assert time.monotonic() - began < 60
    assert np.asarray(read_image(_png(8)).pixels).shape == (8, 8), "and the next file is read"
