"""Entry point of the readers: bytes in, `Image` out, or `UnreadableError` with the reason."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.core.safety.bounded_work import GATE, time_limit
from headtohead.core.safety.limits import limit
from headtohead.data.readers.errors import decoding_errors
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits, check_size
from headtohead.data.readers.reading import AS_STORED, Reading
from headtohead.data.readers.silence import suppress_library_output
from headtohead.data.readers.slices import SliceOptions, choose
from headtohead.data.readers.sniff import sniff

__all__ = ["claimed_size", "count_frames", "read_image", "slice_indices"]

T = TypeVar("T")
_ARRAYS = ("NPY", "MAT", "HDF5")
_VOLUMES = ("NIFTI", "NRRD", "METAIMAGE", "MGH")
_SECRET = secrets.token_bytes(32)
"""Drawn once, before any thread reads: two secrets in one process would split a patient in two."""


def read_image(
    content: bytes,
    *,
    name: str = "",
    frame: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
    slices: SliceOptions = SliceOptions(),  # noqa: B008 - frozen
    salt: bytes | None = None,
    reading: Reading = AS_STORED,
) -> Image:
    """Decode an image, by its content and never by its suffix.

    Args:
        content: the whole file.
        name: put in front of the error message; leave it empty to get the bare reason.
        frame: page, frame or slice, from 0. None: the first (of a NIfTI volume the middle slice);
            the history says so where there are more.
        limits: how much the file may ask for.
        slices: the axis along which `frame` counts the slices of a NIfTI volume.
        salt: secret bytes mixed into the hashes of patient and series ids. None: a secret drawn once in this
            process and kept nowhere, so that the hashes distinguish patients here and mean nothing elsewhere.
        reading: which volume and channels, and how many pixels.

    Returns:
        Pixels (H, W) or (H, W, 3) as stored (nothing clipped to 8 bit), upright, with the history. The
        array is contiguous and read-only.

    Raises:
        UnreadableError: for any content that is no readable image, with the reason.
    """
    limits = reading.within(limits)
    secret = _SECRET if salt is None else salt

    def job() -> Image:
        return _read_only(_decoded(content, frame, limits, slices, secret, reading))

    return _with_reasons(job, name)


def _decoded(
    content: bytes, frame: int | None, limits: Limits, slices: SliceOptions, salt: bytes, reading: Reading
) -> Image:
    """Return what the reader of the content's format makes of it; arguments as of `read_image`."""
    kind = _kind(content, limits)
    if kind == "DICOM":
        from headtohead.data.readers.dicom.reader import read_dicom

        return read_dicom(content, frame=frame, limits=limits, salt=salt)
    if kind in _VOLUMES:
        from headtohead.data.readers.nifti.reader import read_nifti

        return read_nifti(
            content, frame=frame, limits=limits, slices=slices, kind=kind, volume=reading.volume
        )
    if kind in _ARRAYS:
        from headtohead.data.readers.array_files.reader import read_array

        return read_array(content, kind, frame=frame, limits=limits, slices=slices, channels=reading.channels)
    if kind == "TIFF" and reading.channels:
        from headtohead.data.readers.raster.channels import read_channels

        return read_channels(content, reading.channels, frame=frame, limits=limits)
    from headtohead.data.readers.raster.reader import read_raster

    return read_raster(content, kind, frame=frame, limits=limits)


def count_frames(
    content: bytes,
    name: str = "",
    limits: Limits = DEFAULT_LIMITS,
    slices: SliceOptions = SliceOptions(),  # noqa: B008 - frozen
    reading: Reading = AS_STORED,
) -> int:
    """Return how many pages, frames or slices a file holds, without decoding them.

    Args:
        content: the whole file.
        name: put in front of the error message.
        limits: how much the file may ask for.
        slices: the axis along which the slices of a NIfTI volume are counted.
        reading: which channels, and how many pixels; of a TIFF whose pages are channels one image remains.

    Raises:
        UnreadableError: the content is no image, or holds more than `limits.frames`.
    """

    limits = reading.within(limits)

    def job() -> int:
        kind = _kind(content, limits)
        if kind == "DICOM":
            from headtohead.data.readers.dicom.reader import count_dicom

            n = count_dicom(content, limits=limits)
        elif kind in _VOLUMES:
            from headtohead.data.readers.nifti.reader import count_nifti

            n = count_nifti(content, limits=limits, slices=slices, kind=kind)
        elif kind in _ARRAYS:
            from headtohead.data.readers.array_files.reader import count_array

            n = count_array(content, kind, limits=limits, slices=slices, channels=reading.channels)
        elif kind == "TIFF" and reading.channels:
            from headtohead.data.readers.raster.channels import count_channels

            n = count_channels(content, limits=limits)
        else:
            from headtohead.data.readers.raster.reader import count_raster

            n = count_raster(content, kind, limits=limits)
        if n > limits.frames:
            raise UnreadableError(
                f"it claims {n:,} frames; the limit is {limits.frames:,} (--limit frames=NUMBER raises it)"
            )
        return n

    return _with_reasons(job, name)


