"""NIfTI: orientation, scaling, window and slices, against nibabel and against marks in the corners."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, SliceOptions, count_frames, read_image, sniff

Array = npt.NDArray[Any]
AXES = ("axial", "coronal", "sagittal")
nifti1: Any = nib.Nifti1Image
nifti2: Any = nib.Nifti2Image
header1: Any = nib.Nifti1Header
as_canonical: Any = nib.as_closest_canonical


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


def expected_slice(canonical: Array, axis: str, index: int) -> Array:
    """The documented display: head or front on top; patient's right, or front, on the left."""
    x, y, z = (np.arange(n)[::-1] for n in canonical.shape)
    if axis == "axial":
        return canonical[:, :, index][np.ix_(x, y)].T
    if axis == "coronal":
        return canonical[:, index, :][np.ix_(x, z)].T
    return canonical[index, :, :][np.ix_(y, z)].T


ORIENTATIONS = [(order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]


@pytest.mark.parametrize("axis", AXES)
def test_all_48_orientations_give_the_canonical_slice(volume: Array, axis: str) -> None:
    for order, signs in ORIENTATIONS:
        affine = np.zeros((4, 4))
        affine[3, 3] = 1
        for stored, (world, sign) in enumerate(zip(order, signs, strict=True)):
            affine[world, stored] = sign * (1.0 + world)
        content = volume_file(volume, affine)
        canonical = as_canonical(nifti1(volume, affine))
        data = np.asarray(canonical.dataobj)
        options = SliceOptions(axis)  # type: ignore[arg-type]
        assert count_frames(content, slices=options) == data.shape[options.number]
        for index in (0, data.shape[options.number] - 1):
            image = read_image(content, frame=index, slices=options)
            assert np.array_equal(image.pixels, expected_slice(data, axis, index))
            rows, columns = {"axial": (2.0, 1.0), "coronal": (3.0, 1.0), "sagittal": (3.0, 2.0)}[axis]
            assert image.spacing_mm == (rows, columns)


def test_a_mark_at_the_patients_right_front_head() -> None:
    """In RAS the last voxel is right, front, head: axial top left, coronal top left, sagittal top left."""
    marked = np.zeros((4, 5, 6), np.uint8)
    marked[-1, -1, -1] = 9
    for axis, last in (("axial", 5), ("coronal", 4), ("sagittal", 3)):
        image = read_image(volume_file(marked), frame=last, slices=SliceOptions(axis))  # type: ignore[arg-type]
        assert image.pixels[0, 0] == 9
        assert image.pixels.sum() == 9


@pytest.mark.parametrize("make", [nifti1, nifti2])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_versions_and_packing(volume: Array, make: Any, pack: Callable[[bytes], bytes]) -> None:
    content = pack(volume_file(volume, make=make))
    assert sniff(content) == "NIFTI"
    image = read_image(content, frame=3)
    assert np.array_equal(image.pixels, expected_slice(volume, "axial", 3))
    assert (image.format, image.mode, image.bit_depth) == ("NIFTI", "int16", 16)
    assert image.pixels.dtype == np.int16


def test_the_middle_slice_is_the_default_and_is_told(volume: Array) -> None:
    image = read_image(volume_file(volume))
    assert np.array_equal(image.pixels, expected_slice(volume, "axial", 3))
    assert image.history[-1] == "Axial slice 3 of 7 taken (the middle one)."
    with pytest.raises(UnreadableError, match=r"frame 7 was requested; the file holds 7 frames \(0 to 6\)"):
        read_image(volume_file(volume), frame=7)


def test_big_endian(volume: Array) -> None:
    image: Any = nifti1(volume.astype(">i2"), np.eye(4), header=header1(endianness=">"))
    content = bytes(image.to_bytes())
    assert content[:4] == struct.pack(">i", 348)
    assert np.array_equal(read_image(content, frame=2).pixels, expected_slice(volume, "axial", 2))


DTYPES = {
    "uint8": "uint8", "int8": "int16", "int16": "int16", "uint16": "uint16", "int32": "int32",
    "uint32": "float32", "float32": "float32", "float64": "float32",
}  # fmt: skip


@pytest.mark.parametrize("stored", sorted(DTYPES))
def test_number_types(stored: str) -> None:
    volume = np.arange(24).reshape(2, 3, 4).astype(stored)
    image = read_image(volume_file(volume), frame=1)
    assert image.pixels.dtype == np.dtype(DTYPES[stored])
    assert np.array_equal(image.pixels, expected_slice(volume, "axial", 1))


def test_large_whole_numbers_are_rounded_and_told() -> None:
    volume = np.full((2, 2, 2), 2**24 + 1, dtype=np.uint32)
    assert "Rounded to 32-bit floats." in read_image(volume_file(volume)).history
    small = read_image(volume_file(np.ones((2, 2, 2), dtype=np.uint32)))
    assert not any("Rounded" in line for line in small.history)


def test_scaling_follows_nibabel(volume: Array) -> None:
    for slope, intercept, kind in ((2.0, -1.0, np.int32), (0.5, 3.25, np.float32), (0.0, 9.0, np.int16)):
        content = with_field(volume_file(volume), 112, "<ff", slope, intercept)
        loaded: Any = nifti1.from_bytes(content)
        image = read_image(content, frame=4)
        assert np.allclose(image.pixels, expected_slice(loaded.get_fdata(), "axial", 4))
        assert image.pixels.dtype == kind


def test_colours() -> None:
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    raw = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    image = read_image(volume_file(np.ascontiguousarray(raw).view(kind)[..., 0]), frame=1)
    expected = np.stack([expected_slice(raw[..., i], "axial", 1) for i in range(3)], axis=-1)
    assert np.array_equal(image.pixels, expected)
    assert image.mode == "RGB"


def test_the_window_is_the_volumes(rng: np.random.Generator) -> None:
    volume = rng.gamma(2.0, 100.0, (20, 21, 22)).astype(np.float32)
    volume[:10] = 0
    low, high = np.percentile(volume[volume != 0], (0.5, 99.5))
    windows = {read_image(volume_file(volume), frame=i).window for i in range(0, 22, 7)}
    assert len(windows) == 1
    assert windows.pop() == pytest.approx((low, high))
    assert read_image(volume_file(np.zeros((3, 3, 3), np.float32))).window is None


def test_a_series_gives_its_first_volume_and_says_so(rng: np.random.Generator) -> None:
    series = rng.integers(0, 99, (3, 4, 5, 6), dtype=np.uint8)
    image = read_image(volume_file(series), frame=2)
    assert np.array_equal(image.pixels, expected_slice(series[..., 0], "axial", 2))
    assert "The file holds 6 volumes; the first was taken." in image.history


def test_a_plane_is_a_volume_of_one_slice() -> None:
    plane = np.arange(12, dtype=np.uint8).reshape(3, 4)
    content = volume_file(plane)
    assert count_frames(content) == 1
    assert np.array_equal(read_image(content).pixels, expected_slice(plane[..., None], "axial", 0))


def test_not_finite_voxels_are_told() -> None:
    volume = np.ones((3, 3, 3), np.float32)
    volume[0, 0, 1], volume[1, 1, 1] = np.nan, 5
    image = read_image(volume_file(volume), frame=1)
    assert np.isfinite(image.pixels).all()
    assert any("1 NaN" in line for line in image.history)


# ---- which slices ----------------------------------------------------------------------------


# ---- refusals --------------------------------------------------------------------------------


def test_truncation_is_refused(volume: Array) -> None:
    sound = volume_file(volume)
    with pytest.raises(UnreadableError, match="truncated: 700 bytes of the 772"):
        read_image(sound[:700])
    with pytest.raises(UnreadableError, match=r"ends after|truncated"):
        read_image(gzip.compress(sound[:700]))
    with pytest.raises(UnreadableError):
        read_image(gzip.compress(sound)[:-40])


def test_a_wrong_gzip_checksum_is_refused(volume: Array) -> None:
    packed = bytearray(gzip.compress(volume_file(volume), mtime=0))
    packed[-6] ^= 1
    with pytest.raises(UnreadableError, match="damaged"):
        read_image(bytes(packed))


def test_a_gzip_bomb_is_refused() -> None:
    header = volume_file(np.zeros((2, 2, 2), np.uint8))[:352]
    bomb = with_field(header, 40, "<4h", 3, 500, 500, 500)
    packed = gzip.compress(bomb + bytes(500**3))
    with pytest.raises(UnreadableError, match="decompression bomb"):
        read_image(packed)
    with pytest.raises(UnreadableError, match="--limit voxels"):
        read_image(packed, limits=Limits(voxels=1000))
    with pytest.raises(UnreadableError, match="--limit unfolded-bytes"):
        read_image(packed, limits=Limits(unfolded=1_000_000))


def test_one_volume_read_twice_and_another_between(volume: Array) -> None:
    first, second = gzip.compress(volume_file(volume)), gzip.compress(volume_file(volume + 1))
    for content, source in ((first, volume), (second, volume + 1), (first, volume)):
        assert np.array_equal(read_image(content, frame=0).pixels, expected_slice(source, "axial", 0))
