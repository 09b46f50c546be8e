"""One image or volume in a `.npy`, MATLAB or HDF5 file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from tests.planting.array_files import hdf5_bytes, mat5_bytes, mat73_bytes, npy_bytes, tumour

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, SliceOptions, count_frames, read_image, sniff
from headtohead.data.readers.array_files.matlab import open_matlab

GREY = np.random.default_rng(0).integers(0, 255, (9, 7), dtype=np.uint8)
VOLUME = np.random.default_rng(1).integers(0, 4000, (6, 9, 9)).astype(np.int16)


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (GREY, "uint8"),
        (GREY > 9, "uint8"),
        (GREY.astype(np.float64) / 255, "float32"),
        (GREY.astype(np.int64), "uint8"),
        (np.asfortranarray(GREY.astype(">u2")), "uint16"),
        (np.stack([GREY] * 3, -1), "uint8"),
        (GREY[None], "uint8"),
    ],
)
def test_a_npy_of_one_image(array: Any, dtype: str) -> None:
    image = read_image(npy_bytes(array))
    assert (image.pixels == np.squeeze(array).astype(dtype)).all() and image.pixels.dtype == dtype
    assert (image.format, count_frames(npy_bytes(array))) == ("NPY", 1)


def test_a_volume_is_cut_along_the_axis_that_differs() -> None:
    content = npy_bytes(VOLUME)
    assert count_frames(content) == 6
    assert (read_image(content).pixels == VOLUME[3]).all()
    assert (read_image(content, frame=4).pixels == VOLUME[4]).all()
    coronal = SliceOptions("coronal")
    assert count_frames(content, slices=coronal) == 9
    assert (read_image(content, frame=5, slices=coronal).pixels == VOLUME[:, 5]).all()
    last = np.moveaxis(VOLUME, 0, -1)
    assert (read_image(npy_bytes(last), frame=1).pixels == VOLUME[1]).all()
    with pytest.raises(UnreadableError, match="6 frames"):
        read_image(content, frame=6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npy_bytes(np.zeros((3, 9, 7))), "3 channels, or 3 slices"),
        (npy_bytes(np.zeros((9, 7, 4))), "4 channels"),
        (npy_bytes(np.zeros((5, 6, 9, 7))), "many images|Many images"),
        (npy_bytes(np.zeros(5)), "no array of at least"),
        (npy_bytes(np.array([{}], dtype=object)), "Python objects"),
        (npy_bytes(np.zeros(3, "M8[D]")), "numbers or text"),
        (npy_bytes(GREY)[:-1], "truncated"),
        (npy_bytes(GREY)[:40], "header is damaged"),
        (hdf5_bytes({"a": GREY, "b": GREY}), r"several arrays.*a \(9, 7\), b \(9, 7\)"),
        (mat5_bytes({"a": 3.0}), "no array of at least"),
        (mat5_bytes({"a": GREY})[:200], "truncated"),
        (b"MATLAB 5.0 MAT-file" + bytes(200), "header is truncated or damaged"),
        (hdf5_bytes({"a": GREY})[:300], "not a readable HDF5 file"),
    ],
)
def test_what_is_refused_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read_image(content)


def test_claims_are_held_against_the_limits() -> None:
    tight = Limits(pixels=50)
    for content in (npy_bytes(GREY), mat5_bytes({"image": GREY}), hdf5_bytes({"image": GREY})):
        with pytest.raises(UnreadableError, match="limit"):
            read_image(content, limits=tight)
    bomb = mat5_bytes({"image": np.zeros((4000, 4000))})
    assert len(bomb) < 200_000
    with pytest.raises(UnreadableError, match="unfold"):
        read_image(bomb, limits=Limits(unfolded=1 << 20))
    with pytest.raises(UnreadableError, match="values"):
        read_image(hdf5_bytes({"image": np.zeros((40, 40))}, compression="gzip"), limits=Limits(voxels=100))


@pytest.mark.parametrize("level", ["5", "5 plain", "7.3"])
def test_the_struct_of_the_tumour_set(tmp_path: Path, level: str) -> None:
    variables = tumour(3, 2, "MR017")
    content = (
        mat73_bytes(tmp_path / "a.mat", variables)
        if level == "7.3"
        else mat5_bytes(variables, packed=level == "5")
    )
    assert sniff(content) == "MAT"
    image = read_image(content)
    assert (image.pixels == variables["cjdata"]["image"]).all() and image.pixels.dtype == np.int16
    file = open_matlab(content)
    assert str(file.whole("cjdata/PID")) == "MR017" and float(file.whole("cjdata/label").ravel()[0]) == 2


@pytest.mark.parametrize("packed", [True, False])
def test_level_5_equals_scipy(tmp_path: Path, packed: bool) -> None:
    made = {
        "a": np.arange(24.0).reshape(2, 3, 4),
        "b": np.arange(6, dtype=np.int16).reshape(2, 3),
        "c": np.array([[True, False]]),
        "text": "häß",
        "s": {"x": np.arange(3, dtype=np.uint8), "t": "inner"},
        "cell": np.array([1, "two"], dtype=object),
    }
    content = mat5_bytes(made, packed=packed)
    (tmp_path / "a.mat").write_bytes(content)
    theirs = scipy.io.loadmat(tmp_path / "a.mat")
    ours = open_matlab(content)
    for name in ("a", "b", "c"):
        assert (ours.whole(name) == theirs[name]).all() and ours.whole(name).shape == theirs[name].shape
    assert str(ours.whole("text")) == theirs["text"][0] == "häß"
    assert (ours.whole("s/x") == theirs["s"]["x"][0, 0]).all() and str(ours.whole("s/t")) == "inner"
    assert "cell" not in ours.arrays


def test_hdf5_does_not_leave_the_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(GREY))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("image", (9, 7), np.uint8, external=[(str(secret), 0, 63)])
        file["link"] = h5py.ExternalLink(str(tmp_path / "b.h5"), "image")
        file["loop"] = h5py.SoftLink("/")
    with pytest.raises(UnreadableError, match="other files"):
        read_image((tmp_path / "a.h5").read_bytes())


def test_a_server_takes_no_hdf5() -> None:
    for content in (hdf5_bytes({"image": GREY}), b"MATLAB 7.3 MAT-file"):
        with pytest.raises(UnreadableError, match="not taken from others"):
            read_image(content, limits=Limits(own_files=False))
    assert read_image(npy_bytes(GREY), limits=Limits(own_files=False)).pixels.shape == (9, 7)


def test_without_h5py_the_way_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    content = hdf5_bytes({"image": GREY})
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UnreadableError, match=r"pip install 'headtohead\[formats\]'"):
        read_image(content)
