"""A finished run folder, written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.planting.reported import HOSTILE, ORDER, PIXEL, audit, contender, learning, predictions, verdict

from headtohead.core.config import StudyConfig


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run folder written by hand."""
    folder = tmp_path / "by-hand"
    (folder / "contenders").mkdir(parents=True)
    files: Mapping[str, Any] = {
        "verdict.json": verdict().model_dump(mode="json"),
        "audit.json": audit(),
        "thumbs.json": {"no/0": PIXEL, f"no/{HOSTILE}": PIXEL},
        "images.json": {
            "gallery": {"no/0": {"src": PIXEL, "width": 8, "height": 8, "box": [1, 1, 7, 7]}},
            "shown": [{"id": "no/0", "src": PIXEL}],
        },
        "recipe.json": {"name": "none", "reason": "as asked for", "steps": "", "digest": "d"},
        "provenance.json": {
            "headtohead": "0", "python": "3.11", "packages": {"numpy": "2"}, "system": "Linux", "machine": "x86_64",
            "processor": "some", "cores": 2, "command": ["headtohead", "compare", HOSTILE],
        },
        "contenders/vit-b16.json": contender(),
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    config = StudyConfig(data=HOSTILE, contenders=("vit-b16",), folds=2, repeats=1)
    (folder / "study.toml").write_text(config.to_toml(), encoding="utf-8")
    predictions().to_parquet(folder / "predictions.parquet", index=False)
    learning(ORDER).to_parquet(folder / "learning.parquet", index=False)
    return folder
