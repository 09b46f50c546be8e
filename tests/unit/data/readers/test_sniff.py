"""What a file is, and whether it is meant to be an image."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import numpy as np
import pytest

from headtohead.data.readers import HEAD_BYTES, is_candidate, sniff

Maker = Callable[..., bytes]
PIXELS = np.zeros((4, 5), np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "JPEG2000"])
def test_formats_by_content(saved: Maker, kind: str) -> None:
    content = saved(PIXELS, kind)
    assert sniff(content) == kind
    assert is_candidate("no suffix at all", content[:HEAD_BYTES])


def test_dicom_with_and_without_preamble(dicom: Maker) -> None:
    assert sniff(dicom(PIXELS)) == "DICOM"
    assert sniff(dicom(PIXELS, bare=True)) == "DICOM"
    assert sniff(b"\x08\x00\x05\x00" + b"CS\x0a\x00ISO_IR 100") == "DICOM"
    assert sniff(b"\x00\x08\x00\x05" + b"CS\x00\x0aISO_IR 100") == "DICOM"


@pytest.mark.parametrize(
    "content",
    [
        b"path,label\na.png,yes\n",
        b"PK\x03\x04" + bytes(60),
        b"%PDF-1.7" + bytes(60),
        b"\x7fELF" + bytes(60),
        b"BM is how this sentence starts, and it is not an image",
        b"P5est is a town",
        gzip.compress(b"just text " * 100, mtime=0),
        bytes(1000),
        b"\x08\x00\x01",
        b"",
    ],
)
def test_other_files_are_none(content: bytes) -> None:
    assert sniff(content) == ""
    assert not is_candidate("notes.txt", content)


@pytest.mark.parametrize("name", ["a.png", "B.JPG", "c.Tiff", "d/e.DCM", "d\\f.nii", "g.nii.gz", "h.webp"])
def test_a_broken_image_is_still_a_candidate(name: str) -> None:
    assert is_candidate(name, b"")
    assert is_candidate(name, b"not an image")


def test_side_files_are_no_candidates() -> None:
    assert not is_candidate("._scan.jpg", b"\x00\x05\x16\x07" + bytes(50))
    assert not is_candidate("labels.csv", b"\xef\xbb\xbfpath,label")
    assert not is_candidate("archive.tar.gz", gzip.compress(b"x"))
    assert not is_candidate("data.npz", b"PK\x03\x04")
