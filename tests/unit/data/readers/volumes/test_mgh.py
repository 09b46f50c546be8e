"""Headers of FreeSurfer's volumes byte by byte, and the volumes of a series."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import DEFAULT_LIMITS
from headtohead.data.readers.nifti.header import Header
from headtohead.data.readers.volumes.geometry import oriented
from headtohead.data.readers.volumes.mgh import mgh_header
from headtohead.data.readers.volumes.signatures import is_analyze, is_mgh

RAS = (1, 0, 0, 0, 1, 0, 0, 0, 1)


def front(
    kind: int = 0,
    *,
    volumes: int = 1,
    good: int = 1,
    sizes: tuple[float, ...] = (2, 3, 4),
    columns: tuple[int, ...] = RAS,
) -> bytes:
    numbers = struct.pack(">7ih", 1, 4, 5, 6, volumes, kind, 0, good)
    return (numbers + struct.pack(">12f", *sizes, *columns)).ljust(284, b"\0")


def header(body: int = 480, **more: int | tuple[float, ...] | tuple[int, ...]) -> Header:
    return mgh_header(front(**more) + bytes(body), DEFAULT_LIMITS)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "code"), [(0, "|u1"), (1, ">i4"), (3, ">f4"), (4, ">i2")])
def test_types(kind: int, code: str) -> None:
    found = header(kind=kind)
    assert (found.dtype, found.shape, found.offset) == (np.dtype(code), (4, 5, 6), 284)


def test_directions_lie_one_axis_after_the_other() -> None:
    found = header(columns=(0, 0, 1, -1, 0, 0, 0, -1, 0))  # to the head, to the left, to the back
    assert found.orientation.tolist() == [[2, 1], [0, -1], [1, -1]] and found.sizes == (2, 3, 4)
    assert header().notes == () and header().orientation.tolist() == [[0, 1], [1, 1], [2, 1]]


def test_without_directions_freesurfers_own_count() -> None:
    found = header(good=0)
    assert found.orientation.tolist() == [[0, -1], [2, -1], [1, 1]] and found.sizes == (1, 1, 1)


def test_one_byte_short_is_truncated() -> None:
    assert header(body=120).end == 404
    with pytest.raises(UnreadableError, match="403 bytes of the 404"):
        header(body=119)
    with pytest.raises(UnreadableError, match="header is truncated or damaged"):
        mgh_header(front()[:283], DEFAULT_LIMITS)
    packed = mgh_header(gzip.compress(front() + bytes(120)), DEFAULT_LIMITS)
    assert packed.packed and packed.shape == (4, 5, 6)


def test_what_no_such_header_says() -> None:
    good = front()
    assert is_mgh(good[:30]) and not is_mgh(good[:29])
    for at, value in ((0, 2), (4, 0), (8, -1), (12, (1 << 20) + 1), (20, 2)):
        assert not is_mgh(good[:at] + struct.pack(">i", value) + good[at + 4 :]), at
    assert not is_mgh(front(good=2))


@pytest.mark.parametrize("order", "<>")
def test_an_analyze_header_states_its_own_size_and_one_to_seven_dimensions(order: str) -> None:
    def analyze(size: int = 348, n: int = 3, magic: bytes = b"") -> bytes:
        content = bytearray(348)
        struct.pack_into(f"{order}i", content, 0, size)
        struct.pack_into(f"{order}h", content, 40, n)
        content[344 : 344 + len(magic)] = magic
        return bytes(content)

    assert [is_analyze(analyze(n=n)) for n in (0, 1, 7, 8)] == [False, True, True, False]
    assert is_analyze(analyze(magic=b"ni1")) and not is_analyze(analyze(magic=b"n+1"))  # a file of one part
    assert not is_analyze(analyze(size=347)) and not is_analyze(analyze()[:-1])


def test_a_volume_of_a_series_lies_behind_those_before_it() -> None:
    series = header(volumes=4)
    first, third = series.at(None, DEFAULT_LIMITS, 764), series.at(2, DEFAULT_LIMITS, 764)
    assert (first.offset, third.offset) == (284, 284 + 2 * 120)
    assert first.notes == ("The file holds 4 volumes; the first was taken.",)
    assert third.notes == ("The file holds 4 volumes; number 2 (counted from 0) was taken.",)
    with pytest.raises(UnreadableError, match=r"volume 4 was requested; the file holds 4 volumes \(0 to 3\)"):
        series.at(4, DEFAULT_LIMITS, 764)
    single = header()
    assert single.at(0, DEFAULT_LIMITS, 404) is single is single.at(None, DEFAULT_LIMITS, 404)
    with pytest.raises(UnreadableError, match=r"the file holds 1 volume \(number 0\)"):
        single.at(1, DEFAULT_LIMITS, 404)


@pytest.mark.parametrize(
    "directions",
    [
        np.zeros((3, 3)),
        np.diag([1, np.nan, 1]),
        np.diag([1, np.inf, 1]),
        np.diag([1, 1, 1e6]),
        np.diag([1.0, 1.0, 0.0]),
    ],
)
def test_directions_that_are_not_usable(directions: np.ndarray) -> None:
    orientation, sizes, (note,) = oriented(directions)
    assert orientation.tolist() == [[0, -1], [1, -1], [2, 1]] and sizes == (1, 1, 1)
    assert note == "Its orientation is not usable: axes taken as stored (left, back, head), spacing as 1 mm."


def test_a_voxel_is_as_long_as_its_step() -> None:
    turned = np.array([[3.0, 0, 0], [4.0, 2, 0], [0, 0, -5]])
    orientation, sizes, notes = oriented(turned)
    assert sizes == (5, 2, 5) and orientation[2].tolist() == [2, -1]
    assert notes == ("Axes brought to canonical order (RAS).",)
