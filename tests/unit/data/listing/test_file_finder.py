"""Files found by what a table calls them, never one of two."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.data.listing.file_finder import FileFinder, exists
from headtohead.data.storage.folder import FolderStore

FILES = [
    "part_1/ISIC_01.jpg",
    "part_2/ISIC_02.JPG",
    "a/same.png",
    "b/same.png",
    "c/1.png",
    "c/1_mask.png",
    "P1/s/0.dcm",
]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return FolderStore(tmp_path)


@pytest.mark.parametrize(
    ("cell", "path"),
    [
        ("ISIC_01", "part_1/ISIC_01.jpg"),
        ("isic_02.jpg", "part_2/ISIC_02.JPG"),
        ("/kaggle/input/set/b/same.png", "b/same.png"),
        ("C:\\data\\a\\same.png", "a/same.png"),
        ("1", "c/1.png"),
        ("same.png", None),
        ("same", None),
        ("gone", None),
        ("", None),
    ],
)
def test_a_cell_means_one_file_or_none(store: FolderStore, cell: str, path: str | None) -> None:
    assert FileFinder(store).find(cell) == path


def test_folders_of_images_are_known(store: FolderStore) -> None:
    finder = FileFinder(store)
    assert finder.folder("P1") == finder.folder("P1/s/") == ["P1/s/0.dcm"]
    assert finder.is_folder("P1") and not finder.is_folder("P2")
    assert len(finder) == len(FILES) - 1


def test_a_cell_that_no_file_can_be_called_is_not_there(store: FolderStore) -> None:
    assert exists(store, "c/1.png")
    assert not exists(store, "iVBORw0KGgo" * 1000)
    assert not exists(store, "a\0b")
