"""Frames of a finished search, from its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headtohead.api.results.study_runs import BestRun
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
