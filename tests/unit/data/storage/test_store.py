"""The interface of the stores: frame names and hashes, changed files, folders."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headtohead.core.errors import ChangedDataError, DataError, UnreadableError, UsageError
from headtohead.data.storage.folder import FolderStore
from headtohead.data.storage.open import open_store
from headtohead.data.storage.store import FileEntry, frame_hash, frame_name

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


def test_a_frame_is_named_and_hashed_apart_from_its_file_and_its_axis() -> None:
    assert frame_name(3) == "3" and frame_name(3, "coronal") == "coronal3"
    assert frame_hash(b"x", None) == hashlib.sha256(b"x").hexdigest()
    hashes = {frame_hash(b"x", frame, axis) for frame in (0, 1) for axis in ("axial", "coronal", "sagittal")}
    assert len(hashes | {frame_hash(b"x", None), frame_hash(b"y", 0)}) == 8


def test_a_folder_lists_reads_and_explains(image: Image, tree: Tree) -> None:
    root = tree({"yes/a.png": image(1), "b.png": image(2)})
    store = FolderStore(root)
    assert sorted(store.files()) == [
        FileEntry("b.png", len(image(2))),
        FileEntry("yes/a.png", len(image(1))),
    ]
    assert store.read("b.png") == image(2) and store.read_prefix("b.png") == image(2)[:8192]
    assert store.exists("yes/a.png") and not store.exists("yes")
    for read in (store.read, store.read_prefix):
        with pytest.raises(UnreadableError, match="cannot be opened: No such file"):
            read("gone.png")


def test_an_image_that_changed_since_it_was_listed_is_refused(image: Image, tree: Tree) -> None:
    root = tree({"a.png": image(1)})
    store, sha256 = FolderStore(root), frame_hash(image(1), None)
    before = store.image("a.png", sha256=sha256)
    assert np.array_equal(before.pixels, store.image("a.png", content=image(1), sha256=sha256).pixels)
    (root / "a.png").write_bytes(image(2))
    with pytest.raises(ChangedDataError, match="its bytes have changed since"):
        store.image("a.png", sha256=sha256)


def test_an_unknown_axis_is_refused(image: Image, tree: Tree) -> None:
    store = FolderStore(tree({"a.png": image(1)}))
    with pytest.raises(UsageError, match="expected one of axial, coronal, sagittal"):
        store.image("a.png", axis="oblique")


def test_what_is_no_data_source_is_refused(tree: Tree) -> None:
    root = tree({"notes.doc": b"hello", "notes.txt": b"hello"})
    with pytest.raises(DataError, match=r"is not understood as data\. Expected a folder"):
        open_store(str(root / "notes.doc"))
    with pytest.raises(DataError, match="is a text file"):
        open_store(str(root / "notes.txt"))
    with pytest.raises(DataError, match="No such file or folder"):
        open_store(str(root / "gone"))
