"""Cells that are no paths: images as text, web addresses, patterns, paths of another machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import ManifestError
from headtohead.data.load import load

Tree = Callable[[dict[str, bytes]], Path]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("iVBORw0KGgo" * 900, r"no paths but up to 9,900 characters.*base64"),
        (
            "https://example.org/img/{i}.png",
            r"web addresses, such as https://example.org/img/0.png.*Nothing is downlo",
        ),
        ("P{i}/*.png", r"patterns, such as P0/\*.png.*folder alone"),
        ("/kaggle/input/set/{i}.png", r"2 of 2 files are not there: /kaggle/input/set/0.png"),
        (r"C:\Users\me\{i}.png", r"2 of 2 files are not there: C:\\Users\\me\\0.png"),
    ],
)
def test_what_is_not_there_is_shown_as_it_is_written(tree: Tree, cell: str, words: str) -> None:
    rows = [
        f"{cell.format(i=i) if len(cell) < 99 else cell + str(i)},{label}" for i, label in enumerate("ab")
    ]
    root = tree({"t.csv": ("path,label\n" + "\n".join(rows)).encode()})
    with pytest.raises(ManifestError, match=words.replace("9,900", "9,901")) as caught:
        load(str(root / "t.csv"))
    assert len(str(caught.value)) < 600
