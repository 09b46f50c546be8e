"""The maps of a run on the page: grids with their words, the shares that have a place, failed maps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headtohead.core.run_folder import RunFolder
from headtohead.explain.faithfulness.checks import CheckedDifference
from headtohead.explain.run.believable import Believability
from headtohead.report.page import write_report
from headtohead.report.views.explain import explain_view, map_grids


def grid(sanity: str) -> dict[str, Any]:
    return {
        "rows": 1, "columns": 2, "cells": "fwA=", "box": [0, 0, 8, 8], "size": [8, 8], "target": "yes",
        "log_odds": 1.0, "localised": 0.6, "sanity": sanity, "words": "Half lies left. Sum: +0.1 offset.",
        "offset": 0.1, "not_localised": {"class token": 0.5, "MLP": -0.2}, "recorded_log_odds": 1.0,
    }  # fmt: skip


def write(run: Path, sanity: str = "not checked") -> RunFolder:
    (run / "maps").mkdir()
    content = {
        "format": 1, "method": "contributions", "unit": "log-odds", "scale": 4.0, "color_limit": 1.0,
        "contenders": {"vit-b16": {"no/0": grid(sanity)}},
    }  # fmt: skip
    (run / "maps" / "grids.json").write_text(json.dumps(content))
    return RunFolder(run)


def test_grids_carry_words_and_the_parts_of_the_sum(run: Path) -> None:
    folder = write(run)
    one = map_grids(folder)["vit-b16"]["no/0"]
    assert (one["words"], one["sum"]) == ("Half lies left.", [0.1, 0.6, pytest.approx(0.3), 1.0])
    assert sum(one["sum"][:3]) == pytest.approx(one["sum"][3], abs=0.02), (
        "the bar ends at the log-odds of the table"
    )
    view = explain_view(folder)
    assert view["sum_limit"] == 1.0
    assert view["limit"] == pytest.approx(31.8) and view["failed"] == []
    assert view["parts"] == [{"name": "vit-b16", "localised": "46 %", "n": 1}]
    page = write_report(run).read_text(encoding="utf-8")
    assert "Half lies left." in page and "How much of the evidence has a place" in page


def test_maps_that_fail_are_said_to(run: Path) -> None:
    assert explain_view(write(run, "fail: an edge filter does as well"))["failed"] == ["vit-b16"]
    assert "must not be read as evidence" in write_report(run).read_text(encoding="utf-8")


def test_the_page_has_the_table_of_checks(run: Path) -> None:
    folder = write(run)
    labels, deletion = (CheckedDifference(v, v - 0.2, v + 0.2, 24, 20) for v in (0.5, 0.1))
    checks = Believability(labels, deletion, repeatability=0.8, permuted=-0.05)
    content = {"method": "contributions", "contenders": {"vit-b16": checks.to_json()}}
    (run / "maps" / "faithfulness.json").write_text(json.dumps(content))
    (row,) = explain_view(folder)["checks"]["rows"]
    assert row[0] == "vit-b16" and row[1] == "failed"
    assert row[2:] == ["0.800", "0.300", "0.500 [0.300, 0.700]", "0.100 [−0.100, 0.300]", "24 in 20 groups"]
    assert "Can the maps be believed?" in write_report(run).read_text(encoding="utf-8")


def test_a_run_without_maps_says_how_to_make_them(run: Path) -> None:
    assert explain_view(RunFolder(run)) == {} and map_grids(RunFolder(run)) == {}
    assert "headtohead explain RUN" in write_report(run).read_text(encoding="utf-8")
