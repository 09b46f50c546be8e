"""Read one slice of a NIfTI volume, oriented as a DICOM viewer shows it.

Volumes are brought to the canonical axes (RAS: the first axis runs to the patient's right, the second
to the front, the third to the head) by flips and swaps, never by resampling; an oblique volume goes to
the nearest axes. A slice is then drawn as radiology does:

* axial: the front on top, the patient's right on the left of the image;
* coronal: the head on top, the patient's right on the left;
* sagittal: the head on top, the front on the left.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Image
from headtohead.data.readers.arrays import fill_non_finite, is_grey_as_rgb, narrowed
from headtohead.data.readers.limits import MIB, Limits, check_frame, check_size, inflate
from headtohead.data.readers.nifti.header import Header, header_of
from headtohead.data.readers.slices import AXES, SliceOptions
from headtohead.data.readers.volumes.metaimage import metaimage_header
from headtohead.data.readers.volumes.mgh import mgh_header
from headtohead.data.readers.volumes.nrrd import nrrd_header

__all__ = ["count_nifti", "read_nifti", "size_nifti"]

Array = npt.NDArray[Any]
_SAMPLE = 500_000  # voxels; bounds the time that the percentiles take
_MAX_CACHED_BYTES = 128 * MIB  # one volume of 512 x 512 x 256 voxels of 16 bits


def volume_header(content: bytes, kind: str, limits: Limits) -> Header:
    """Return the header of a volume of any kind ("NIFTI", "NRRD", "METAIMAGE", "MGH").

    Raises:
        UnreadableError: broken, of a type that is not read, or beyond the limits.
    """
    if kind == "NRRD":
        return nrrd_header(content, limits)
    if kind == "METAIMAGE":
        return metaimage_header(content, limits)
    return mgh_header(content, limits) if kind == "MGH" else header_of(content, limits)


def count_nifti(content: bytes, *, limits: Limits, slices: SliceOptions, kind: str = "NIFTI") -> int:
    """Return the number of slices along the canonical axis, from the header alone.

    Raises:
        UnreadableError: the header is broken or claims more than the limits.
    """
    return volume_header(content, kind, limits).canonical_shape[slices.number]


def size_nifti(content: bytes, *, limits: Limits, kind: str = "NIFTI") -> tuple[int, int]:
    """Return the (height, width) of an axial slice, from the header alone.

    Raises:
        UnreadableError: the header is broken or claims more than the limits.
    """
    right, front, _ = volume_header(content, kind, limits).canonical_shape
    return front, right


def read_nifti(
    content: bytes,
    *,
    frame: int | None,
    limits: Limits,
    slices: SliceOptions,
    kind: str = "NIFTI",
    volume: int | None = None,
) -> Image:
    """Read one slice of a volume (NIfTI, NRRD, MetaImage, MGH); of a series of volumes, the one asked for.

    Args:
        content: the whole file.
        frame: slice number along the axis, counted from the left, back or bottom; None: the middle.
        limits: how much the file may ask for.
        slices: the axis.
        kind: the format, as `sniff` names it.
        volume: of a series, from 0; None for the first.

    Returns:
        The slice in the volume's own values after its scaling, with `window` at the 0.5th and 99.5th
        percentile of the volume's non-zero voxels (of an even sample of half a million where there are
        more), the same for every slice of the volume.

    Raises:
        UnreadableError: broken, truncated, of a type that is not read, or beyond the limits.
    """
    whole = volume_header(content, kind, limits)
    header = whole.at(volume, limits, len(content))
    axis = slices.number
    count = header.canonical_shape[axis]
    index = count // 2 if frame is None else frame
    check_frame(index, count)
    voxels = _voxels(content, header, limits)
    plane = np.take(header.to_canonical(voxels), index, axis=axis)
    # rows and columns begin at the far ends: head or front on top, right or front on the left
    image = np.ascontiguousarray(np.swapaxes(plane[::-1, ::-1], 0, 1))
    check_size(image.shape[0], image.shape[1], limits)
    pixels, notes = _scaled(image, header)
    pixels, repair_notes = fill_non_finite(pixels)
    name = next(word for word, number in AXES.items() if number == axis)
    origin = "the middle one" if frame is None else "counted from 0"
    history = (
        *header.notes,
        f"{name.capitalize()} slice {index} of {count} taken ({origin}).",
        *notes,
        *repair_notes,
    )
    return Image(
        pixels,
        header.bits,
        header.type_name,
        kind,
        _pixel_size(header, axis),
        history,
        _facts(header, name, pixels),
        _window(voxels, header),
    )


def _pixel_size(header: Header, axis: int) -> tuple[float, float]:
    """Return the (row, column) distance of pixel centres in mm, in slices across an axis."""
    across = [header.spacing[i] for i in range(3) if i != axis]
    return across[1], across[0]


def _facts(header: Header, axis: str, pixels: Array) -> dict[str, str]:
    """Return which way the slice was cut, how many volumes there are, and whether three channels are grey."""
    facts = {"slice_axis": axis}
    if header.volumes > 1:
        facts["volumes"] = str(header.volumes)
    if is_grey_as_rgb(pixels):
        facts["grey_as_rgb"] = "yes"
    return facts


def _voxels(content: bytes, header: Header, limits: Limits) -> Array:
    """Return the volume as stored, (X, Y, Z) or (X, Y, Z, channels), as a view where it can be."""
    if header.packed:
        content = _decompressed(content, header, limits)
    # the first axis varies fastest, and the channels of RGB before it (nifti1.h)
    flat = np.frombuffer(content, dtype=header.dtype, count=header.n_values, offset=header.offset)
    if header.channels == 1:
        return flat.reshape(header.shape, order="F")
    return np.moveaxis(flat.reshape((header.channels, *header.shape), order="F"), 0, -1)


def _scaled(image: Array, header: Header) -> tuple[Array, tuple[str, ...]]:
    """Apply slope and intercept, exactly where whole numbers allow, else in 32-bit floats."""
    if header.channels > 1:
        alpha = ("Alpha channel dropped.",) if header.channels == 4 else ()
        return np.ascontiguousarray(image[..., :3]), alpha
    slope, intercept = header.slope, header.intercept
    plain = (slope, intercept) == (1, 0)
    sign = "-" if intercept < 0 else "+"
    notes = () if plain else (f"Scaled: value x {slope:g} {sign} {abs(intercept):g}.",)
    if header.dtype.kind == "f":
        wide = image.astype(np.float64)
        return (image if plain else wide * slope + intercept).astype(np.float32), notes
    info = np.iinfo(header.dtype)
    bottom, top = sorted((int(info.min) * slope + intercept, int(info.max) * slope + intercept))
    if slope == int(slope) and intercept == int(intercept) and max(-bottom, top) < 1 << 33:
        pixels, rounded = narrowed(image.astype(np.int64) * int(slope) + int(intercept), bottom, top)
    else:
        # no whole type holds this range: the result is floats
        pixels, rounded = narrowed(image.astype(np.float64) * slope + intercept, -np.inf, np.inf)
    return pixels, (*notes, *(rounded if plain else ()))  # scaled values are floats anyway


def _window(volume: Array, header: Header) -> tuple[float, float] | None:
    if header.channels > 1:
        return None
    flat = volume.reshape(-1, order="F")  # a view: the volume is stored so
    sample = flat[:: max(1, -(-flat.size // _SAMPLE))].astype(np.float64) * header.slope + header.intercept
    sample = sample[np.isfinite(sample) & (sample != 0)]
    if sample.size == 0:
        return None
    low, high = (float(value) for value in np.percentile(sample, (0.5, 99.5)))
    return (low, high) if high > low else None


class _VolumeCache:
    """Keeps the last decompressed volume, because its slices are read one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entry: tuple[bytes, bytes] | None = None

    def get(self, key: bytes) -> bytes | None:
        with self._lock:
            return self._entry[1] if self._entry is not None and self._entry[0] == key else None

    def put(self, key: bytes, data: bytes) -> None:
        if len(data) <= _MAX_CACHED_BYTES:
            with self._lock:
                self._entry = (key, data)


_VOLUME_CACHE = _VolumeCache()


def _decompressed(content: bytes, header: Header, limits: Limits) -> bytes:
    need = header.end
    # with the length, since a later volume of the same file needs more of it
    key = hashlib.blake2b(content, digest_size=16).digest() + need.to_bytes(8, "big")
    data = _VOLUME_CACHE.get(key)
    if data is None:
        data = inflate(content[header.front :], need, limits, wbits=header.wbits)
        _VOLUME_CACHE.put(key, data)
    return data
