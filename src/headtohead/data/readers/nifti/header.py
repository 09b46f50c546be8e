"""Checks of a NIfTI header before any voxel is read.

nibabel parses the header and its affine; here are the limits that it does not have: dimensions, offset, type,
scaling and claimed size are held against the file and the limits before memory is reserved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.affines import voxel_sizes
from nibabel.orientations import apply_orientation, io_orientation

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import Limits, inflate

__all__ = ["Header", "header_of"]

Array = npt.NDArray[Any]
_RGB = {128: 3, 2304: 4}  # datatype code -> channels, by nifti1.h
# Real numbers of nifti1.h; complex ones have no picture.
_TYPES = frozenset((2, 4, 8, 16, 64, 256, 512, 768, 1024, 1280))
_UNITS = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # xyzt_units -> millimetres; unknown is taken as millimetres
_AS_STORED = np.array([[0, 1], [1, 1], [2, 1]], dtype=float)


@dataclass(frozen=True, slots=True)
class Header:
    """What the reader needs of a NIfTI header.

    Attributes:
        shape: (X, Y, Z) as stored; offset: where the first voxel lies in the unpacked file.
        orientation: for each stored axis the canonical axis and the direction (+1 or -1).
        sizes: voxel sizes in mm along the stored axes.
        notes: decisions taken, one sentence each.
        volumes: how many the file holds one after the other; `at` picks another than the first.
        front: bytes before the compressed stream (a header that is not packed); wbits: the kind of stream, as for zlib.
    """

    packed: bool
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    channels: int
    offset: int
    slope: float
    intercept: float
    orientation: Array
    sizes: tuple[float, float, float]
    notes: tuple[str, ...]
    front: int = 0
    wbits: int = 31
    volumes: int = 1

    @property
    def n_values(self) -> int:
        """Numbers in the first volume, channels included."""
        return math.prod(self.shape) * self.channels

    @property
    def end(self) -> int:
        """Where the first volume ends in the unpacked file."""
        return self.offset + self.n_values * self.dtype.itemsize

    def at(self, volume: int | None, limits: Limits, n_bytes: int) -> Header:
        """Return the header of one volume of a series (4-D), counted from 0; None for the first.

        Raises:
            UnreadableError: there is no such volume, or it lies behind the end of the file or the limits.
        """
        if self.volumes == 1 and not volume:
            return self
        number = volume or 0
        if number >= self.volumes:
            held = (
                "1 volume (number 0)"
                if self.volumes == 1
                else f"{self.volumes} volumes (0 to {self.volumes - 1})"
            )
            raise UnreadableError(f"volume {number} was requested; the file holds {held}")
        which = "the first" if volume is None else f"number {number} (counted from 0)"
        notes = (f"The file holds {self.volumes} volumes; {which} was taken.", *self.notes)
        start = self.offset + number * self.n_values * self.dtype.itemsize
        if start > limits.unfolded:
            raise UnreadableError(
                f"volume {number} lies behind {start:,} bytes; the limit is {limits.unfolded:,} "
                "(--limit unfolded-bytes=NUMBER raises it)"
            )
        found = replace(self, offset=start, notes=notes)
        if not self.packed and found.end > n_bytes:
            raise UnreadableError(
                f"it is truncated: {n_bytes:,} bytes of the {found.end:,} that volume {number} needs"
            )
        return found

    @property
    def bits(self) -> int:
        """Bits per channel as stored."""
        return self.dtype.itemsize * 8

    @property
    def type_name(self) -> str:
        """The stored type: "int16", "RGB", …"""
        return {3: "RGB", 4: "RGBA"}.get(self.channels, self.dtype.name)

    @property
    def canonical_shape(self) -> tuple[int, int, int]:
        """(to the right, to the front, to the head) number of voxels."""
        canonical = self._canonical(self.shape)
        return int(canonical[0]), int(canonical[1]), int(canonical[2])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel sizes in mm along the canonical axes."""
        canonical = self._canonical(self.sizes)
        return float(canonical[0]), float(canonical[1]), float(canonical[2])

    def to_canonical(self, volume: Array) -> Array:
        """Return the volume with canonical axes, as a view."""
        reordered: Array = apply_orientation(volume, self.orientation)  # type: ignore[no-untyped-call]
        return reordered

    def _canonical(self, values: tuple[float, float, float]) -> dict[int, float]:
        return {int(axis): value for (axis, _), value in zip(self.orientation, values, strict=True)}


