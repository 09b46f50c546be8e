"""Labels and patients inside MATLAB files: the figshare brain tumour set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.planting.array_files import mat5_bytes, mat73_bytes, tumour

from headtohead.core.errors import InsufficientDataError
from headtohead.data.load import LoadOptions, load, source_digest


@pytest.fixture
def tumours(tmp_path: Path) -> Path:
    """The layout of the download: numbered files in parts, two slices of each of six patients, and `cvind.mat`."""
    root = tmp_path / "figshare"
    for i in range(12):
        part = root / f"brainTumorDataPublic_{i // 6}"
        part.mkdir(parents=True, exist_ok=True)
        variables = tumour(i, 1 + i // 2 % 3, f"MR0{i // 2}17F")
        content = mat73_bytes(tmp_path / "work.h5", variables) if i % 2 else mat5_bytes(variables)
        (part / f"{i + 1}.mat").write_bytes(content)
    (root / "cvind.mat").write_bytes(mat5_bytes({"cvind": np.arange(12.0).reshape(12, 1)}))
    return root


def test_classes_and_patients_come_from_the_files(tumours: Path) -> None:
    data = load(str(tumours))
    assert [sum(s.label == name for s in data.samples) for name in data.classes] == [4, 4, 4]
    assert data.classes == ("1", "2", "3") and len({s.group for s in data.samples}) == 6
    assert data.groups_from == "the patient ids in the files"
    assert any("1 is meningioma, 2 glioma and 3 pituitary" in note for note in data.notes)
    assert not any("MR0" in f"{s.group}{s.extra}" for s in data.samples), "no patient id is written"
    assert [p.path for p in data.problems] == ["cvind.mat"] and "no label" in data.problems[0].reason
    assert source_digest(str(tumours)) == data.digest()
    image = data.read(data.samples[0])
    assert image.pixels.shape == (12, 10) and image.pixels.dtype == np.int16


def test_the_names_can_be_given(tumours: Path) -> None:
    names = {"1": "meningioma", "2": "glioma", "3": "pituitary"}
    assert load(str(tumours), LoadOptions(map_labels=names)).classes == ("glioma", "meningioma", "pituitary")


def test_class_folders_of_plain_files(tmp_path: Path) -> None:
    for label in ("no", "yes"):
        (tmp_path / label).mkdir()
        for i in range(2):
            (tmp_path / label / f"{i}.mat").write_bytes(mat5_bytes({"image": np.full((5, 4), i)}))
    assert load(str(tmp_path)).classes == ("no", "yes")


def test_damaged_files_are_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "1.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(200))
    with pytest.raises(InsufficientDataError, match=r"1\.mat"):
        load(str(tmp_path))
