"""MATLAB's level 5 written by hand: the other byte order, small elements, structs in structs, and damage."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.array_files.mat5 import ClassicMatFile


def saved(**variables: Any) -> bytes:
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables)  # type: ignore[arg-type]
    return buffer.getvalue()


def by_hand(
    order: str, values: np.ndarray, kind: int, stored: int, name: bytes = b"a", flags: int = 0
) -> bytes:
    """Return a file of one matrix of two dimensions."""

    def element(code: int, data: bytes) -> bytes:
        return struct.pack(f"{order}II", code, len(data)) + data + bytes(-len(data) % 8)

    body = element(6, struct.pack(f"{order}II", kind | flags, 0))
    body += element(5, struct.pack(f"{order}2i", *values.shape))
    body += element(1, name) + element(stored, values.tobytes(order="F"))
    mark = b"\x01\x00" if order == ">" else b"\x00\x01"
    header = b"MATLAB 5.0 MAT-file".ljust(124) + (mark + b"MI" if order == ">" else mark + b"IM")
    return header + element(14, body)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("dtype", "kind", "stored"), [("i2", 10, 3), ("u4", 13, 6), ("f8", 6, 9), ("f4", 7, 7), ("i8", 14, 12)]
)
def test_both_byte_orders(order: str, dtype: str, kind: int, stored: int) -> None:
    values = np.array([[1, 2, 3], [-4, 5, 600]]).astype(order + dtype)
    found = ClassicMatFile(by_hand(order, values, kind, stored)).whole("a")
    assert (found == values).all() and found.dtype == np.dtype(dtype)


def test_the_class_says_what_whole_numbers_in_a_small_type_are() -> None:
    """MATLAB keeps doubles that are whole numbers as bytes."""
    values = np.array([[1, 2], [3, 255]], np.uint8)
    assert ClassicMatFile(by_hand("<", values, 6, 2)).whole("a").dtype == np.float64
    logical = ClassicMatFile(by_hand("<", values % 2, 9, 2, flags=0x0200)).whole("a")
    assert logical.dtype == np.bool_ and logical.tolist() == [[True, False], [True, True]]


@settings(max_examples=25)
@given(
    st.sampled_from(["u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8"]),
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
)
def test_arrays_are_scipys(dtype: str, shape: list[int]) -> None:
    array = (np.arange(np.prod(shape)) % 120).reshape(shape).astype(dtype)
    file = ClassicMatFile(saved(a=array, b=array[::-1] * 2))
    assert (file.whole("a") == array).all() and (file.whole("b") == array[::-1] * 2).all()
    assert file.arrays["a"].shape == array.shape and file.arrays["a"].dtype == array.dtype
    assert (file.row("a", 0) == array[..., 0]).all()


def test_structs_in_structs_end_at_three() -> None:
    inner = {"d": 1.0, "deeper": {"e": 5.0}}
    file = ClassicMatFile(saved(a={"b": {"c": inner, "e": 2.0}, "f": "text"}, series=[{"x": 1}, {"x": 2}]))
    # what lies deeper is left out, and so are several structs or cells, which are no arrays
    assert sorted(file.arrays) == ["a/b/c/d", "a/b/e", "a/f"]
    assert [float(file.whole(name).item()) for name in ("a/b/c/d", "a/b/e")] == [1, 2]
    assert str(file.whole("a/f")) == "text"


def test_text_of_three_codes() -> None:
    assert str(ClassicMatFile(saved(a="müß 心")).whole("a")) == "müß 心"
    for stored, text in ((16, "müß".encode()), (17, "mü".encode("utf-16-le")), (4, "mü".encode("utf-16-le"))):
        content = np.frombuffer(text, np.uint8).reshape(1, -1)
        found = str(ClassicMatFile(by_hand("<", content, 4, stored)).whole("a"))
        assert found == ("müß" if stored == 16 else "mü")


def test_every_cut_is_told() -> None:
    content = saved(a=np.arange(12.0).reshape(3, 4), b={"c": 1})
    for cut in range(0, len(content), 7):
        try:
            file = ClassicMatFile(content[:cut])
        except UnreadableError:
            continue
        for name in file.arrays:  # whole variables before the cut are read as they are
            file.whole(name)


def test_damage_says_what_it_is() -> None:
    good = by_hand("<", np.zeros((2, 3), np.int16), 10, 3)
    with pytest.raises(UnreadableError, match="header is truncated or damaged"):
        ClassicMatFile(good[:126] + b"XX" + good[128:])
    with pytest.raises(UnreadableError, match=r"claims the shape \(2, 300\), more than it holds"):
        ClassicMatFile(good.replace(struct.pack("<2i", 2, 3), struct.pack("<2i", 2, 300)))
    with pytest.raises(UnreadableError, match=r"claims the shape \(-2, 3\)"):
        ClassicMatFile(good.replace(struct.pack("<2i", 2, 3), struct.pack("<2i", -2, 3)))
    with pytest.raises(UnreadableError, match="'a' is stored in an unknown way"):
        ClassicMatFile(by_hand("<", np.zeros((2, 3), np.int16), 10, 99))
    with pytest.raises(UnreadableError, match="claims 4,000,000 bytes"):
        ClassicMatFile(good[:132] + struct.pack("<I", 4_000_000) + good[136:])
    with pytest.raises(UnreadableError, match="no variable 'b'"):
        ClassicMatFile(good).whole("b")
