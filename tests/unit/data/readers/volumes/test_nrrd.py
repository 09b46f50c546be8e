"""Headers of NRRD by the words of the format's definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits
from headtohead.data.readers.nifti.header import Header
from headtohead.data.readers.volumes.nrrd import nrrd_fields, nrrd_header

LPS = "space: left-posterior-superior"


def header(*lines: str, body: int = 4096, limits: Limits = DEFAULT_LIMITS) -> Header:
    given = {line.partition(":")[0] for line in lines}
    usual = ("type: short", "dimension: 3", "sizes: 4 5 6", "encoding: raw", "endian: little")
    kept = [line for line in usual if line.partition(":")[0] not in given]
    return nrrd_header("\n".join(["NRRD0004", *kept, *lines, "", ""]).encode("latin-1") + bytes(body), limits)


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (-1, -1, 1)),
        ("LPS", (-1, -1, 1)),
        ("right-anterior-superior", (1, 1, 1)),
        ("RAS", (1, 1, 1)),
        ("left-anterior-superior", (-1, 1, 1)),
        ("LAS", (-1, 1, 1)),
        ("RAS-time", (1, 1, 1)),
        ("LPST", (-1, -1, 1)),
    ],
)
def test_directions_are_read_in_the_space_that_is_named(space: str, signs: tuple[int, ...]) -> None:
    found = header(f"space: {space}", "space directions: (2,0,0) (0,3,0) (0,0,4)")
    assert found.orientation.tolist() == [[axis, sign] for axis, sign in enumerate(signs)]
    assert found.sizes == (2, 3, 4)
    assert found.notes == (() if signs == (1, 1, 1) else ("Axes brought to canonical order (RAS).",))


def test_a_turned_volume_has_its_steps_in_the_order_of_its_axes() -> None:
    found = header("space: RAS", "space directions: (0,0,-2) (3,0,0) (0,4,0)")
    assert found.orientation.tolist() == [[2, -1], [0, 1], [1, 1]]
    assert found.sizes == (2, 3, 4)


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "left-right-superior", ""])
def test_a_space_that_is_not_the_patients_is_said(space: str) -> None:
    found = header(f"space: {space}", "space directions: (2,0,0) (0,3,0) (0,0,4)", "spacings: 1 2 3")
    assert found.orientation.tolist() == [[0, -1], [1, -1], [2, 1]] and found.sizes == (1, 2, 3)
    assert found.notes == ("Its orientation is not stated: axes taken as left, back, head (LPS).",)


def test_a_space_with_the_same_side_twice_is_not_usable() -> None:
    found = header("space: LLS", "space directions: (2,0,0) (0,3,0) (0,0,4)")
    assert found.sizes == (1, 1, 1) and "is not usable" in found.notes[0]


def test_spacings_that_are_no_lengths_count_as_one() -> None:
    assert header("spacings: nan -2 0.5").sizes == (1, 1, 0.5)
    assert header("spacings: a b c").sizes == (1, 1, 1)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("type: uchar",), "|u1"),
        (("type: signed char",), "|i1"),
        (("type: unsigned  short", "endian: big"), ">u2"),
        (("type: Short",), "<i2"),
        (("type: uint32_t", "endian: big"), ">u4"),
        (("type: unsigned long long int",), "<u8"),
        (("type: double",), "<f8"),
        (("type: float", "endian: BIG"), ">f4"),
    ],
)
def test_names_of_types_and_byte_orders(lines: tuple[str, ...], code: str) -> None:
    assert header(*lines).dtype == np.dtype(code)


def test_a_vector_in_front_is_colour_and_one_behind_a_series() -> None:
    colour = header("type: uchar", "dimension: 4", "sizes: 3 4 5 6", "kinds: RGB-color domain domain domain")
    assert (colour.channels, colour.shape, colour.volumes) == (3, (4, 5, 6), 1)
    single = header("type: uchar", "dimension: 4", "sizes: 1 4 5 6", "kinds: vector domain domain domain")
    assert (single.channels, single.shape) == (1, (4, 5, 6))
    series = header("dimension: 4", "sizes: 4 5 6 7", "kinds: domain domain domain list")
    assert (series.channels, series.shape, series.volumes) == (1, (4, 5, 6), 7)
    flat = header("dimension: 3", "sizes: 4 5 7", "kinds: domain domain list")
    assert (flat.shape, flat.volumes) == ((4, 5, 1), 7)
    steps = header(LPS, "type: uchar", "dimension: 4", "sizes: 3 4 5 6",
                   "space directions: none (2,0,0) (0,3,0) (0,0,4)")  # fmt: skip
    assert (steps.channels, steps.shape, steps.sizes) == (3, (4, 5, 6), (2, 3, 4))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            ("dimension: 4", "sizes: 4 3 5 6", "kinds: domain vector domain domain"),
            "an order that is not read",
        ),
        (("dimension: 4", "sizes: 2 4 5 6", "kinds: vector domain domain domain"), "2 values of int16"),
        (("dimension: 4", "sizes: 3 4 5 6", "kinds: vector domain domain domain"), "3 values of int16"),
        (("line skip: 1",), "skips lines"),
        (("byte skip: -1",), "skips lines or packed bytes"),
        (("byte skip: 8", "encoding: gzip"), "skips lines or packed bytes"),
        (("encoding: hex",), "'hex' is not read"),
        (("dimension: x",), "no whole numbers in dimension"),
        (("data file: a.raw",), r"lie in 'a\.raw'"),
    ],
)
def test_what_is_not_read_says_why(lines: tuple[str, ...], reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        header(*lines)


def test_the_voxels_begin_behind_the_empty_line_and_what_is_skipped() -> None:
    plain, skipped = header(), header("byte skip: 16")
    text = "\n".join(
        ["NRRD0004", "type: short", "dimension: 3", "sizes: 4 5 6", "encoding: raw", "endian: little"]
    )
    assert (plain.offset, plain.packed, plain.front) == (len(text) + 2, False, 0)
    assert skipped.offset == len(text) + len("\nbyte skip: 16") + 2 + 16
    packed = header("encoding: gzip")
    assert (packed.offset, packed.packed, packed.wbits) == (0, True, 31) and packed.front > 0


def test_one_byte_short_is_truncated() -> None:
    needed = 4 * 5 * 6 * 2
    assert header(body=needed).n_values == 120
    with pytest.raises(UnreadableError, match="it is truncated"):
        header(body=needed - 1)
    with pytest.raises(UnreadableError, match="it is truncated"):
        header("byte skip: 2", body=needed)


def test_comments_and_free_text_are_no_fields() -> None:
    content = b"NRRD0004\r\n# type: uchar\r\nsizes:=9 9\r\nSpace Directions: none\r\nkinds:  a b \r\n\r\nrest"
    fields, at = nrrd_fields(content)
    assert fields == {"spacedirections": "none", "kinds": "a b"} and content[at:] == b"rest"
    assert nrrd_fields(b"NRRD0004\ndata file: x.raw") == ({"datafile": "x.raw"}, 25)


def test_more_slices_than_the_limit_are_refused() -> None:
    limits: Any = Limits(frames=6)
    assert header(limits=limits).shape == (4, 5, 6)
    with pytest.raises(UnreadableError, match=r"claims 4 x 5 x 6 voxels; the limits are .* and 5 slices"):
        header(limits=Limits(frames=5))
