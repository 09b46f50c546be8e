"""Decode the stored numbers of one frame of a parsed DICOM data set.

The claims of the header are checked against the limits, the length of the data and the header of the
compressed stream before a decoder runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
    RLELossless,
)

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.dicom.medical_jpeg import decode_medical_jpeg
from headtohead.data.readers.dicom.metadata import modality_of, syntax_name
from headtohead.data.readers.dicom.parse import Dataset, get, number, text
from headtohead.data.readers.errors import decoding_errors, missing_decoder
from headtohead.data.readers.limits import Limits, check_frame, check_size
from headtohead.data.readers.raster.codestream_header import codestream_shape
from headtohead.data.readers.raster.guard import check_scans

__all__ = ["Layout", "decode_frame", "layout_of"]

Array = npt.NDArray[Any]
_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LOSSLESS = (JPEGLossless, JPEGLosslessSV1)
_SEQUENTIAL = (JPEGBaseline8Bit, JPEGExtended12Bit)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pixels of a file are laid out.

    Attributes:
        keyword: the element that holds them ("PixelData", "FloatPixelData", "DoubleFloatPixelData").
        allocated: bits per sample in the file; stored: of these, bits that mean something.
        high_bit: number of the top meaningful bit.
    """

    keyword: str
    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    allocated: int
    stored: int
    high_bit: int
    signed: bool

    @property
    def value_range(self) -> tuple[int, int]:
        """The lowest and highest stored number that the meaningful bits can hold."""
        if self.signed:
            return -(1 << (self.stored - 1)), (1 << (self.stored - 1)) - 1
        return 0, (1 << self.stored) - 1


def layout_of(dataset: Dataset, limits: Limits) -> Layout:
    """Read and check the layout.

    Raises:
        UnreadableError: no image in the file, impossible numbers, or beyond the limits.
    """
    present = [keyword for keyword in _DATA if keyword in dataset]
    if not present:
        kind = modality_of(dataset)
        raise UnreadableError(
            f"it is DICOM{f' of modality {kind}' if kind else ''} but holds no pixel data: a report, a plan, a "
            "directory, or cut off before them; leave it out"
        )
    keyword = present[0]
    bits = {"PixelData": None, "FloatPixelData": 32, "DoubleFloatPixelData": 64}[keyword]
    rows, columns = _whole(dataset, "Rows"), _whole(dataset, "Columns")
    check_size(rows, columns, limits)
    allocated = bits or _whole(dataset, "BitsAllocated")
    stored = bits or _whole(dataset, "BitsStored", allocated)
    layout = Layout(
        keyword=keyword,
        rows=rows,
        columns=columns,
        frames=max(1, _whole(dataset, "NumberOfFrames", 1)),
        samples=_whole(dataset, "SamplesPerPixel", 1),
        photometric=text(dataset, "PhotometricInterpretation"),
        allocated=allocated,
        stored=stored,
        high_bit=_whole(dataset, "HighBit", stored - 1),
        signed=bits is None and _whole(dataset, "PixelRepresentation", 0) == 1,
    )
    _check(layout, limits)
    if not layout.photometric:
        raise UnreadableError(
            "its DICOM element PhotometricInterpretation is missing, which says whether low numbers are dark; add it, "
            "as a rule MONOCHROME2 (for example: dcmodify -i PhotometricInterpretation=MONOCHROME2 file.dcm)"
        )
    return layout


