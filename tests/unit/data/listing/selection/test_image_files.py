"""Which files of a source are meant to be images, and why the others are not."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from headtohead.data.listing.left_out import DATA_FILES
from headtohead.data.listing.selection.image_files import SameContent, image_files, is_system_file
from headtohead.data.storage.folder import FolderStore

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


@pytest.mark.parametrize(
    "path",
    [".a.png", "a/.b/c.png", "__MACOSX/a/c.png", "x/__MacOsX/c.png", "$RECYCLE.BIN/a.png", "a/Thumbs.db", "DESKTOP.INI",
     "a/Icon\r", "DICOMDIR", "a/dicomdir"],
)  # fmt: skip
def test_what_systems_leave_behind(path: str) -> None:
    assert is_system_file(path)


@pytest.mark.parametrize(
    "path", ["a.png", "a.b/c.png", "dicomdir/a.dcm", "thumbs.db/a.png", "macosx/a.png", "a/b..png"]
)
def test_what_users_name_so_is_an_image(path: str) -> None:
    assert not is_system_file(path)


HEADERS = {
    "a.mhd": b"ObjectType = Image\nNDims = 2\nDimSize = 5 6\nElementType = MET_UCHAR\nElementDataFile = a.raw\n",
    "n.nhdr": b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 5 6\nencoding: gzip\ndata file: n.raw.gz\n",
}


def test_data_beside_their_headers_are_told_from_files_that_are_not_images(tree: Tree) -> None:
    folder = tree(
        {**HEADERS, "a.raw": bytes(30), "n.raw.gz": bytes(30), "other.raw": bytes(30), "a.txt": b"a"}
    )
    images, problems, left = image_files(FolderStore(folder))
    assert sorted(images) == ["a.mhd", "n.nhdr"] and problems == []
    assert left[DATA_FILES] == ["a.raw", "n.raw.gz"]
    assert sorted(path for why, paths in left.items() if why != DATA_FILES for path in paths) == [
        "a.txt",
        "other.raw",
    ]


def test_a_packed_analyze_pair_is_one_image_and_its_data(tree: Tree) -> None:
    pair: Any = nib.AnalyzeImage(np.zeros((4, 5, 6), np.int16), None)  # type: ignore[no-untyped-call]
    files = pair.make_file_map({"header": io.BytesIO(), "image": io.BytesIO()})
    pair.to_file_map(files)
    header, image = (gzip.compress(files[part].fileobj.getvalue()) for part in ("header", "image"))
    folder = tree({"b.hdr.gz": header, "b.img.gz": image})
    images, _, left = image_files(FolderStore(folder))
    assert (sorted(images), left[DATA_FILES]) == (["b.hdr.gz"], ["b.img.gz"])


def test_names_that_are_no_unicode_are_shown_in_ascii(tree: Tree, image: Image) -> None:
    folder = tree({"a.png": image(1)})
    try:
        (folder / "b\udcff.png").write_bytes(image(2))
    except OSError:
        pytest.skip("this file system takes Unicode only")
    images, (problem,), _ = image_files(FolderStore(folder))
    assert (
        list(images) == ["a.png"] and problem.path == r"b\udcff.png" and "not valid Unicode" in problem.reason
    )


def test_equal_bytes_are_one_content_and_equal_sizes_are_not(tree: Tree) -> None:
    folder = tree({"a": b"one", "b": b"one", "c": b"two", "d": b"longer", "gone": b"one"})
    store = FolderStore(folder)
    same = SameContent(store, {file.path: file for file in store.files()})
    assert [same("a", other) for other in "abcd"] == [True, True, False, False]
    (folder / "gone").unlink()
    assert not same("a", "gone") and not same("gone", "a")
