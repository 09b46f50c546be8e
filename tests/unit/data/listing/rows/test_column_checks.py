"""Columns that mislead are refused with what to do, or set right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import ManifestError
from headtohead.data.load import load

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("x/0.png,benign\nx/1.png,malignant\n", r"no header: its first line names an image, x/0.png"),
        (
            ",".join(f"pixel{i:04d}" for i in range(784)) + ",label\n",
            r"the pixels themselves, in 784 columns",
        ),
        (
            "patient_id,cc,mlo,label\nP0,x/0.png,x/1.png,a\nP1,x/2.png,x/3.png,b\n",
            r"several images a row, in the columns cc, mlo.*--columns 'path=cc'",
        ),
    ],
    ids=["no header", "pixels", "two views"],
)
def test_what_cannot_be_read_is_told(tree: Tree, image: Image, table: str, words: str) -> None:
    root = tree({f"x/{i}.png": image(i) for i in range(4)} | {"t.csv": table.encode()})
    with pytest.raises(ManifestError, match=words) as caught:
        load(str(root / "t.csv"))
    assert len(str(caught.value)) < 400


def test_the_only_column_of_files_is_the_path_and_the_id_the_group(tree: Tree, image: Image) -> None:
    rows = [f"P{i // 2},x/{i}.png,m/{i}.png,{'ab'[i // 2]}" for i in range(4)]
    table = "\n".join(["patient_id,picture_file,mask_file,label", *rows])
    root = tree({f"x/{i}.png": image(i) for i in range(4)} | {"t.csv": table.encode()})
    data = load(str(root / "t.csv"))
    assert {sample.path: sample.group for sample in data.samples} == {
        f"x/{i}.png": f"P{i // 2}" for i in range(4)
    }