def _whole(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    """Return a whole number; the default only where nothing at all is stated."""
    stated = get(dataset, keyword)
    if stated in (None, "") and default is not None:
        return default
    value = number(stated)
    if value is None or value != int(value):
        raise UnreadableError(f"its DICOM element {keyword} is missing or not a whole number")
    return int(value)


def _check(layout: Layout, limits: Limits) -> None:
    if layout.frames > limits.frames:
        raise UnreadableError(
            f"it claims {layout.frames:,} frames; the limit is {limits.frames:,} (--limit frames=NUMBER raises it)"
        )
    if layout.samples not in (1, 3):
        raise UnreadableError(f"it has {layout.samples} samples per pixel; 1 and 3 are read")
    if layout.allocated not in (1, 8, 16, 32, 64):
        raise UnreadableError(
            f"it has {layout.allocated} bits allocated per sample; 1, 8, 16, 32, 64 are read"
        )
    if (
        not 0 < layout.stored <= layout.allocated
        or not layout.stored - 1 <= layout.high_bit < layout.allocated
    ):
        raise UnreadableError(
            f"its bits do not fit: {layout.stored} stored up to bit {layout.high_bit} of {layout.allocated}"
        )


def decode_frame(dataset: Dataset, layout: Layout, frame: int) -> tuple[Array, str]:
    """Return the stored numbers of one frame and their photometric interpretation after decoding.

    YBR is RGB afterwards; the planes of PlanarConfiguration 1 are interleaved.

    Returns:
        (H, W) or (H, W, 3), integer or float.

    Raises:
        UnreadableError: compressed in a way without decoder, truncated, or damaged.
    """
    check_frame(frame, layout.frames)
    syntax = _syntax(dataset)
    if not syntax.is_encapsulated:
        _check_length(dataset, layout, frame)
    elif stream := _medical_jpeg(dataset, layout, frame, syntax):
        return _decode_medical(dataset, layout, stream)
    decoder = _decoder(syntax, dataset)
    # pydicom's correction shifts as if the meaningful bits began at bit 0, which would lose the top ones
    shifted = layout.high_bit != layout.stored - 1 and (not syntax.is_encapsulated or syntax == RLELossless)
    options: dict[str, Any] = {"correct_unused_bits": False} if shifted else {}
    if syntax == RLELossless:  # pylibjpeg-rle panics (and prints) on damaged runs; this one raises
        options["decoding_plugin"] = "pydicom"
    with decoding_errors(f"its pixel data ({syntax_name(dataset)}) are damaged: the decoder gave up"):
        pixels, meta = decoder.as_array(dataset, index=frame, **options)
    if pixels.shape[:2] != (layout.rows, layout.columns):
        raise UnreadableError(
            f"decoding gave {pixels.shape[:2]} pixels where its header claims {(layout.rows, layout.columns)}"
        )
    return (_drop_low_bits(pixels, layout) if shifted else pixels), str(meta["photometric_interpretation"])


def _syntax(dataset: Dataset) -> UID:
    """Return the syntax that the pixels are encoded in; where none is stated, what parsing found."""
    stated = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if stated:
        return UID(str(stated))
    implicit, little = dataset.original_encoding
    parsed = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = parsed
    return UID(parsed)


def _decoder(syntax: UID, dataset: Dataset) -> Any:
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise UnreadableError(
            f"its pixels are stored as {syntax_name(dataset)}, which is not read; convert it to an uncompressed "
            "transfer syntax (for example: gdcmconv --raw in.dcm out.dcm)"
        ) from None
    if not decoder.is_available:
        raise missing_decoder(_package(syntax), syntax_name(dataset))
    return decoder


def _package(syntax: UID) -> str:
    """Return the package that decodes a syntax; headtohead brings it, so it is missing by mishap."""
    if syntax in _SEQUENTIAL:
        return "pillow"
    return "pyjpegls" if syntax in JPEGLSTransferSyntaxes else "pylibjpeg-openjpeg"


def _check_length(dataset: Dataset, layout: Layout, frame: int) -> None:
    bits = layout.rows * layout.columns * layout.samples * layout.allocated
    if layout.photometric == "YBR_FULL_422":
        bits = bits * 2 // 3  # two pixels share their colours: 4 bytes in place of 6
    need, n_bytes = ((frame + 1) * bits + 7) // 8, len(dataset[layout.keyword].value or b"")
    if n_bytes < need:
        raise UnreadableError(
            f"its pixel data are truncated: {n_bytes:,} bytes of the {need:,} that frames 0 to {frame} need"
        )


def _medical_jpeg(dataset: Dataset, layout: Layout, frame: int, syntax: UID) -> bytes:
    """Check the compressed stream of a frame; return it if its JPEG is of a kind that is decoded here, else b""."""
    stream = _stream(dataset, layout, frame)
    if syntax == RLELossless:
        return b""
    claim = codestream_shape(stream)
    expected = (layout.rows, layout.columns, layout.samples)
    if claim is None:
        raise UnreadableError(f"its compressed pixel data ({syntax_name(dataset)}) have no readable header")
    if claim[:3] != expected:
        raise UnreadableError(
            f"its compressed stream claims (rows, columns, samples) {claim[:3]}, its header {expected}"
        )
    if claim[3] > layout.allocated:
        raise UnreadableError(
            f"its compressed stream has {claim[3]} bits per sample, its header allocates {layout.allocated}"
        )
    if syntax in _SEQUENTIAL:
        check_scans(stream)
    return stream if syntax in _LOSSLESS or (syntax in _SEQUENTIAL and claim[3] != 8) else b""


def _stream(dataset: Dataset, layout: Layout, frame: int) -> bytes:
    offsets = None
    if "ExtendedOffsetTable" in dataset and "ExtendedOffsetTableLengths" in dataset:
        offsets = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    with decoding_errors(f"the place of frame {frame} in its compressed pixel data cannot be found"):
        return bytes(
            get_frame(dataset.PixelData, frame, number_of_frames=layout.frames, extended_offsets=offsets)
        )


def _decode_medical(dataset: Dataset, layout: Layout, stream: bytes) -> tuple[Array, str]:
    """Decode lossless or 12-bit JPEG; the sign is extended from the top stored bit, YBR becomes RGB."""
    with decoding_errors(f"its pixel data ({syntax_name(dataset)}) are damaged"):
        pixels: Array = decode_medical_jpeg(stream)
    if layout.allocated not in (8, 16):
        raise UnreadableError(
            f"it has {layout.allocated} bits allocated per sample of JPEG; 8 and 16 are read"
        )
    if layout.signed:
        up = 16 - layout.stored
        pixels = np.right_shift(np.left_shift(pixels, up).view(np.int16), up)
    elif layout.allocated == 8:
        pixels = pixels.astype(np.uint8)
    if layout.samples == 3 and layout.photometric == "YBR_FULL" and layout.allocated == 8:
        return convert_color_space(pixels, "YBR_FULL", "RGB"), "RGB"
    return pixels, layout.photometric


def _drop_low_bits(pixels: Array, layout: Layout) -> Array:
    """Move the meaningful bits down where they do not start at bit 0, and keep the sign."""
    up = layout.allocated - 1 - layout.high_bit
    moved = np.left_shift(pixels, up)
    return np.right_shift(moved, layout.allocated - layout.stored)
