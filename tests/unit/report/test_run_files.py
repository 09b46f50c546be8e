"""Files made from a finished run: the model card, one figure, the difference of two runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from tests.planting.reported import HOSTILE

from headtohead.core.errors import UndefinedMetricError, UnknownNameError
from headtohead.core.run_folder import RunFolder
from headtohead.report.figure_file import figure_bytes, figure_names
from headtohead.report.page import write_report
from headtohead.report.run_diff import diff_lines, diff_runs


def test_the_card_has_metadata_that_the_hub_accepts(run: Path) -> None:
    write_report(run)
    card = ModelCard.load(run / "card.md", ignore_metadata_errors=False)
    assert card.data.pipeline_tag == "image-classification" and card.data.library_name == "timm"
    entry = json.loads(_metadata(run))["model-index"][0]
    (result,) = entry["results"]
    assert result["task"]["type"] == "image-classification" and result["dataset"]["type"] == "private"
    (auroc, accuracy) = result["metrics"]
    assert (auroc["type"], auroc["value"], auroc["args"]["low"]) == ("roc_auc", 0.8123, pytest.approx(0.7123))
    assert accuracy["type"] == "accuracy"
    assert "majority" not in [one["name"] for one in json.loads(_metadata(run))["model-index"]]
    text = (run / "card.md").read_text(encoding="utf-8")
    assert "Research use only" in text and "Positive class: yes" in text and HOSTILE in text


def _metadata(run: Path) -> str:
    return (run / "card.md").read_text(encoding="utf-8").split("---\n")[1]


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_a_figure_is_a_file_of_its_kind_and_the_same_each_time(run: Path, kind: str, start: bytes) -> None:
    verdict = RunFolder(run).verdict()
    first = figure_bytes(verdict, "scores", kind)
    assert first.startswith(start) and figure_bytes(verdict, "scores", kind) == first


def test_unknown_and_empty_figures_are_refused(run: Path) -> None:
    verdict = RunFolder(run).verdict()
    with pytest.raises(UnknownNameError, match="did you mean 'scores'"):
        figure_bytes(verdict, "score", "svg")
    with pytest.raises(UnknownNameError, match="format"):
        figure_bytes(verdict, "scores", "jpg")
    with pytest.raises(UndefinedMetricError, match="nothing to draw"):
        figure_bytes(verdict, "roc", "svg")
    assert "roc" in figure_names()


def test_the_difference_of_two_runs_names_what_changed(run: Path, tmp_path: Path) -> None:
    files = {"digest": "a", "files": {"x.png": "1", "y.png": "2"}}
    (run / "data.json").write_text(json.dumps(files))
    other = tmp_path / "other"
    shutil.copytree(run, other)
    assert diff_lines(diff_runs(run, other)) == ["The runs agree: data, settings, scores and verdict."]
    (other / "data.json").write_text(json.dumps({"digest": "b", "files": {"x.png": "3", "z.png": "2"}}))
    config = (other / "study.toml").read_text().replace("folds = 2", "folds = 7")
    (other / "study.toml").write_text(config)
    content = json.loads((other / "verdict.json").read_text())
    content["scores"][0] |= {"value": 0.9, "high": 0.95}
    content["sentence"] = "Another answer."
    (other / "verdict.json").write_text(json.dumps(content))
    lines = diff_lines(diff_runs(run, other))
    assert lines[0] == "data: 1 added, 1 removed, 1 changed"
    assert "setting folds: 2 before, 7 now" in lines
    assert "score vit-b16, auroc: 0.812 before, 0.900 now (+0.088)" in lines
    assert lines[-1] == "verdict now: Another answer."


def found(**more: Any) -> dict[str, Any]:
    return {"data": None, "settings": {}, "scores": [], "verdict": None, **more}


def test_differences_are_told_line_by_line() -> None:
    rows = [
        {"contender": "a", "metric": "balanced_accuracy", "old": None, "new": 0.5},
        {"contender": "b", "metric": "auroc", "old": 0.75, "new": None},
        {"contender": "c", "metric": "auroc", "old": 0.75, "new": 0.7504},
        {"contender": "d", "metric": "auroc", "old": 0.75, "new": 0.5},
    ]
    data = {"added": 0, "removed": 2, "changed": 0}
    assert diff_lines(found(data=data, settings={"train.epochs": [None, 3]}, scores=rows)) == [
        "data: 2 removed",
        "setting train.epochs: not stated before, 3 now",
        "score a, balanced accuracy: none before, 0.500 now",
        "score b, auroc: 0.750 before, none now",
        "score d, auroc: 0.750 before, 0.500 now (−0.250)",
    ]
    assert diff_lines(found(scores=rows[2:3])) == ["The runs agree: data, settings, scores and verdict."]


def test_where_the_data_lie_is_no_difference(run: Path, tmp_path: Path) -> None:
    (run / "data.json").write_text(json.dumps({"digest": "a", "files": {}}))
    other = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(run, other)
    config = (other / "study.toml").read_text().splitlines()
    moved = ['data = "another/place"' if line.startswith("data = ") else line for line in config]
    assert moved != config
    (other / "study.toml").write_text("\n".join(moved))
    assert diff_runs(run, other) == found()
