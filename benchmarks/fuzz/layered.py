"""Sound files that hold more than one image can, and what a user may ask of them: channels, volumes, megapixels."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.data.readers.reading import Reading

__all__ = ["READINGS", "layered_files"]

READINGS = (
    Reading(channels=(4, 2, 0)), Reading(channels=(1,)), Reading(channels=(0, 0, 9)), Reading(volume=1),
    Reading(volume=0, channels=(2,)), Reading(max_megapixels=0.0001), Reading(channels=(99999,), max_megapixels=1e6),
)  # fmt: skip
"""What the fuzz asks of each of them: some can be had, some cannot."""


@lru_cache
def layered_files() -> dict[str, bytes]:
    """Return TIFF files and arrays of five channels, and volumes that change in time, by name."""
    import nibabel as nib

    rng = np.random.default_rng(9)
    stack = rng.integers(0, 4000, (14, 11, 5)).astype(np.uint16)
    first = np.moveaxis(stack, -1, 0)
    series = rng.integers(-50, 900, (6, 7, 4, 3)).astype(np.int16)
    volumes: Any = nib.Nifti1Image(series, np.eye(4))  # type: ignore[no-untyped-call]
    return {
        "layered/contig.tif": _tiff(stack, planarconfig="contig"),
        "layered/planes.tif": _tiff(first, planarconfig="separate"),
        "layered/pages.tif": _tiff(first, metadata={"axes": "CYX"}),
        "layered/deflate.tif": _tiff(stack, planarconfig="contig", compression="zlib"),
        "layered/lzw.tif": _tiff(stack, planarconfig="contig", compression="lzw"),
        "layered/tiles.tif": _tiff(stack, planarconfig="contig", tile=(16, 16)),
        "layered/last.npy": _npy(stack),
        "layered/first.npy": _npy(first),
        "layered/time.nii": volumes.to_bytes(),
    }


def _tiff(array: npt.NDArray[Any], **options: Any) -> bytes:
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, array, photometric="minisblack", **options)
    return file.getvalue()


def _npy(array: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
