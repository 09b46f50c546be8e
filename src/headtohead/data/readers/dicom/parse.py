"""Parsing a DICOM file: only the elements that are needed, with memory bounded.

Elements that name a patient are never parsed, save the two ids that are hashed; private elements
are never parsed at all. What is not in memory cannot leak.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import Any

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from headtohead.core.errors import UnreadableError
from headtohead.core.safety.limits import limit as most
from headtohead.core.safety.limits import raise_hint
from headtohead.data.readers.errors import decoding_errors
from headtohead.data.readers.limits import Limits, inflate

__all__ = ["Dataset", "first", "from_groups", "get", "number", "open_dataset", "text"]

Dataset = Any  # pydicom ships no types that mypy can use here

_KEYWORDS = """
PatientID SeriesInstanceUID Modality Manufacturer BurnedInAnnotation LossyImageCompression
ViewPosition Laterality ImageLaterality
SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns
BitsAllocated BitsStored HighBit PixelRepresentation PixelPaddingValue
PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing
RescaleSlope RescaleIntercept ModalityLUTSequence
WindowCenter WindowWidth VOILUTFunction VOILUTSequence
RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
BluePaletteColorLookupTableDescriptor
RedPaletteColorLookupTableData GreenPaletteColorLookupTableData BluePaletteColorLookupTableData
SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData
SegmentedBluePaletteColorLookupTableData
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
ExtendedOffsetTable ExtendedOffsetTableLengths
PixelData FloatPixelData DoubleFloatPixelData
"""
_ITEM = b"\xfe\xff\x00\xe0"  # the tag of an item; pydicom makes a data set of each, which takes about 30 us
# Overlay groups 6000 to 601E (DICOM part 3, C.9.2).
_OVERLAY_ROWS = [(0x6000 + 2 * i) << 16 | 0x0010 for i in range(16)]


def open_dataset(content: bytes, limits: Limits, keywords: Iterable[str] = ()) -> Dataset:
    """Parse what the reader needs out of a DICOM file, with or without preamble.

    Args:
        content: the whole file.
        limits: bounds what a deflated data set may unfold to.
        keywords: the elements to parse instead of those that the reader needs, for a report that must name
            the study and the patient of its images.

    Returns:
        The pydicom data set; its `file_meta` names the transfer syntax as stored.

    Raises:
        UnreadableError: a deflated data set that is damaged or beyond the limits.
    """
    syntax, end = _transfer_syntax(content)
    if syntax == DeflatedExplicitVRLittleEndian:
        content = _unfold(content[end:], limits)
    if (count := content.count(_ITEM)) > most("elements"):
        raise UnreadableError(f"it holds {count:,} items in sequences; {raise_hint('elements')}")
    with decoding_errors("its DICOM elements cannot be parsed: the file is damaged"):
        # force: files without a preamble too
        dataset = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=_tags(keywords))
    if syntax == DeflatedExplicitVRLittleEndian:
        dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def _tags(keywords: Iterable[str]) -> list[int]:
    asked = [*keywords]
    tags = [tag_for_keyword(keyword) for keyword in asked or _KEYWORDS.split()]
    return [tag for tag in tags if tag is not None] + ([] if asked else _OVERLAY_ROWS)


def _transfer_syntax(content: bytes) -> tuple[UID, int]:
    """Return the transfer syntax and where the file meta group ends ("" where there is none).

    The group is always explicit little endian (DICOM PS3.10, 7.1).
    """
    at = 132 if content[128:132] == b"DICM" else 0
    syntax = UID("")
    while content[at : at + 2] == b"\x02\x00" and at + 8 <= len(content):
        element = content[at + 2 : at + 4]
        if content[at + 4 : at + 6] in (b"OB", b"UN"):  # with two reserved and four length bytes
            length, start = int.from_bytes(content[at + 8 : at + 12], "little"), at + 12
        else:
            length, start = struct.unpack_from("<H", content, at + 6)[0], at + 8
        if element == b"\x10\x00":
            syntax = UID(content[start : start + min(length, 64)].decode("ascii", "replace").strip("\0 "))
        at = start + length
    return syntax, at


def _unfold(packed: bytes, limits: Limits) -> bytes:
    # pydicom would unfold it without a bound, so it is given the unfolded data set as a plain file
    body = inflate(packed, limits.unfolded + 1, limits, wbits=-15, exact=False)
    value = ExplicitVRLittleEndian.encode() + b"\0"
    element = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(value)) + value
    return bytes(128) + b"DICM" + element + body


def get(dataset: Dataset, keyword: str) -> Any:
    """Return an element's value, or None where the data set has none.

    Raises:
        UnreadableError: the value cannot be what its type claims (a number with letters); the value
            itself is not quoted.
    """
    with decoding_errors(f"its DICOM element {keyword} has a value that its type does not allow"):
        return dataset.get(keyword)


def from_groups(dataset: Dataset, index: int, sequence: str, keyword: str) -> Any:
    """Return an element for one frame: its own functional group, the shared one, or the top level.

    Enhanced multi-frame files keep per-frame facts in sequences of sequences (DICOM PS3.3,
    C.7.6.16); ordinary files at the top level.
    """
    per_frame = get(dataset, "PerFrameFunctionalGroupsSequence") or []
    shared = get(dataset, "SharedFunctionalGroupsSequence") or []
    for group in [*per_frame[index : index + 1], *shared[:1]]:
        for item in (get(group, sequence) or [])[:1]:
            value = get(item, keyword)
            if value is not None:
                return value
    return get(dataset, keyword)


def first(value: Any) -> Any:
    """Return the first of several values, the value itself, or None where there is none."""
    if isinstance(value, (list, tuple, MultiValue, Sequence)):
        return value[0] if len(value) else None
    return None if value == "" else value


def number(value: Any) -> float | None:
    """Return the first value as a finite number, or None; a decimal comma, which DICOM forbids, is read as a point."""
    value = first(value)
    if isinstance(value, str) and value.count(",") == 1:
        value = value.replace(",", ".")
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if abs(result) < 1e30 else None  # NaN fails this too


def text(dataset: Dataset, keyword: str) -> str:
    """Return an element's first value as text without padding; "" where there is none, or a broken one."""
    try:
        value = first(get(dataset, keyword))
    except UnreadableError:
        return ""
    return "" if value is None else str(value).strip(" \0")
