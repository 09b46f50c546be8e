"""NIfTI headers that do not hold what they claim are refused before voxels are read."""

from __future__ import annotations

import struct
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import read_image

Array = npt.NDArray[Any]


nifti1: Any = nib.Nifti1Image


def volume_file(volume: Array, affine: Array | None = None, *, make: Any = nifti1, **header: Any) -> bytes:
    image = make(volume, np.eye(4) if affine is None else affine)
    image.header.set_xyzt_units("mm")
    for name, value in header.items():
        image.header[name] = value
    return bytes(image.to_bytes())


def with_field(content: bytes, place: int, layout: str, *values: float) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, place, *values)
    return bytes(changed)


@pytest.fixture
def volume(rng: np.random.Generator) -> Array:
    return rng.integers(-500, 500, (5, 6, 7), dtype=np.int16)


def test_an_unusable_orientation_is_told(volume: Array) -> None:
    content = with_field(volume_file(volume), 280, "<12f", *[float("nan")] * 12)
    image = read_image(content, frame=0)
    assert any("orientation is not usable" in line for line in image.history)
    assert image.spacing_mm == (1.0, 1.0)


def test_units(volume: Array) -> None:
    affine = np.diag([0.002, 0.003, 0.004, 1])
    metres = read_image(with_field(volume_file(volume, affine), 123, "<B", 1))
    assert metres.spacing_mm == pytest.approx((3.0, 2.0))
    unknown = read_image(with_field(volume_file(volume), 123, "<B", 0))
    assert any("Unit of length not stated" in line for line in unknown.history)


def test_headers_that_lie_are_refused(volume: Array) -> None:
    sound = volume_file(volume)
    with pytest.raises(UnreadableError, match="32000 x 32000 x 32000 voxels"):
        read_image(with_field(sound, 40, "<4h", 3, 32000, 32000, 32000))
    with pytest.raises(UnreadableError, match="claims 1 dimensions; 2 to 7"):
        read_image(with_field(sound, 40, "<h", 1))
    with pytest.raises(UnreadableError, match="each must be at least 1"):
        read_image(with_field(sound, 42, "<h", -5))
    with pytest.raises(UnreadableError, match="NIfTI type 1792"):
        read_image(with_field(sound, 70, "<h", 1792))
    for offset in (float("nan"), -1.0, 12.0, 1e30):
        with pytest.raises(UnreadableError, match="impossible place"):
            read_image(with_field(sound, 108, "<f", offset))
    with pytest.raises(UnreadableError, match="not finite"):
        read_image(with_field(sound, 112, "<ff", 1.0, float("inf")))
    with pytest.raises(UnreadableError, match="pair"):
        read_image(sound[:344] + b"ni1\0" + sound[348:])
