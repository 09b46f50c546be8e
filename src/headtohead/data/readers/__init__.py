"""Bytes to images: PNG, JPEG, TIFF, BMP, WebP, GIF, JPEG 2000, PNM, DICOM, NIfTI and arrays, by content.

`read_image` is the entry point. It gives an `Image` or raises `UnreadableError` with the reason,
whatever the bytes are: no other exception, no warning, memory bounded by `Limits`.
"""

from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits
from headtohead.data.readers.read import claimed_size, count_frames, read_image, slice_indices
from headtohead.data.readers.slices import SliceOptions
from headtohead.data.readers.sniff import HEAD_BYTES, is_candidate, sniff

__all__ = [
    "DEFAULT_LIMITS",
    "HEAD_BYTES",
    "Limits",
    "SliceOptions",
    "claimed_size",
    "count_frames",
    "is_candidate",
    "read_image",
    "slice_indices",
    "sniff",
]
