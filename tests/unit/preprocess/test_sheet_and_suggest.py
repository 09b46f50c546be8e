"""Contact sheets and the suggestion of a recipe."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import typer
from typer.testing import CliRunner

from headtohead.cli import preprocess as cli
from headtohead.core.records import Image
from headtohead.preprocess.augmentation_presets import get_preset
from headtohead.preprocess.contact_sheet import augmented_page, pages, png, row
from headtohead.preprocess.recipe import get_recipe
from headtohead.preprocess.suggest import Appearance, suggest_recipe, suggest_recipe_for


def scan(seed: int = 0) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:120, :100]
    inside = np.hypot((y - 60) / 45, (x - 50) / 38) < 1
    noisy = np.where(inside, 120, 4) + rng.normal(0, 6, inside.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def test_a_row_shows_the_box_and_says_what_is_kept() -> None:
    image = Image(scan(), 8, "L", "PNG")
    made = row("a/ä.png", image, get_recipe("foreground"))
    assert made.box == get_recipe("foreground").apply(image).box
    assert made.kept == pytest.approx(made.box.area / 12000)
    green = (made.cell[..., 1] > 200) & (made.cell[..., 0] < 80)
    assert green.sum() > 200


def test_pages_hold_every_cell_once_in_order() -> None:
    cells = [np.full((10, 12, 3), k, np.uint8) for k in range(1, 8)]
    sheets = list(pages(cells, columns=2, rows=2))
    assert [sheet.shape for sheet in sheets] == [(36, 40, 3), (36, 40, 3)]
    seen = [int(sheet[4 + 18 * (k // 2), 4 + 20 * (k % 2), 0]) for sheet in sheets for k in range(4)]
    assert seen[:7] == [1, 2, 3, 4, 5, 6, 7]
    decoded = cv2.imdecode(np.frombuffer(png(sheets[0]), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (36, 40, 3)


def test_an_augmented_page_repeats_itself() -> None:
    shown = [("a", get_recipe("none").apply(Image(scan(), 8, "L", "PNG")).pixels)]
    first = augmented_page(shown, get_preset("mri"), draws=3)
    np.testing.assert_array_equal(first, augmented_page(shown, get_preset("mri"), draws=3))
    assert (first != augmented_page(shown, get_preset("mri"), draws=3, seed=1)).any()


def test_suggestions() -> None:
    grey = [Image(scan(k), 8, "L", "PNG") for k in range(4)]
    framed = [Image(np.pad(scan(k), 9, constant_values=255), 8, "L", "PNG") for k in range(4)]
    pink = [Image(np.full((40, 40, 3), (220, 140, 190), np.uint8), 8, "RGB", "PNG")] * 5
    bright = [Image(255 - scan(k), 8, "L", "PNG") for k in range(4)]
    assert suggest_recipe(grey)[0] == "foreground"
    assert suggest_recipe(framed)[0] == "foreground"
    assert suggest_recipe([*grey, *pink])[0] == "none"
    name, reason = suggest_recipe(bright)
    assert name == "none"
    assert "dark background" in reason
    assert suggest_recipe([])[0] == "none"


def test_the_real_images_ask_for_the_foreground(brain_mri: Path) -> None:
    images = (
        Image(np.asarray(cv2.imread(str(p))), 8, "RGB", "JPEG") for p in sorted(brain_mri.glob("*/*"))[::9]
    )
    assert suggest_recipe(images)[0] == "foreground"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in ("yes", "no"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for k in range(3):
            cv2.imwrite(str(tmp_path / "data" / label / f"{label} {k}.png"), scan(k + 10 * (label == "yes")))
    return tmp_path / "data"


def run(*words: str) -> str:
    app = typer.Typer()
    cli.register(app)
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_preprocess_writes_sheets_and_boxes(folder: Path, tmp_path: Path) -> None:
    said = json.loads(run("preprocess", str(folder), "--out", str(tmp_path / "look"), "--json"))
    assert said["recipe"] == "foreground"
    assert said["images"] == 6
    with (tmp_path / "look" / "boxes.csv").open(newline="") as lines:
        table = list(csv.DictReader(lines))
    assert [line["path"] for line in table] == [f"{x}/{x} {k}.png" for x in ("no", "yes") for k in range(3)]
    image = Image(scan(0), 8, "L", "PNG")
    box = get_recipe("foreground").apply(image).box
    assert [int(table[0][k]) for k in ("top", "left", "bottom", "right")] == [
        box.top, box.left, box.bottom, box.right,
    ]  # fmt: skip
    assert cv2.imread(str(tmp_path / "look" / "sheet-001.png")) is not None


def test_augment_preview_writes_a_sheet_and_gives_reasons(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    said = run("augment-preview", str(folder), "--preset", "xray", "--out", str(out), "--images", "2")
    assert "not flip: heart" in said
    assert cv2.imread(str(out)) is not None


def test_the_augmentation_that_training_takes_by_default_has_a_sheet_too(
    folder: Path, tmp_path: Path
) -> None:
    sheets = []
    for preset in ("auto", "light", "none"):
        out = tmp_path / f"{preset}.png"
        said = run("augment-preview", str(folder), "--preset", preset, "--out", str(out))
        assert ("half are flipped" in said) == (preset != "none")
        sheets.append(out.read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]


def test_no_image_beyond_the_first_64_is_looked_at() -> None:
    seen = []

    def appearances() -> Iterator[Appearance]:
        for number in range(70):
            seen.append(number)
            yield Appearance(coloured=False, on_dark=True)

    assert suggest_recipe_for(appearances())[0] == "foreground" and len(seen) == 64
