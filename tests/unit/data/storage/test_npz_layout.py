"""Which arrays of an `.npz` belong together, and what labels and groups they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headtohead.core.errors import DataError
from headtohead.data.load import load, source_digest
from headtohead.data.storage.npz_layout import find_parts, group_names, label_names

PAIR = ["images", "labels"]
SPLIT = ["train_images", "train_labels", "test_images", "test_labels"]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.array([b"no", b"yes", b"no"]), ["no", "yes", "no"]),
        (np.eye(2, dtype=int)[[0, 1, 0]], ["0", "1", "0"]),
        (np.eye(3)[[2, 1, 0]], ["2", "1", "0"]),
    ],
)
def test_labels_of_bytes_and_one_hot_rows_are_class_names(labels: np.ndarray, names: list[str]) -> None:
    assert label_names("labels", labels, 3) == names


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (PAIR, {"all": None}),
        ([*PAIR, "class_names", "patient_ids"], {"all": "patient_ids"}),
        ([*PAIR, "lesion_id", "patient_id"], {"all": "patient_id"}),
        ([*PAIR, "SubjectID"], {"all": "SubjectID"}),
        ([*SPLIT, "train_patient_ids", "groups_test"], {"train": "train_patient_ids", "test": "groups_test"}),
    ],
)
def test_arrays_of_groups(names: list[str], groups: dict[str, str | None]) -> None:
    assert {word: part.groups for word, part in find_parts(names, "a.npz").items()} == groups


@pytest.mark.parametrize(("more", "without"), [("patient_ids", ["test", "train"]), ("test_cases", ["train"])])
def test_groups_of_some_parts_only_are_refused(more: str, without: list[str]) -> None:
    expected = f"{more!r}, but none for {', '.join(without)};.*such as {without[0]}_patient_ids"
    with pytest.raises(DataError, match=expected):
        find_parts([*SPLIT, more], "a.npz")


@pytest.mark.parametrize(
    ("ids", "groups"),
    [
        (np.array([3, 3, 4]), ["3", "3", "4"]),
        (np.array([[3.0], [np.nan], [4.0]]), ["3", None, "4"]),
        (np.array([b"p1", b"p1", b""]), ["p1", "p1", None]),
        (np.array(["p1", " ", "p2"]), ["p1", None, "p2"]),
    ],
)
def test_ids_of_groups(ids: np.ndarray, groups: list[str | None]) -> None:
    assert group_names("patient_ids", ids, 3) == groups


@pytest.mark.parametrize(
    ("ids", "fault"),
    [(np.arange(2), "for 3 images"), (np.eye(3), "for 3 images"), (np.full(3, 0.5), "fractions")],
)
def test_ids_that_do_not_fit_are_refused(ids: np.ndarray, fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        group_names("patient_ids", ids, 3)


def test_patient_ids_are_the_groups_and_this_is_said(tmp_path: Path) -> None:
    """Before, such an array was ignored without a word, and images of one patient leaked over folds."""
    images = np.random.default_rng(0).integers(0, 200, (8, 6, 6)).astype(np.uint8)
    ids = np.array([1, 1, 2, 2, 3, 3, np.nan, np.nan])
    names = np.array(["no", "yes"])
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(8) % 2, patient_ids=ids, class_names=names)
    data = load(str(tmp_path / "a.npz"))
    assert [s.group for s in data.samples] == ["1", "1", "2", "2", "3", "3", "all/000006", "all/000007"]
    assert data.groups_from == "the array patient_ids"
    notes = " ".join(data.notes)
    assert "Groups are read from the array patient_ids: 3 for 6 images. 2 images have no id there" in notes
    assert "not used: class_names" in notes
    assert source_digest(str(tmp_path / "a.npz")) == data.digest()
