"""`faithfulness.json` keeps what belongs to contenders that are still drawn, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from headtohead.explain.run.files import write_checks


def pair(a: str, b: str, same: float) -> dict[str, object]:
    return {"a": a, "b": b, "same": same}


def test_pairs_and_masks_stay_with_the_contenders_that_stay(tmp_path: Path) -> None:
    pairs = [pair("a", "b", 0.1), pair("a", "c", 0.2), pair("b", "c", 0.3)]
    checks = {name: {"sanity": "passed"} for name in "abc"}
    write_checks(tmp_path, checks, pairs, {"masks": 3}, drawn={"a", "b", "c"}, stay=())
    write_checks(tmp_path, {"a": {"sanity": "failed"}}, [], {}, drawn={"a"}, stay=("b",))
    told = json.loads((tmp_path / "faithfulness.json").read_text())
    assert told["contenders"] == {"b": {"sanity": "passed"}, "a": {"sanity": "failed"}}
    assert told["agreement"] == [pair("a", "b", 0.1)], "c is drawn no longer"
    assert told["localisation"] == {"masks": 3}


def test_new_figures_replace_the_earlier_ones(tmp_path: Path) -> None:
    checks = {name: {"sanity": "passed"} for name in "ab"}
    write_checks(tmp_path, checks, [pair("a", "b", 0.1)], {"masks": 3}, drawn={"a", "b"}, stay=())
    write_checks(tmp_path, checks, [pair("a", "b", 0.4)], {}, drawn={"a", "b"}, stay=())
    told = json.loads((tmp_path / "faithfulness.json").read_text())
    assert told["agreement"] == [pair("a", "b", 0.4)]
    assert "localisation" not in told, "all maps were made again, without masks"
