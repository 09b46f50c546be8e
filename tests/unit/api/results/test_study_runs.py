"""Frames and words of a finished search and a finished reproduction, from their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headtohead.api.results.study_runs import BestRun, ReproductionRun
from headtohead.core.errors import RunFolderError


def step(name: str, over: str | None, gain: dict[str, float] | None) -> dict[str, Any]:
    estimate = {"value": 0.9, "low": 0.8, "high": 0.95}
    both = {"accuracy": estimate, "auroc": estimate}
    return {"name": name, "over": over, **both, "gain_in_accuracy": gain, "gain_in_auroc": gain}


def test_the_steps_hold_scores_and_gains(tmp_path: Path) -> None:
    gain = {"difference": 0.02, "low": -0.01, "high": 0.05}
    content = {
        "sentences": ["AUROC 0.9."],
        "caveats": [],
        "ladder": [step("base", None, None), step("larger input", "base", gain)],
    }
    (tmp_path / "best.json").write_text(json.dumps(content))
    frame = BestRun(tmp_path).steps
    assert list(frame["name"]) == ["base", "larger input"] and list(frame["auroc_low"]) == [0.8, 0.8]
    assert frame["auroc_gain"].isna().tolist() == [True, False]
    assert frame["accuracy_gain"][1] == pytest.approx(0.02)


def test_a_folder_without_the_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"best\.json"):
        _ = BestRun(tmp_path)


def reproduced(folder: Path) -> Path:
    numbers = {"value": 0.5, "low": 0.4, "high": 0.6}
    step = {
        "name": "as published",
        "cnn": numbers,
        "vit": {**numbers, "value": 0.7},
        "difference": {**numbers, "value": 0.2},
    }
    content = {
        "title": "Taken apart <b>",
        "sentences": ["It holds.", "It does not."],
        "steps": [step, {**step, "name": "fixed"}],
    }
    (folder / "reproduce.json").write_text(json.dumps(content))
    return folder


def test_states_of_a_reproduction_are_rows_of_three_quantities(tmp_path: Path) -> None:
    run = ReproductionRun(reproduced(tmp_path))
    frame = run.steps
    assert frame["name"].tolist() == ["as published"] * 3 + ["fixed"] * 3
    assert frame["what"].tolist() == ["cnn", "vit", "difference"] * 2
    assert frame["value"].tolist()[:3] == [0.5, 0.7, 0.2] and frame["high"].tolist() == [0.6] * 6
    assert repr(run).splitlines() == [
        f"ReproductionRun at {tmp_path}", "", "Taken apart <b>", "It holds.", "It does not."
    ]  # fmt: skip
    page = run._repr_html_()
    assert "Taken apart &lt;b&gt;" in page and page.count("<li>") == 2 and ">0.700<" in page


def test_a_search_says_its_estimate_and_two_caveats_in_a_terminal(tmp_path: Path) -> None:
    sentences = ["AUROC " + "word " * 40, "more"]
    caveats = ["One.", "Two.", "Three."]
    content = {"sentences": sentences, "caveats": caveats, "ladder": [step("a", None, None)]}
    (tmp_path / "best.json").write_text(json.dumps(content))
    run = BestRun(tmp_path)
    lines = repr(run).splitlines()
    assert lines[0] == f"BestRun at {tmp_path}" and lines[-2:] == ["! One.", "! Two."]
    assert all(len(line) <= 80 for line in lines[1:]) and len(lines) <= 15
    page = run._repr_html_()
    assert page.count("<li>") == 3 and "NaN" not in page and "None" not in page
    assert run.sentence == sentences[0]
