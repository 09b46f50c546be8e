"""Small files of arrays as NumPy, h5py and MATLAB write them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import scipy.io

__all__ = ["corpus", "hdf5_bytes", "mat5_bytes", "mat73_bytes", "npy_bytes", "tumour"]

Array = npt.NDArray[Any]


def npy_bytes(array: Array) -> bytes:
    """Return the content of a `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def hdf5_bytes(arrays: Mapping[str, Any], **options: Any) -> bytes:
    """Return the content of an HDF5 file; `options` are of every data set (compression, chunks)."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **options)
    return buffer.getvalue()


def mat5_bytes(variables: Mapping[str, Any], *, packed: bool = True) -> bytes:
    """Return the content of a MATLAB file of level 5."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, dict(variables), do_compression=packed)  # type: ignore[arg-type]
    return buffer.getvalue()


def mat73_bytes(path: Path, variables: Mapping[str, Any]) -> bytes:
    """Return the content of a MATLAB file of level 7.3: HDF5 behind a user block of 512 bytes.

    Args:
        path: a file that may be written.
        variables: name -> array as MATLAB shows it, text, or a dict of these (a struct).
    """
    with h5py.File(path, "w", userblock_size=512) as file:
        _write(file, variables)
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Nov 26 2026 HDF5 schema 1.00 ."
    content = head.ljust(116) + bytes(8) + b"\x00\x02IM"
    whole = path.read_bytes()
    return content.ljust(512, b"\0") + whole[512:]


def _write(group: Any, variables: Mapping[str, Any]) -> None:
    for name, value in variables.items():
        if isinstance(value, dict):
            inner = group.create_group(name)
            inner.attrs["MATLAB_class"] = np.bytes_("struct")
            _write(inner, value)
        elif isinstance(value, str):
            data = group.create_dataset(name, data=np.array([[ord(c)] for c in value], dtype=np.uint16))
            data.attrs["MATLAB_class"] = np.bytes_("char")
        else:
            array = np.atleast_2d(np.asarray(value))
            logical = array.dtype == np.bool_
            data = group.create_dataset(name, data=(array.astype(np.uint8) if logical else array).T)
            data.attrs["MATLAB_class"] = np.bytes_("logical" if logical else str(array.dtype))


def tumour(seed: int, label: int, patient: str) -> dict[str, Any]:
    """Return one slice of the figshare brain tumour set: `cjdata` with label, PID, image, tumorBorder, tumorMask."""
    image = np.random.default_rng(seed).integers(0, 3000, (12, 10)).astype(np.int16)
    return {
        "cjdata": {
            "label": np.float64(label),
            "PID": patient,
            "image": image,
            "tumorBorder": np.arange(8.0),
            "tumorMask": image > 1500,
        }
    }


def corpus(folder: Path) -> dict[str, bytes]:
    """Return sound files by name for the fuzzer and the contract of the readers; all are `read_image`'s.

    Args:
        folder: where files may be written.
    """
    rng = np.random.default_rng(3)
    grey = rng.integers(0, 255, (14, 11), dtype=np.uint8)
    volume = rng.integers(-90, 900, (5, 14, 11)).astype(np.int16)
    return {
        "grey.npy": npy_bytes(grey),
        "fortran.npy": npy_bytes(np.asfortranarray(grey.astype(np.float64))),
        "volume.npy": npy_bytes(volume),
        "colour.npy": npy_bytes(np.stack([grey] * 3, -1)),
        "struct.mat": mat5_bytes(tumour(1, 2, "p7")),
        "plain.mat": mat5_bytes({"image": grey, "note": "hello"}, packed=False),
        "struct73.mat": mat73_bytes(folder / "a.mat", tumour(1, 2, "p7")),
        "slice.h5": hdf5_bytes({"image": grey, "mask": grey > 100}, compression="gzip", chunks=(7, 11)),
        "volume.h5": hdf5_bytes({"data": volume}, shuffle=True, compression="lzf"),
    }
