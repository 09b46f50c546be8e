"""Detect a file's format from its first bytes."""

from __future__ import annotations

import struct
import zlib
from pathlib import PurePosixPath

from headtohead.data.readers.raster import heif
from headtohead.data.readers.volumes.signatures import is_analyze, is_mgh

__all__ = ["HEAD_BYTES", "SUFFIXES", "is_candidate", "sniff"]

HEAD_BYTES = 4096
"""How many first bytes of a file `sniff` and `is_candidate` need."""

_SUFFIX_WORDS = """
.png .apng .jpg .jpeg .jpe .jfif .mpo .tif .tiff .bmp .dib .webp .gif .jp2 .j2k .jpf .jpx .j2c
.pgm .ppm .pbm .pnm .dcm .dicom .dic .ima .nii .npy .mat .h5 .hdf5
.nrrd .nhdr .mha .mhd .mgh .mgz .avif
"""
SUFFIXES = frozenset(_SUFFIX_WORDS.split())
"""Suffixes that promise an image (lower case); `.nii.gz` promises one too."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"NRRD000", "NRRD"),
    (b"\x93NUMPY", "NPY"),
    (b"MATLAB 5.0 MAT-file", "MAT"),
    (b"MATLAB 7.3 MAT-file", "MAT"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
)
_VR = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR "
    b"US UT UV".split()
)
_NIFTI = (b"n+1\x00", b"ni1\x00")
_NIFTI2 = (b"n+2\x00\r\n\x1a\n", b"ni2\x00\r\n\x1a\n")
_RESOURCE_FORK = (b"\x00\x05\x16\x07", b"\x00\x05\x16\x00")  # AppleDouble, AppleSingle


def sniff(content: bytes) -> str:
    """Return the name of the image format that the content is, or "" if it is none we know.

    Names: PNG, JPEG, TIFF, BMP, WEBP, GIF, JPEG2000, AVIF, HEIC, PNM, DICOM, NIFTI, NRRD, METAIMAGE, MGH, NPY, MAT,
    HDF5. The first `HEAD_BYTES`
    bytes are enough. The suffix plays no part: six `.jpg` of the brain MRI set are PNG inside.

    >>> sniff(b"GIF89a...")
    'GIF'
    >>> sniff(b"name,label")
    ''
    """
    if content[128:132] == b"DICM":  # first, because the preamble may hold a TIFF header (dual files)
        return "DICOM"
    for magic, name in _MAGIC:
        if content.startswith(magic):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[:2] == b"BM" and _plausible_bmp(content):
        return "BMP"
    if content[:1] == b"P" and content[1:2] in b"123456" and content[2:3] in (b" ", b"\t", b"\r", b"\n"):
        return "PNM"
    if content[4:8] == b"ftyp":
        return _heif_kind(content)
    if _is_metaimage(content):
        return "METAIMAGE"
    volume = _volume_of(_unpacked_front(content))
    if volume:
        return volume
    return "DICOM" if _is_bare_dicom(content) else ""


def is_candidate(name: str, head: bytes) -> bool:
    """Tell whether a file is meant to be an image: by content, or by suffix so that a broken one is named.

    Args:
        name: path or file name; only the last part counts.
        head: the first `HEAD_BYTES` bytes of the file, or all of it.

    The side files that macOS leaves ("._scan.jpg") are no images, whatever their suffix.

    >>> is_candidate("scan.JPG", b"")
    True
    >>> is_candidate("notes.txt", b"hello")
    False
    """
    if head[:4] in _RESOURCE_FORK:
        return False
    last = PurePosixPath(name.replace("\\", "/")).name.lower()
    promised = PurePosixPath(last).suffix in SUFFIXES or last.endswith(".nii.gz")
    return promised or sniff(head) != ""


def _plausible_bmp(content: bytes) -> bool:
    if len(content) < 18:
        return False
    (header_size,) = struct.unpack_from("<I", content, 14)
    # OS/2 1 (12) and 2 (16, 64), Windows 3 (40), with masks (52, 56), version 4 (108) and 5 (124)
    return header_size in (12, 16, 40, 52, 56, 64, 108, 124)


def _is_nifti(content: bytes) -> bool:
    return content[344:348] in _NIFTI or content[4:12] in _NIFTI2


def _unpacked_front(content: bytes) -> bytes:
    """Return the first bytes of a file, of a gzipped one unpacked."""
    if content[:3] != b"\x1f\x8b\x08":
        return content
    try:
        # the longest header that is looked at here is NIfTI's, of 348 bytes
        return zlib.decompressobj(31).decompress(content[:HEAD_BYTES], 352)
    except zlib.error:
        return b""


def _volume_of(front: bytes) -> str:
    """Return "NIFTI" or "MGH" where unpacked bytes start so, Analyze headers being read as NIfTI; else ""."""
    if _is_nifti(front) or is_analyze(front):
        return "NIFTI"
    return "MGH" if is_mgh(front) else ""


def _heif_kind(content: bytes) -> str:
    """Return "AVIF" or "HEIC" by the brands of an ISO base media file; "HEIC" only where a decoder is installed."""
    (length,) = struct.unpack_from(">I", content)
    brands = content[8 : min(length, 64)]
    if b"avif" in brands or b"avis" in brands:
        return "AVIF"
    return "HEIC" if any(brand in brands for brand in (b"heic", b"heix", b"mif1")) and heif.decoder() else ""


def _is_metaimage(content: bytes) -> bool:
    """Tell whether text starts like a MetaImage: its first key is one of those that come first."""
    key, equals, _ = content[:64].partition(b"=")
    return bool(equals) and key.strip() in (b"ObjectType", b"NDims")


def _is_bare_dicom(content: bytes) -> bool:
    """Tell a DICOM data set that starts without preamble: a first element that can be one.

    Group 0002 (file meta, always explicit little endian) or 0008 (where data sets start in
    practice), element below 0x1000, then a value representation or a plausible length.
    """
    if len(content) < 16:
        return False
    for order in "<>":
        group, element = struct.unpack_from(f"{order}HH", content)
        if group in (0x0002, 0x0008) and element < 0x1000:
            (length,) = struct.unpack_from(f"{order}I", content, 4)
            # values have an even length (PS3.5, 7.1.1), and the first element is a short one
            return content[4:6] in _VR or (length % 2 == 0 and length <= 1024)
    return False
