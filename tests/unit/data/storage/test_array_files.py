"""Sets of images and labels in `.npy`, HDF5 and MATLAB files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from PIL import Image as PillowImage
from tests.planting.array_files import hdf5_bytes, mat73_bytes

from headtohead.core.errors import DataError, NoEffectError, UsageError
from headtohead.data.load import LoadOptions, load, source_digest

RNG = np.random.default_rng(4)
IMAGES = RNG.integers(0, 255, (8, 6, 5), dtype=np.uint8)
LABELS = np.arange(8) % 2


def counts(source: Path, options: LoadOptions = LoadOptions()) -> dict[str, int]:  # noqa: B008
    data = load(str(source), options)
    for sample in data.samples:
        assert data.read(sample).pixels.size
    assert source_digest(str(source), options) == data.digest()
    return {name: sum(s.label == name for s in data.samples) for name in data.classes}


def test_npy_pairs_with_splits(tmp_path: Path) -> None:
    np.save(tmp_path / "X_train.npy", IMAGES)
    np.save(tmp_path / "y_train.npy", LABELS)
    np.save(tmp_path / "X_test.npy", IMAGES[:4])
    np.save(tmp_path / "y_test.npy", LABELS[:4])
    assert counts(tmp_path) == {"0": 6, "1": 6}
    data = load(str(tmp_path))
    sample = next(s for s in data.samples if s.id == "train/000003")
    assert (sample.split, sample.label, sample.format) == ("train", "1", "NPY")
    assert (data.read(sample).pixels == IMAGES[3]).all()
    assert any("X_train with the labels y_train" in note for note in data.notes)
    assert load(str(tmp_path / "X_train.npy")).digest() == data.digest()


def test_the_pairs_of_patchcamelyon(tmp_path: Path) -> None:
    colour = np.stack([IMAGES] * 3, -1)
    for part, n in (("train", 8), ("valid", 4), ("test", 4)):
        front = f"camelyonpatch_level_2_split_{part}"
        (tmp_path / f"{front}_x.h5").write_bytes(hdf5_bytes({"x": colour[:n]}))
        (tmp_path / f"{front}_y.h5").write_bytes(hdf5_bytes({"y": LABELS[:n].reshape(n, 1, 1, 1)}))
        (tmp_path / f"{front}_mask.h5").write_bytes(hdf5_bytes({"mask": IMAGES[:n, ..., None]}))
    assert counts(tmp_path) == {"0": 8, "1": 8}
    data = load(str(tmp_path))
    assert {s.split for s in data.samples} == {"train", "val", "test"}
    assert (data.read(data.samples[-1]).pixels == colour[3]).all()
    assert any("_mask/mask" in note and "not used" in note for note in data.notes)


def test_one_hdf5_with_names_of_classes(tmp_path: Path) -> None:
    content = hdf5_bytes(
        {"train_set_x": IMAGES, "train_set_y": LABELS, "list_classes": np.array([b"healthy", b"ill"])}
    )
    (tmp_path / "a.h5").write_bytes(content)
    assert counts(tmp_path / "a.h5") == {"healthy": 4, "ill": 4}


def test_groups_channels_first_and_wide_numbers(tmp_path: Path) -> None:
    first = np.stack([IMAGES.astype(np.int64)] * 3, 1)
    (tmp_path / "a.h5").write_bytes(
        hdf5_bytes({"images": first, "labels": LABELS, "patient_ids": np.arange(8) // 2})
    )
    data = load(str(tmp_path / "a.h5"))
    assert len({s.group for s in data.samples}) == 4 and data.groups_from == "the array patient_ids"
    pixels = data.read(data.samples[2]).pixels
    assert pixels.shape == (6, 5, 3) and pixels.dtype == np.uint8 and (pixels[..., 1] == IMAGES[2]).all()


def test_two_readings_are_asked_for_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(
        hdf5_bytes({"scans_a": IMAGES, "other": IMAGES, "dx": LABELS, "sex": LABELS})
    )
    with pytest.raises(DataError, match=r"scans_a \(8, 6, 5\).*--columns 'path=other,label=dx'") as caught:
        load(str(tmp_path / "a.h5"))
    assert "\n" not in str(caught.value)
    options = LoadOptions(columns={"path": "scans_a", "label": "dx"})
    assert counts(tmp_path / "a.h5", options) == {"0": 4, "1": 4}
    with pytest.raises(DataError, match="no array 'nope'"):
        load(str(tmp_path / "a.h5"), LoadOptions(columns={"path": "nope", "label": "dx"}))
    with pytest.raises(UsageError, match="expected the arrays of images and labels"):
        load(str(tmp_path / "a.h5"), LoadOptions(columns={"path": "scans_a"}))


def test_images_without_labels_beside_them(tmp_path: Path) -> None:
    (tmp_path / "split_train_x.h5").write_bytes(hdf5_bytes({"x": IMAGES}))
    with pytest.raises(DataError, match=r"split_train_x.*no array of labels.*y_train"):
        load(str(tmp_path))


def test_an_only_pair_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(hdf5_bytes({"scans_a": IMAGES, "dx": LABELS, "age": LABELS * 1.5}))
    assert counts(tmp_path / "a.h5") == {"0": 4, "1": 4}


@pytest.mark.parametrize("level", ["5", "7.3"])
def test_matlab_keeps_the_series_last(tmp_path: Path, level: str) -> None:
    variables = {"X": np.moveaxis(np.stack([IMAGES] * 3, -1), 0, -1), "y": LABELS.reshape(8, 1) + 1}
    path = tmp_path / "train_32x32.mat"
    if level == "5":
        scipy.io.savemat(path, variables)
    else:
        path.write_bytes(mat73_bytes(tmp_path / "work.h5", variables))
    assert counts(path) == {"1": 4, "2": 4}
    data = load(str(path))
    assert (data.read(data.samples[5]).pixels[..., 0] == IMAGES[5]).all()


def test_one_slice_a_file_in_class_folders(tmp_path: Path) -> None:
    for label in ("no", "yes"):
        (tmp_path / label).mkdir()
        for i in range(3):
            np.save(tmp_path / label / f"{i}.npy", IMAGES[i])
    assert counts(tmp_path) == {"no": 3, "yes": 3}


def test_arrays_beside_class_folders_are_two_readings(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", IMAGES)
    np.save(tmp_path / "y.npy", LABELS)
    (tmp_path / "no").mkdir()
    PillowImage.fromarray(IMAGES[0]).save(tmp_path / "no" / "a.png")
    with pytest.raises(DataError, match=r"two ways.*\*\.npy"):
        load(str(tmp_path))
    assert counts(tmp_path / "*.npy") == {"0": 4, "1": 4}


@pytest.mark.parametrize(
    ("arrays", "fault"),
    [
        ({"images": IMAGES, "labels": LABELS[:5]}, "none is an array of images with its labels"),
        ({"images": IMAGES, "labels": LABELS + 0.5}, "fractions"),
        ({"images": np.stack([IMAGES] * 2, -1), "labels": LABELS}, "expected numbers of shape"),
    ],
)
def test_what_is_refused(tmp_path: Path, arrays: dict[str, Any], fault: str) -> None:
    (tmp_path / "a.h5").write_bytes(hdf5_bytes(arrays))
    with pytest.raises(DataError, match=fault):
        load(str(tmp_path / "a.h5"))


def test_options_without_effect(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(hdf5_bytes({"images": IMAGES, "labels": LABELS}))
    with pytest.raises(NoEffectError, match="label_from"):
        load(str(tmp_path / "a.h5"), LoadOptions(label_from="(.)"))
    with pytest.raises(NoEffectError, match="keep_columns"):
        load(str(tmp_path / "a.h5"), LoadOptions(keep_columns=("a",)))


def test_volumes_in_an_npz_are_sliced(tmp_path: Path) -> None:
    volumes = RNG.integers(0, 255, (4, 7, 6, 5), dtype=np.uint8)
    np.savez(tmp_path / "nodulemnist3d.npz", train_images=volumes, train_labels=LABELS[:4, None])
    data = load(str(tmp_path / "nodulemnist3d.npz"), LoadOptions(slices="middle:3"))
    assert [s.id for s in data.samples[:3]] == ["train/000000#2", "train/000000#3", "train/000000#4"]
    assert {s.group for s in data.samples} == {f"train/00000{i}" for i in range(4)}
    assert (data.read(data.samples[4]).pixels == volumes[1, 3]).all()
    side = load(str(tmp_path / "nodulemnist3d.npz"), LoadOptions(slices="sagittal"))
    assert (side.read(side.samples[0]).pixels == volumes[0, :, :, 2]).all()
