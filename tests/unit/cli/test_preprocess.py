"""`headtohead preprocess` and `augment-preview`: what was cut and drawn, in words, on images of the whole set."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from headtohead.api.results.data_results import PreprocessResult
from headtohead.cli.preprocess import _light

Run = Callable[..., Any]


def test_sheets_are_told_with_recipe_and_counts(ask: Any, run: Run, tmp_path: Path) -> None:
    done = PreprocessResult(tmp_path / "o", "foreground", "they are dark", "d1", 12, 2, 3)
    asked = ask("headtohead.api.data", "preprocess", done)
    found = run(
        "preprocess", "scans", "--out", tmp_path / "o", "--recipe", "foreground", "--slices", "middle"
    )
    assert found.out == (
        f"Recipe foreground: they are dark.\n12 images on 2 sheets in {tmp_path / 'o'}; 3 kept whole because no "
        "plausible box was found.\n"
    )
    assert asked.named == {"out": tmp_path / "o", "recipe": "foreground", "slices": "middle"}
    told = json.loads(run("preprocess", "scans", "--out", tmp_path / "o", "--json").out)
    assert told == {
        "recipe": "foreground", "digest": "d1", "reason": "they are dark", "images": 12, "whole": 3, "sheets": 2,
        "folder": str(tmp_path / "o"),
    }  # fmt: skip


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return eleven images, class by class."""
    for i in range(11):
        folder = tmp_path / "scans" / ("no" if i < 6 else "yes")
        folder.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(np.random.default_rng(i).integers(0, 255, (24, 24), dtype=np.uint8)).save(
            folder / f"{i}.png"
        )
    return tmp_path / "scans"


def test_a_preset_is_told_with_its_reasons_and_what_it_leaves_out(
    scans: Path, run: Run, tmp_path: Path
) -> None:
    from headtohead.preprocess.augmentation import get_preset

    out = tmp_path / "a.png"
    found = run("augment-preview", scans, "--preset", "xray", "--out", out, "--recipe", "none", "--images", 2)
    preset = get_preset("xray")
    lines = found.out.splitlines()
    assert found.status == 0 and lines[-1] == f"Sheet: {out}"
    assert len(lines) == len(preset.ingredients) + len(preset.left_out) + 1
    for line, part in zip(lines, preset.ingredients, strict=False):
        assert line.startswith(
            f"{part.name}: {100 * part.probability:.0f} %, {part.low:g} to {part.high:g}; "
        )
    assert [line for line in lines if line.startswith("not ")] == [
        f"not {n}: {w}." for n, w in preset.left_out.items()
    ]
    with Pillow.open(out) as sheet:
        assert min(sheet.size) > 50


@pytest.mark.parametrize("preset", ["auto", "light"])
def test_what_auto_means_is_told_in_words(preset: str, scans: Path, run: Run, tmp_path: Path) -> None:
    from headtohead.preprocess.light_augmentation import WORDS

    found = run("augment-preview", scans, "--preset", preset, "--out", tmp_path / "a.png", "--recipe", "none")
    assert found.out == f"light: {WORDS}.\nSheet: {tmp_path / 'a.png'}\n"


def test_images_of_every_class_are_shown(
    scans: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eleven images six are shown: a step of whole items would show the first six, all of one class."""
    shown: list[str] = []
    sheet = importlib.import_module("headtohead.preprocess.contact_sheet")
    real = sheet.augmented_page

    def page(given: Any, chosen: Any, *, seed: int) -> Any:
        shown.extend(name for name, _ in given)
        assert seed == 4
        return real(given, chosen, seed=seed)

    monkeypatch.setattr(sheet, "augmented_page", page)
    run("augment-preview", scans, "--out", tmp_path / "a.png", "--recipe", "none", "--images", 6, "--seed", 4)
    assert len(shown) == 6 and {name.partition("/")[0] for name in shown} == {"no", "yes"}


def test_a_preset_that_does_not_exist_writes_nothing(scans: Path, run: Run, tmp_path: Path) -> None:
    found = run("augment-preview", scans, "--preset", "mir", "--out", tmp_path / "a.png")
    assert found.status == 2 and "did you mean 'mri'" in found.err and not (tmp_path / "a.png").exists()


def test_what_was_drawn_is_what_was_applied() -> None:
    from headtohead.preprocess.light_augmentation import apply_light, draw_light

    pixels = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    found, told = _light(np.random.default_rng(3), pixels)
    drawn = draw_light(np.random.default_rng(3))
    assert np.array_equal(found, apply_light(drawn, pixels))
    assert dict(told) == {
        "flip": float(drawn.flip), "rotate": drawn.degrees, "scale": drawn.zoom, "shift": drawn.shift[0],
        "shift_right": drawn.shift[1], "contrast": drawn.gain, "brightness": drawn.offset,
    }  # fmt: skip
