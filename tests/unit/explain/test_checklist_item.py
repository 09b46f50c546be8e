"""The checklists say what maps a run has and which passed their checks."""

from __future__ import annotations

import json
from pathlib import Path

from headtohead.explain.image_map import EXACT, METHOD_WORDS
from headtohead.explain.run.checklist_item import fill_explainability

ITEM = {
    "list": "CLAIM 2024",
    "item": "31",
    "topic": "Explainability",
    "status": "author",
    "text": "",
    "ask": "Judge.",
}
GRIDS = {
    "method": "contributions",
    "method_words": METHOD_WORDS[EXACT],
    "contenders": {"a": {"x": {"sanity": "passed"}}, "b": {"x": {"sanity": "failed: as permuted labels"}}},
}


def test_maps_fill_their_item_and_no_other(tmp_path: Path) -> None:
    other = ITEM | {"topic": "Robustness"}
    (tmp_path / "maps").mkdir()
    (tmp_path / "checklist.json").write_text(json.dumps({"format": 1, "items": [ITEM, other]}))
    fill_explainability(tmp_path)
    assert json.loads((tmp_path / "checklist.json").read_text())["items"] == [ITEM, other], (
        "no maps, nothing said"
    )
    (tmp_path / "maps" / "grids.json").write_text(json.dumps(GRIDS))
    fill_explainability(tmp_path)
    content = json.loads((tmp_path / "checklist.json").read_text())
    assert content["format"] == 1 and content["items"][1] == other
    first = content["items"][0]
    assert first["status"] == "partly" and first["ask"] == "Judge."
    assert "exact contributions" in first["text"] and first["text"].endswith("a: passed; b: failed.")


def test_a_folder_without_checklists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "grids.json").write_text(json.dumps(GRIDS))
    fill_explainability(tmp_path)
    assert not (tmp_path / "checklist.json").exists()
