"""Contact sheets and boxes: one row per image, numbers that read back, cells that no spreadsheet runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow
from tests.planting.memory import draw_head

from headtohead.api.sheets import choose_recipe, write_boxes, write_sheets
from headtohead.core.errors import UnknownNameError
from headtohead.core.progress import QUIET
from headtohead.core.records import Image
from headtohead.preprocess.recipe import get_recipe


def images(n: int, frames: bool = False) -> Any:
    """Return n times the same head on a dark background."""
    head = draw_head(np.random.default_rng(0))

    def read(sample: Any) -> Image:
        return Image(head, 8, "L", "PNG")

    samples = [SimpleNamespace(path=f"{i}.png", frame=i if frames else None) for i in range(n)]
    return SimpleNamespace(samples=samples, read=read)


def test_a_recipe_that_was_asked_for_is_taken_and_auto_looks() -> None:
    recipe, reason = choose_recipe("classical", images(3))
    assert (recipe.name, reason) == ("classical", "as asked for")
    recipe, reason = choose_recipe("auto", images(3))
    assert recipe.name == "foreground" and "3 of 3 images looked at" in reason
    with pytest.raises(UnknownNameError, match="did you mean 'foreground'"):
        choose_recipe("foregruond", images(3))


def test_auto_looks_at_images_of_the_whole_set() -> None:
    """With 127 images a step of whole items would look at the first 64, often all of one class."""
    for n in (40, 127, 300):
        data = images(n)
        asked: list[int] = []

        def read(sample: Any, seen: list[int] = asked, given: Any = data.read) -> Image:
            seen.append(int(sample.path.partition(".")[0]))
            image: Image = given(sample)
            return image

        data.read = read
        choose_recipe("auto", data)
        assert len(asked) == min(n, 64) and asked[0] == 0 and asked[-1] >= n - 1 - n // 64


def test_each_image_has_a_row_and_sheets_are_numbered(tmp_path: Path) -> None:
    rows, count = write_sheets(images(5, frames=True), get_recipe("foreground"), tmp_path, QUIET)
    assert [row.path for row in rows] == [f"{i}.png#{i}" for i in range(5)]
    assert all(row.cell.size == 0 for row in rows), "pixels are dropped"
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [f"sheet-{n:03d}.png" for n in range(1, count + 1)] and count >= 1
    with Pillow.open(tmp_path / "sheet-001.png") as sheet:
        assert min(sheet.size) > 100
    none, zero = write_sheets(images(0), get_recipe("none"), tmp_path / "empty", QUIET)
    assert (none, zero) == ([], 0) and not (tmp_path / "empty").exists()


def test_boxes_read_back_and_run_nothing(tmp_path: Path) -> None:
    box = SimpleNamespace(top=1, left=2, bottom=30, right=40)
    rows: list[Any] = [
        SimpleNamespace(path="a,b.png", box=box, kept=0.51239, history=("one", "two; three")),
        SimpleNamespace(path="=cmd()", box=box, kept=1.0, history=()),
    ]
    write_boxes(rows, tmp_path / "boxes.csv")
    found = pd.read_csv(tmp_path / "boxes.csv")
    assert list(found.columns) == ["path", "top", "left", "bottom", "right", "kept", "history"]
    assert list(found.iloc[0]) == ["a,b.png", 1, 2, 30, 40, 0.5124, "one; two; three"]
    assert not str(found.loc[1, "path"]).startswith("=") and "=cmd()" in str(found.loc[1, "path"])
    assert (tmp_path / "boxes.csv").read_bytes().count(b"\r") == 0