def claimed_size(content: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[int, int]:
    """Return the (height, width) that a file's header claims, without decoding any pixel.

    Args:
        content: the whole file.
        limits: how much the file may ask for.

    Raises:
        UnreadableError: the content is no image, or claims more than the limits.
    """

    def job() -> tuple[int, int]:
        kind = _kind(content, limits)
        if kind == "DICOM":
            from headtohead.data.readers.dicom.reader import size_dicom

            return size_dicom(content, limits=limits)
        if kind in _VOLUMES:
            from headtohead.data.readers.nifti.reader import size_nifti

            height, width = size_nifti(content, limits=limits, kind=kind)
        elif kind in _ARRAYS:
            from headtohead.data.readers.array_files.reader import size_array

            height, width = size_array(content, kind, limits=limits)
        else:
            from headtohead.data.readers.raster.reader import size_raster

            height, width = size_raster(content, kind, limits=limits)
        check_size(height, width, limits)
        return height, width

    return _with_reasons(job, "")


def slice_indices(content: bytes, options: SliceOptions) -> list[int]:
    """Return the frame numbers of a volume file that `options` picks, for `read_image(frame=…)`.

    Args:
        content: the whole file (NIfTI, gzipped or not).
        options: axis and how many; give the same options to `read_image`.

    Raises:
        UnreadableError: the content is no readable volume.
    """
    return choose(count_frames(content, slices=options), options)


def _kind(content: bytes, limits: Limits) -> str:
    if not content:
        raise UnreadableError("the file is empty (0 bytes)")
    if len(content) > limits.bytes:
        raise UnreadableError(
            f"the file has {len(content):,} bytes; the limit is {limits.bytes:,} (--limit file-bytes=NUMBER raises it)"
        )
    kind = sniff(content)
    if not kind:
        raise UnreadableError(
            "its content is no image format that is read here (PNG, JPEG, TIFF, BMP, WebP, GIF, JPEG 2000, "
            "AVIF, PNM, DICOM, NIfTI, NRRD, MetaImage, MGH, NumPy, MATLAB, HDF5); convert it to one of these or leave "
            "it out"
        )
    if not limits.own_files and (kind == "HDF5" or content.startswith(b"MATLAB 7.3")):
        raise UnreadableError(
            "it is HDF5 (MATLAB 7.3 is too), which is not taken from others; send it as PNG, TIFF, DICOM or NIfTI"
        )
    return kind


def _read_only(image: Image) -> Image:
    """Make the pixels contiguous and read-only, whatever the decoder left, so that no step edits them."""
    pixels = np.ascontiguousarray(image.pixels)
    pixels.flags.writeable = False
    return dataclasses.replace(image, pixels=pixels)


def _with_reasons(job: Callable[[], T], name: str) -> T:
    """Run a reader in silence; whatever goes wrong becomes one `UnreadableError`, named if asked for."""
    clock = None
    try:
        with (
            GATE.scope(),
            suppress_library_output(),
            decoding_errors("its content is damaged or not supported: the decoder gave up"),
            time_limit(limit("seconds")) as clock,
        ):
            return job()
    except UnreadableError as error:
        reason = str(error)
        if clock is not None and clock.expired:
            reason = (
                f"reading it takes longer than {limit('seconds')} s (--limit seconds=NUMBER raises the limit)"
            )
    # outside the handler, so that no decoder's message hangs on the error as its context
    raise UnreadableError(f"{name}: {reason}" if name else reason)
