"""Slices of a volume: which are picked."""

from __future__ import annotations

import gzip
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.errors import NoEffectError, UsageError
from headtohead.data.readers import slice_indices
from headtohead.data.readers.slices import SliceOptions, choose


@given(total=st.integers(1, 400), wanted=st.integers(1, 500))
def test_slices_are_ascending_distinct_and_within_the_volume(total: int, wanted: int) -> None:
    for options in (SliceOptions(count=wanted), SliceOptions(middle=wanted)):
        numbers = choose(total, options)
        assert len(numbers) == min(wanted, total)
        assert numbers == sorted(set(numbers)) and numbers[0] >= 0 and numbers[-1] < total


def test_middle_slices_lie_around_the_middle_and_spread_ones_in_equal_parts() -> None:
    assert choose(9, SliceOptions(middle=3)) == [3, 4, 5]
    assert choose(12, SliceOptions(count=3)) == [2, 6, 10]
    assert choose(3, SliceOptions()) == [0, 1, 2]


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="expected one of axial, coronal, sagittal"):
        SliceOptions("oblique")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="expected at least 1"):
        SliceOptions(count=0)
    with pytest.raises(NoEffectError, match="give one"):
        SliceOptions(count=2, middle=2)


Array = npt.NDArray[Any]


nifti1: Any = nib.Nifti1Image


def volume_file(volume: Array, affine: Array | None = None, *, make: Any = nifti1, **header: Any) -> bytes:
    image = make(volume, np.eye(4) if affine is None else affine)
    image.header.set_xyzt_units("mm")
    for name, value in header.items():
        image.header[name] = value
    return bytes(image.to_bytes())


@pytest.fixture
def volume(rng: np.random.Generator) -> Array:
    return rng.integers(-500, 500, (5, 6, 7), dtype=np.int16)


def test_slice_choice(volume: Array) -> None:
    content = gzip.compress(volume_file(volume))
    assert slice_indices(content, SliceOptions()) == list(range(7))
    assert slice_indices(content, SliceOptions("coronal", count=2)) == [1, 4]
    assert slice_indices(content, SliceOptions("sagittal", middle=3)) == [1, 2, 3]
    assert slice_indices(content, SliceOptions(0, middle=99)) == list(range(5))
    assert slice_indices(content, SliceOptions("axial", count=99)) == list(range(7))


def test_slice_options_refuse_what_means_nothing() -> None:
    with pytest.raises(UsageError, match="'diagonal'"):
        SliceOptions("diagonal")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="count = 0"):
        SliceOptions(count=0)
    with pytest.raises(NoEffectError, match="give one"):
        SliceOptions(count=2, middle=3)
