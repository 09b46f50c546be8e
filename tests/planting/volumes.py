"""Small volumes as SimpleITK and nibabel write them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import SimpleITK

__all__ = ["AFFINE", "corpus", "voxels", "write_itk"]

Array = npt.NDArray[Any]

AFFINE = np.array([[0, -2.0, 0, 5], [0, 0, 3.0, 1], [1.5, 0, 0, 2], [0, 0, 0, 1]])
"""RAS: the first axis runs to the head, the second to the left, the third to the front."""


def voxels() -> Array:
    """Return (7, 8, 9) numbers that are all different."""
    return (np.arange(7 * 8 * 9).reshape(7, 8, 9) - 100).astype(np.int16)


def write_itk(path: Path, array: Array, affine: Array = AFFINE, *, packed: bool = False) -> None:
    """Write an array (X, Y, Z) with a RAS affine through SimpleITK, which counts in LPS."""
    image = SimpleITK.GetImageFromArray(array.T)
    n = array.ndim
    steps = (np.diag([-1.0, -1.0, 1.0]) @ affine[:3, :3])[:n, :n]
    spacing = np.sqrt((steps**2).sum(axis=0))
    image.SetSpacing([float(v) for v in spacing])  # type: ignore[no-untyped-call]
    image.SetDirection([float(v) for v in (steps / spacing).ravel()])  # type: ignore[no-untyped-call]
    SimpleITK.WriteImage(image, str(path), packed)


def corpus() -> dict[str, bytes]:
    """Return sound files by name, for the fuzzer and the contract of the readers."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, packed in (("a.mha", False), ("b.mha", True), ("a.nrrd", False), ("b.nrrd", True)):
            write_itk(Path(folder, name), voxels(), packed=packed)
            found[name] = Path(folder, name).read_bytes()
        for name in ("a.mgh", "b.mgz"):
            nib.save(nib.MGHImage(voxels(), AFFINE), Path(folder, name))  # type: ignore[no-untyped-call]
            found[name] = Path(folder, name).read_bytes()
    return found
