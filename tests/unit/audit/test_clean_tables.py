"""A cleaned manifest keeps what else the table knew, and never shows another slice than was looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headtohead.audit.clean import plan_clean, write_clean
from headtohead.audit.duplicates import Grouping
from headtohead.core.errors import InsufficientDataError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.data.load import LoadOptions, load

Alone = Callable[[Dataset], Grouping]


@pytest.fixture
def alone() -> Alone:
    return lambda data: Grouping({s.id: s.group for s in data.samples}, (), (), (), (), {})


def test_further_columns_travel(tmp_path: Path, alone: Alone) -> None:
    rng = np.random.default_rng(1)
    rows = []
    for i in range(4):
        Image.fromarray(rng.integers(0, 256, (9, 8), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        rows.append({"path": f"{i}.png", "label": "ab"[i % 2], "sex": "FM"[i // 2], "MRN": "4711"})
    pd.DataFrame(rows).to_csv(tmp_path / "m.csv", index=False)
    data = load(str(tmp_path / "m.csv"))
    write_clean(plan_clean(data, alone(data)), tmp_path / "new.csv")
    again = load(str(tmp_path / "new.csv"))
    assert [s.extra["sex"] for s in again.samples] == ["F", "F", "M", "M"]
    assert "4711" not in (tmp_path / "new.csv").read_text()


def test_a_column_that_could_be_taken_for_a_role_stays_behind(tmp_path: Path, alone: Alone) -> None:
    """The second column that is called like a split would be taken for it once the first is gone."""
    rng = np.random.default_rng(2)
    for i in range(4):
        Image.fromarray(rng.integers(0, 256, (9, 8), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    rows = [{"path": f"{i}.png", "label": "ab"[i % 2], "patient": f"p{i}", "case": "same"} for i in range(4)]
    pd.DataFrame(rows).to_csv(tmp_path / "m.csv", index=False)
    data = load(str(tmp_path / "m.csv"))
    assert data.samples[0].extra["case"] == "same"
    write_clean(plan_clean(data, alone(data)), tmp_path / "new.csv")
    assert list(pd.read_csv(tmp_path / "new.csv").columns) == ["path", "label", "group"]


def test_slices_of_another_plane_are_refused(tmp_path: Path, alone: Alone) -> None:
    for name in ("yes", "no"):
        (tmp_path / name).mkdir()
        volume = np.random.default_rng(len(name)).normal(size=(6, 7, 8)).astype(np.float32)
        made = nibabel.Nifti1Image(volume, np.eye(4))  # type: ignore[no-untyped-call]
        (tmp_path / name / "v.nii").write_bytes(made.to_bytes())
    data = load(str(tmp_path), LoadOptions(slices="coronal:middle:2"))
    with pytest.raises(UsageError, match="not axial"):
        write_clean(plan_clean(data, alone(data)), tmp_path / "new.csv")


def test_files_whose_labels_are_known_are_not_said_to_lack_folders(tmp_path: Path) -> None:
    for name in ("yes", "no"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InsufficientDataError, match="convert or replace them"):
        load(str(tmp_path))
