"""`best`, `reproduce` and `demo`: tables above the answer, JSON for scripts, and a demo that goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.planting.reported import write_run

from headtohead.api.results.comparison_run import Run as ComparisonRun

Run = Callable[..., Any]


def test_a_search_prints_its_table_caveats_and_estimate(ask: Any, run: Run, tmp_path: Path) -> None:
    content = {
        "table": ["step one  0.8", "step two  0.9"], "caveats": ["A caveat."], "notes": ["A note."],
        "sentences": ["It reaches 0.9 in [brackets].", "ä"],
    }  # fmt: skip
    asked = ask("headtohead.api.studies", "best", SimpleNamespace(content=content))
    words = ("best", "scans", "--out", tmp_path / "b", "--minutes", 3, "--backbones", "a,b", "--copies", 2)
    assert run(*words).out.splitlines() == [
        "step one  0.8", "step two  0.9", "! A caveat.", "! A note.", "", "It reaches 0.9 in [brackets].", "ä",
        f"Page: {tmp_path / 'b' / 'best.html'}",
    ]  # fmt: skip
    assert asked.named == {"out": tmp_path / "b", "minutes": 3.0, "backbones": ("a", "b"), "copies": 2}
    told = run(*words, "--json").out
    assert json.loads(told) == content and "ä" in told


def test_a_reproduction_prints_each_state_with_its_intervals(ask: Any, run: Run, tmp_path: Path) -> None:
    numbers = {"value": 0.5, "low": 0.4, "high": 0.6}
    content = {
        "title": "Taken apart", "cited": {"study": "S", "study_url": "u", "data": "D", "data_url": "v"},
        "steps": [{"name": "as published", "cnn": numbers, "vit": numbers, "difference": {**numbers, "low": -0.1}}],
        "sentences": ["One.", "Two."], "shortened": ["Short."],
    }  # fmt: skip
    asked = ask("headtohead.api.studies", "reproduce", SimpleNamespace(content=content))
    words = ("reproduce", "scans", "--out", tmp_path / "r", "--full", "--splits", 3)
    lines = run(*words).out.splitlines()
    assert lines[:3] == ["Taken apart", "Study: S, u", "Data: D, v"]
    assert lines[3] == (
        f"{'as published':>22}   cnn 0.500 [0.400, 0.600]   vit 0.500 [0.400, 0.600]   "
        "difference +0.500 [-0.100, +0.600]"
    )
    assert lines[4:10] == ["", "One.", "", "Two.", "", "Short."]
    assert (
        lines[-1]
        == f"Waterfall: {tmp_path / 'r' / 'waterfall.svg'}   Page: {tmp_path / 'r' / 'reproduce.html'}"
    )
    assert asked.named == {"out": tmp_path / "r", "full": True, "splits": 3}
    assert json.loads(run(*words, "--json").out) == content


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the folders in which demo images were made."""
    import importlib

    folders: list[Path] = []

    def make(folder: Path, *, n: int, seed: int, reporter: Any) -> None:
        folder.mkdir(parents=True)
        (folder / "truth.json").write_text(json.dumps({"n": n, "seed": seed}))
        folders.append(folder)

    monkeypatch.setattr(importlib.import_module("headtohead.data.demo"), "make_demo", make)
    return folders


def test_a_demo_makes_its_images_once_and_compares_one_of_each_kind(
    made: list[Path], ask: Any, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "demo"
    asked = ask("headtohead.api.studies", "compare", ComparisonRun(write_run(tmp_path / "run")))
    (out / "images.part").mkdir(parents=True)  # of a demo that was stopped
    found = run("demo", "--out", out, "--images", 60, "--seed", 4)
    assert found.status == 0 and made == [out / "images.part"] and (out / "images").is_dir()
    assert not (out / "images.part").exists()
    lines = found.out.splitlines()
    assert lines[0] == f"Synthetic images: {out / 'images'}" and "says nothing about patients" in lines[-1]
    ((given, named),) = asked.calls
    assert given == (out / "images", ("efficientnet-lite0", "dinov2-small"))
    assert named == {"out": out / "run", "seed": 4, "repeats": 3}
    run("demo", "--out", out, "--images", 60, "--seed", 4)
    assert len(made) == 1 and len(asked.calls) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--images", "80"], "(--images 60, now 80)"),
        (["--seed", "5"], "(--seed 4, now 5)"),
        (["--images", "70", "--seed", "0"], "(--images 60, now 70; --seed 4, now 0)"),
    ],
)
def test_a_demo_of_other_settings_is_refused(
    words: list[str], said: str, made: list[Path], ask: Any, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "demo"
    asked = ask("headtohead.api.studies", "compare", ComparisonRun(write_run(tmp_path / "run")))
    run("demo", "--out", out, "--images", 60, "--seed", 4)
    given = {"--images": "60", "--seed": "4"} | dict(zip(words[::2], words[1::2], strict=True))
    found = run("demo", "--out", out, *(word for pair in given.items() for word in pair))
    assert found.status == 1 and said in found.err and "Use the same settings to go on" in found.err
    assert len(asked.calls) == 1
