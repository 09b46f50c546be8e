"""Headers of MetaImage by the words of its documentation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import DEFAULT_LIMITS
from headtohead.data.readers.nifti.header import Header
from headtohead.data.readers.volumes.metaimage import metaimage_header, metaimage_lines

USUAL = {"NDims": "3", "DimSize": "4 5 6", "ElementType": "MET_SHORT"}


def header(stated: Mapping[str, str] | None = None, *, body: int = 4096, **fields: str) -> Header:
    lines = [f"{key} = {value}" for key, value in {**USUAL, **fields, **(stated or {})}.items()]
    content = "\n".join([*lines, "ElementDataFile = LOCAL", ""]).encode() + bytes(body)
    return metaimage_header(content, DEFAULT_LIMITS)


def test_without_directions_the_axes_are_those_of_itk() -> None:
    found = header(ElementSpacing="2 3 4")
    assert found.orientation.tolist() == [[0, -1], [1, -1], [2, 1]] and found.sizes == (2, 3, 4)
    assert header(ElementSize="2 3 4").sizes == (2, 3, 4)
    assert header(ElementSize="9 9 9", ElementSpacing="2 3 4").sizes == (2, 3, 4)
    assert header().sizes == (1, 1, 1)


@pytest.mark.parametrize("key", ["TransformMatrix", "Rotation", "Orientation"])
def test_each_direction_is_a_row_of_three_numbers(key: str) -> None:
    """The first stored axis runs to the head, the second to the left, the third to the front, as stated in LPS."""
    found = header({key: "0 0 1 1 0 0 0 -1 0"}, ElementSpacing="2 3 4")
    assert found.orientation.tolist() == [[2, 1], [0, -1], [1, 1]] and found.sizes == (2, 3, 4)


def test_directions_that_span_no_space_are_said() -> None:
    found = header(TransformMatrix="0 0 0 0 0 0 0 0 0")
    assert found.sizes == (1, 1, 1) and "not usable" in found.notes[0]


def test_of_a_series_the_directions_of_space_count() -> None:
    found = header(
        NDims="4", DimSize="4 5 6 3", ElementSpacing="2 3 4 9",
        TransformMatrix="0 1 0 0 1 0 0 0 0 0 1 0 0 0 0 1",
    )  # fmt: skip
    assert found.orientation.tolist() == [[1, -1], [0, -1], [2, 1]]
    assert (found.sizes, found.volumes, found.shape) == ((2, 3, 4), 3, (4, 5, 6))


@pytest.mark.parametrize(
    ("kind", "code"),
    [("MET_UCHAR", "|u1"), ("MET_CHAR", "|i1"), ("MET_LONG", "<i4"), ("MET_ULONG_LONG", "<u8"),
     ("MET_DOUBLE", "<f8"), ("MET_FLOAT", "<f4"), ("MET_USHORT_ARRAY", "<u2")],
)  # fmt: skip
def test_types(kind: str, code: str) -> None:
    assert header(ElementType=kind).dtype == np.dtype(code)


@pytest.mark.parametrize("key", ["ElementByteOrderMSB", "BinaryDataByteOrderMSB"])
def test_byte_orders(key: str) -> None:
    assert header({key: "True"}).dtype == np.dtype(">i2")
    assert header({key: "False"}).dtype == np.dtype("<i2")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"DimSize": "nan 5 6"}, "sizes that do not fit"),
        ({"DimSize": "inf 5 6"}, "sizes that do not fit"),
        ({"DimSize": "4.5 5 6"}, "sizes that do not fit"),
        ({"DimSize": "4 5"}, "sizes that do not fit"),
        ({"DimSize": "4 5 0"}, "each must be at least 1"),
        ({"DimSize": "4 5 x"}, "no numbers in DimSize"),
        ({"ElementNumberOfChannels": "3"}, "3 channels of int16"),
        ({"ElementNumberOfChannels": "2", "ElementType": "MET_UCHAR"}, "2 channels of uint8"),
        ({"ElementType": "MET_STRING"}, "'MET_STRING' is not read"),
        ({"HeaderSize": "128"}, "HeaderSize of their own"),
        ({"HeaderSize": "-1"}, "HeaderSize of their own"),
    ],
)
def test_what_is_not_read_says_why(fields: dict[str, str], reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        header(fields)


def test_colour_of_eight_bits_is_read() -> None:
    found = header(ElementNumberOfChannels="3", ElementType="MET_UCHAR")
    assert (found.channels, found.n_values) == (3, 360)


def test_one_byte_short_is_truncated_and_packed_data_are_not_measured() -> None:
    assert header(body=240).offset == header(body=241).offset
    with pytest.raises(UnreadableError, match="it is truncated"):
        header(body=239)
    packed = header(body=10, CompressedData="True")
    assert (packed.packed, packed.offset, packed.wbits) == (True, 0, 15)
    assert packed.front == header(body=240, CompressedData="None").offset + len("True") - len("None")


def test_the_header_ends_behind_the_name_of_its_data() -> None:
    content = b"A = 1\r\nElementDataFile = x.raw\r\nB = 2\n"
    fields, end = metaimage_lines(content)
    assert fields == {"A": "1", "ElementDataFile": "x.raw"} and content[end:] == b"B = 2\n"
    assert metaimage_lines(b"ElementDataFile = x.raw")[0] == {
        "ElementDataFile": "x.raw"
    }  # the last line may just end
    with pytest.raises(UnreadableError, match="names no ElementDataFile"):
        metaimage_lines(b"A = 1\n")
