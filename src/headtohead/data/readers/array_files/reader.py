"""Read an image out of a file of named arrays: one image, or one volume that is cut into slices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.readers.array_files.array_file import ArrayFile, ArrayInFile
from headtohead.data.readers.array_files.hdf5 import Hdf5File
from headtohead.data.readers.array_files.matlab import open_matlab
from headtohead.data.readers.array_files.npy import NpyFile
from headtohead.data.readers.arrays import fill_non_finite, is_grey_as_rgb, narrow
from headtohead.data.readers.errors import decoding_errors
from headtohead.data.readers.limits import Limits, check_frame, check_size
from headtohead.data.readers.planes import channel_axis, check_channels, take_channels
from headtohead.data.readers.slices import AXES, SliceOptions

__all__ = ["as_image", "count_array", "image_dtype", "open_content", "read_array", "size_array"]

Array = npt.NDArray[Any]

_NOT_IMAGES = re.compile(r"mask|seg|border|label|contour|roi|affine|spacing", re.IGNORECASE)
"""Words in the name of an array that lies beside an image and is none."""

_IMAGES = re.compile(r"(^|/)(image|img|im|i|data|x|pixels?|slice|scan|volume|vol)$", re.IGNORECASE)
"""Usual names of the array that is the image."""

_LEAST = 2
"""Rows and columns that an array must have to be an image."""


@dataclass(frozen=True, slots=True)
class _Planes:
    """How an array is cut: the axis that counts slices for each plane, or none for one image."""

    slice_axes: tuple[int, int, int] | None
    squeeze: tuple[int, ...] = ()
    note: str = ""


def open_content(content: bytes, kind: str, limits: Limits) -> ArrayFile:
    """Open the whole content of a file of arrays.

    Args:
        kind: "NPY", "MAT" or "HDF5", as `sniff` names it.

    Raises:
        UnreadableError: damaged or beyond the limits.
    """
    if kind == "NPY":
        return NpyFile(content)
    return Hdf5File(content, limits) if kind == "HDF5" else open_matlab(content, limits)


def count_array(
    content: bytes, kind: str, *, limits: Limits, slices: SliceOptions, channels: tuple[int, ...] = ()
) -> int:
    """Return the number of slices of a volume along the axis, 1 for one image.

    Raises:
        UnreadableError: damaged, beyond the limits, or not clear what the image is.
    """
    _, stored = _image_in(open_content(content, kind, limits))
    if channels and (number := channel_axis(stored.shape)) is not None:
        return check_channels(channels, stored.shape[number])
    planes = _planes(stored.shape, kind)
    return 1 if planes.slice_axes is None else _squeezed(stored.shape, planes)[_axis(planes, slices)]


def size_array(content: bytes, kind: str, *, limits: Limits) -> tuple[int, int]:
    """Return the (height, width) of the image or of a slice.

    Raises:
        UnreadableError: damaged, beyond the limits, or not clear what the image is.
    """
    _, stored = _image_in(open_content(content, kind, limits))
    planes = _planes(stored.shape, kind)
    shape = list(_squeezed(stored.shape, planes))
    if planes.slice_axes is not None:
        del shape[planes.slice_axes[0]]
    return shape[0], shape[1]


def read_array(
    content: bytes,
    kind: str,
    *,
    frame: int | None,
    limits: Limits,
    slices: SliceOptions,
    channels: tuple[int, ...] = (),
) -> Image:
    """Read the image of a file of arrays, or one slice of its volume.

    Args:
        content: the whole file.
        kind: "NPY", "MAT" or "HDF5".
        frame: slice from 0 along the axis; None: the middle one.
        limits: how much the file may ask for.
        slices: the axis.
        channels: which of the channels, along the axis that is shorter than both others; () for none.

    Raises:
        UnreadableError: damaged, beyond the limits, or not clear what the image is.
    """
    file = open_content(content, kind, limits)
    name, stored = _image_in(file)
    if channels and (number := channel_axis(stored.shape)) is not None:
        check_channels(channels, stored.shape[number])
        height, width = (n for i, n in enumerate(stored.shape) if i != number)
        check_size(height, width, limits)
        with decoding_errors("its array is damaged"):
            values = np.moveaxis(file.whole(name).reshape(stored.shape), number, -1)
        taken, history, known = take_channels(values, channels)
        return as_image(taken, image_dtype(values), kind, history, known, name)
    planes = _planes(stored.shape, kind)
    shape = _squeezed(stored.shape, planes)
    if planes.slice_axes is None:
        check_frame(frame or 0, 1)
        check_size(shape[0], shape[1], limits)
    with decoding_errors("its array is damaged"):
        values = file.whole(name).reshape(shape)
    notes = [planes.note] if planes.note else []
    facts: dict[str, str] = {}
    dtype = image_dtype(values)
    if planes.slice_axes is not None:
        axis = _axis(planes, slices)
        index = shape[axis] // 2 if frame is None else frame
        check_frame(index, shape[axis])
        values = np.take(values, index, axis=axis)
        check_size(values.shape[0], values.shape[1], limits)
        word = next(word for word, number in AXES.items() if number == slices.number)
        notes.append(f"Slice {index} of {shape[axis]} along axis {axis} taken ({word}; axes as stored).")
        facts["slice_axis"] = word
    return as_image(values, dtype, kind, tuple(notes), facts, name)


def as_image(
    stored: Array,
    dtype: np.dtype[Any],
    kind: str,
    notes: tuple[str, ...] = (),
    facts: dict[str, str] | None = None,
    name: str = "",
) -> Image:
    """Return values (H, W) or (H, W, 3) as an image of the given type.

    Args:
        kind: the format to name.
        name: of the array, for the history.
    """
    pixels, history = fill_non_finite(stored.astype(dtype))
    mode = "RGB" if pixels.ndim == 3 else "L" if pixels.dtype == np.uint8 else str(pixels.dtype)
    bits = 1 if stored.dtype.kind == "b" else 8 * stored.dtype.itemsize
    of = f"the array {name!r}" if name else "an array"
    known = dict(facts or {})
    if is_grey_as_rgb(pixels):
        known["grey_as_rgb"] = "yes"
    return Image(
        pixels=pixels,
        bit_depth=bits,
        mode=mode,
        format=kind,
        history=(f"Read from {of} of {stored.dtype}.", *notes, *history),
        facts=known,
    )


def image_dtype(pixels: Array) -> np.dtype[Any]:
    """Return the type in which an array's images are handed on: its own where an `Image` may have it."""
    native = pixels.dtype.newbyteorder("=")
    if native.kind == "f":
        return np.dtype(np.float32)
    if native.kind == "b":
        return np.dtype(np.uint8)
    if native in (np.dtype(kind) for kind in (np.uint8, np.uint16, np.int16, np.int32)) or not pixels.size:
        return native
    return narrow(np.zeros(1, native), float(pixels.min()), float(pixels.max())).dtype