def header_of(content: bytes, limits: Limits) -> Header:
    """Parse and check the header.

    Args:
        content: the whole file, gzipped or not.
        limits: what the header may claim.

    Raises:
        UnreadableError: impossible numbers, a type that is not read, or beyond the limits.
    """
    packed = content[:2] == b"\x1f\x8b"
    # 540 bytes are the longer header, NIfTI-2's
    front = inflate(content, 540, limits, wbits=31, exact=False) if packed else content[:540]
    raw = _parse(front)
    shape, volumes = _shape(raw, limits)
    dtype, channels = _type(raw)
    slope, intercept = _scaling(raw)
    orientation, sizes, more = _geometry(raw)
    header = Header(
        packed=packed,
        shape=shape,
        dtype=dtype,
        channels=channels,
        offset=_offset(raw, limits),
        slope=slope,
        intercept=intercept,
        orientation=orientation,
        sizes=sizes,
        notes=more,
        volumes=volumes,
    )
    if not packed and header.end > len(content):
        raise UnreadableError(
            f"it is truncated: {len(content):,} bytes of the {header.end:,} its first volume needs"
        )
    return header


def _parse(front: bytes) -> Any:
    second = front[4:7] in (b"n+2", b"ni2")
    magic, size = (front[4:7], 540) if second else (front[344:347], 348)
    if magic.startswith(b"ni"):
        raise UnreadableError("it is the header of a NIfTI pair, whose .img is not next to it")
    if len(front) < size:
        raise UnreadableError(f"its NIfTI header is truncated ({len(front)} of {size} bytes)")
    kind: Any = nib.Nifti2Header if second else nib.Nifti1Header
    return kind(binaryblock=front[:size], check=False)


def _shape(raw: Any, limits: Limits) -> tuple[tuple[int, int, int], int]:
    """Return the size of a volume and how many the file holds."""
    dims = [int(value) for value in raw["dim"]]
    n = dims[0]
    if not 2 <= n <= 7:
        raise UnreadableError(f"its header claims {n} dimensions; 2 to 7 are possible")
    used = dims[1 : n + 1]
    if min(used) < 1:
        raise UnreadableError(
            f"its header claims a size of {' x '.join(map(str, used))}; each must be at least 1"
        )
    x, y, z = [*used, 1][:3]  # a plane is a volume of one slice
    if max(x, y, z) > limits.frames or x * y * z > limits.voxels:
        raise UnreadableError(
            f"its header claims {x} x {y} x {z} voxels; the limits are {limits.voxels:,} voxels and "
            f"{limits.frames:,} slices (--limit voxels, --limit frames)"
        )
    return (x, y, z), math.prod(used[3:])


def _type(raw: Any) -> tuple[np.dtype[Any], int]:
    code = int(raw["datatype"])
    if code in _RGB:
        return np.dtype(np.uint8), _RGB[code]
    if code not in _TYPES:
        raise UnreadableError(
            f"its voxels have NIfTI type {code}; whole numbers, 32- and 64-bit floats and RGB are read"
        )
    return np.dtype(raw.get_data_dtype()), 1


def _offset(raw: Any, limits: Limits) -> int:
    offset = float(raw["vox_offset"])
    if not (raw.sizeof_hdr <= offset <= limits.unfolded and offset == int(offset)):
        raise UnreadableError("its header puts the voxels at an impossible place (vox_offset)")
    return int(offset)


def _scaling(raw: Any) -> tuple[float, float]:
    """Return slope and intercept; a slope of 0 or NaN means none (NIfTI-1 standard, scl_slope)."""
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or math.isnan(slope):
        return 1.0, 0.0
    if not (math.isfinite(slope) and math.isfinite(intercept)) or max(abs(slope), abs(intercept)) > 1e30:
        raise UnreadableError("its scaling (scl_slope, scl_inter) is not finite")
    return slope, intercept


def _geometry(raw: Any) -> tuple[Array, tuple[float, float, float], tuple[str, ...]]:
    """Return the orientation, the voxel sizes in mm, and what was decided."""
    try:
        affine = np.asarray(raw.get_best_affine(), dtype=float)
        orientation = io_orientation(affine)  # type: ignore[no-untyped-call]
        sizes = voxel_sizes(affine)  # type: ignore[no-untyped-call]
        usable = bool(np.isfinite(orientation).all() and np.isfinite(sizes).all() and (sizes > 0).all())
    except (ValueError, ArithmeticError, np.linalg.LinAlgError, nib.spatialimages.HeaderDataError):
        usable = False
    if not usable:
        note = "Its orientation is not usable: axes taken as stored (right, front, head), spacing as 1 mm."
        return _AS_STORED, (1.0, 1.0, 1.0), (note,)
    unit = int(raw["xyzt_units"]) & 7  # the next bits are the unit of time (nifti1.h)
    scale = _UNITS.get(unit, 1.0)
    notes = [] if unit in (1, 2, 3) else ["Unit of length not stated: taken as mm."]
    if not np.array_equal(orientation, _AS_STORED):
        notes.append("Axes brought to canonical order (RAS).")
    return orientation, (sizes[0] * scale, sizes[1] * scale, sizes[2] * scale), tuple(notes)
