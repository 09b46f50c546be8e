"""NumPy's own files, held against numpy.load."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.array_files.npy import NpyFile


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["u1", ">u2", "<f4", "?", "S3", "U2"])
def test_values_are_numpys_from_bytes_and_from_a_file(
    tmp_path: Path, version: tuple[int, int], order: str, dtype: str
) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    content = saved(np.asfortranarray(array) if order == "F" else array, version)
    (tmp_path / "a.npy").write_bytes(content)
    for source in (content, tmp_path / "a.npy"):
        file = NpyFile(source)
        assert (file.whole("") == array).all() and file.whole("").dtype == array.dtype
        assert (file.row("", 1) == array[1]).all()
        (stored,) = file.arrays.values()
        assert (stored.shape, stored.n_values) == ((2, 3, 4), 24)
        assert stored.is_text == (dtype[0] in "SU") and stored.is_numeric != stored.is_text


def test_empty_arrays(tmp_path: Path) -> None:
    content = saved(np.zeros((0, 4, 4), np.uint8))
    (tmp_path / "a.npy").write_bytes(content)
    for source in (content, tmp_path / "a.npy"):
        assert NpyFile(source).whole("").shape == (0, 4, 4)


def test_one_byte_short_is_told_before_anything_is_reserved(tmp_path: Path) -> None:
    content = saved(np.zeros((3, 4), np.uint16))
    (tmp_path / "a.npy").write_bytes(content[:-1])
    for source in (content[:-1], tmp_path / "a.npy"):
        with pytest.raises(UnreadableError, match=r"claims the shape \(3, 4\) of uint16"):
            NpyFile(source)
    assert NpyFile(content + b"more").whole("").shape == (3, 4)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array([{"a": 1}], dtype=object), "only unpickling could read"),
        (np.zeros(2, "c8"), "values of type complex64"),
        (np.zeros(2, "M8[s]"), "values of type datetime64"),
        (np.zeros(2, [("a", "u1")]), "numbers or text are expected"),
    ],
)
def test_what_is_no_number_and_no_text_is_refused(array: np.ndarray, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        NpyFile(saved(array))


def test_damage_and_names_that_are_not_there() -> None:
    content = saved(np.zeros(4))
    for damaged in (content[:9], b"\x93NUMPY\x07\x00" + content[8:], content[:10] + b"x" * 100, b""):
        with pytest.raises(UnreadableError):
            NpyFile(damaged)
    with pytest.raises(UnreadableError, match="no array 'x'"):
        NpyFile(content).whole("x")