def _image_in(file: ArrayFile) -> tuple[str, ArrayInFile]:
    """Return the one array that is the image: by its name among several, else the only one of its shape."""
    found = {
        name: stored
        for name, stored in file.arrays.items()
        if stored.is_numeric and len(stored.shape) >= 2 and sorted(stored.shape)[-2] >= _LEAST
        and not _NOT_IMAGES.search(name)
    }  # fmt: skip
    named = {name: stored for name, stored in found.items() if _IMAGES.search(name)}
    chosen = found if len(found) == 1 else named
    if len(chosen) == 1:
        return next(iter(chosen.items()))
    held = ", ".join(
        f"{name or 'the array'} {stored.shape}" for name, stored in list(file.arrays.items())[:8]
    )
    if not found:
        raise UnreadableError(
            f"it holds no array of at least {_LEAST} x {_LEAST} numbers to be an image; it holds {held or 'nothing'}"
        )
    raise UnreadableError(
        f"it holds several arrays that could be the image: {held}; keep one of them, or name it 'image'"
    )


def _planes(shape: tuple[int, ...], kind: str) -> _Planes:
    """Return how an array of this shape is cut into images.

    Raises:
        UnreadableError: the shape can be read in two ways, or in none.
    """
    squeeze = tuple(i for i, n in enumerate(shape) if n == 1) if len(shape) > 2 else ()
    bare = tuple(n for i, n in enumerate(shape) if i not in squeeze)
    if len(bare) < 2:  # an image of one row or column keeps both of its axes
        bare, squeeze = shape[:2], tuple(range(2, len(shape)))
    if min(bare) < 1:
        raise UnreadableError(f"its array has the shape {shape}; an empty image")
    if len(bare) == 2 or (len(bare) == 3 and bare[2] == 3):
        return _Planes(None, squeeze)
    if len(bare) == 3 and bare[0] == 3 and bare[1] > 4 and bare[2] > 4:
        raise UnreadableError(
            f"its array has the shape {shape}: {bare[0]} channels, or {bare[0]} slices? Save channels last, as "
            "(height, width, 3), or each slice as a file"
        )
    if len(bare) == 3 and bare[2] in (2, 4):
        raise UnreadableError(
            f"its array has the shape {shape}: {bare[2]} channels; 1 (grey) or 3 (red, green, blue) are read"
        )
    if len(bare) == 3:
        first = _odd_axis(bare, 2 if kind == "MAT" else 0)  # MATLAB keeps a series along the last axis
        others = [i for i in range(3) if i != first]
        return _Planes((first, others[0], others[1]), squeeze)
    raise UnreadableError(
        f"its array has the shape {shape}; (height, width), (height, width, 3) or one volume is expected. Many images "
        "in one array need an array of labels next to it"
    )


def _odd_axis(shape: tuple[int, ...], otherwise: int) -> int:
    """Return the axis whose length differs from two equal others, else the usual one.

    >>> _odd_axis((20, 64, 64), 2), _odd_axis((64, 64, 20), 0), _odd_axis((8, 8, 8), 0)
    (0, 2, 0)
    """
    alone = [i for i in range(3) if shape.count(shape[i]) == 1]
    return alone[0] if len(alone) == 1 else otherwise


def _squeezed(shape: tuple[int, ...], planes: _Planes) -> tuple[int, ...]:
    return tuple(n for i, n in enumerate(shape) if i not in planes.squeeze)


def _axis(planes: _Planes, slices: SliceOptions) -> int:
    """Return the array's axis for a plane: axial is the one that counts slices, the others as stored."""
    order: dict[int, Literal[0, 1, 2]] = {2: 0, 1: 1, 0: 2}
    assert planes.slice_axes is not None
    return planes.slice_axes[order[slices.number]]
