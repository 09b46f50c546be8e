"""The maps of a run on the page: grids with their words, the shares that have a place, failed maps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headtohead.core.run_folder import RunFolder
from headtohead.explain.faithfulness.checks import CheckedDifference
from headtohead.explain.run.believable import Believability
from headtohead.explain.run.hidden_subject import HiddenSubject
from headtohead.report.page import write_report
from headtohead.report.views.explain import explain_view, map_grids
from headtohead.stats.intervals.auroc_bootstrap import AurocInterval


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
    assert view["sum_limit"] == 1.0 and view["target"] == "yes"
    assert view["limit"] == pytest.approx(31.8) and view["failed"] == []
    assert view["parts"] == [{"name": "vit-b16", "localised": "46 %", "n": 1}]
    page = write_report(run).read_text(encoding="utf-8")
    assert "Half lies left." in page and "How much of the evidence has a place" in page


def test_one_extreme_map_does_not_leave_the_others_without_bars(run: Path) -> None:
    folder = write(run)
    content = json.loads((run / "maps/grids.json").read_text())
    one = content["contenders"]["vit-b16"]["no/0"]
    many = {f"no/{i}": one for i in range(39)} | {"no/x": one | {"log_odds": 50.0}}
    content["contenders"]["vit-b16"] = many
    (run / "maps/grids.json").write_text(json.dumps(content))
    assert explain_view(folder)["sum_limit"] == 1.0


def test_maps_that_no_check_has_judged_are_named(run: Path) -> None:
    assert explain_view(write(run))["unchecked"] == ["vit-b16"]
    (run / "maps/grids.json").write_text(
        (run / "maps/grids.json").read_text().replace("not checked", "passed")
    )
    assert explain_view(RunFolder(run))["unchecked"] == []


def test_maps_that_fail_are_said_to(run: Path) -> None:
    assert explain_view(write(run, "fail: an edge filter does as well"))["failed"] == ["vit-b16"]
    assert "must not be read as evidence" in write_report(run).read_text(encoding="utf-8")


def test_the_page_has_the_table_of_checks(run: Path) -> None:
    folder = write(run)
    labels, deletion, grey, shown = (
        CheckedDifference(v, v - 0.2, v + 0.2, 24, 20) for v in (0.5, 0.1, 0.15, 0.4)
    )
    checks = Believability(labels, deletion, 0.8, -0.05, grey, shown, random_head=0.01, random_backbone=-0.02)
    hidden = HiddenSubject(AurocInterval(0.9, 0.8, 0.95, 40, 30, ""), 0.96, 0.6, labels, "lower right")
    ends = {"value": 0.5, "low": 0.25, "high": 0.75}
    row = dict.fromkeys(("hit", "mass", "lift", "distance", "auprc"), ends) | {"n_images": 9, "n_groups": 8}
    content = {
        "method": "contributions",
        "contenders": {
            "vit-b16": checks.to_json() | {"subject_hidden": hidden.to_json("vit-b16", ("no", "yes"))}
        },
        "agreement": [{"a": "vit-b16", "b": "cnn", "same": 0.3, "other": 0.1, "difference": shown.to_json()}],
        "localisation": {"masks": 10, "empty": 1, "rows": {"vit-b16": row, "random map": row}},
    }
    (run / "maps" / "faithfulness.json").write_text(json.dumps(content))
    (row,) = explain_view(folder)["checks"]["rows"]
    assert row[0] == "vit-b16" and row[1] == "failed"
    assert row[2:] == ["0.800", "0.300", "0.500 [0.300, 0.700]", "0.100 [−0.100, 0.300]", "24 in 20 groups"]
    view = explain_view(folder)
    assert view["beside"]["rows"] == [
        ["vit-b16", "0.010", "−0.020", "0.150 [−0.050, 0.350]", "0.400 [0.200, 0.600]", "24 in 20 groups"]
    ]
    assert view["hidden"]["rows"] == [
        ["vit-b16", "0.900 [0.800, 0.950]", "0.960", "0.600", "0.500 [0.300, 0.700]", "40 in 30 groups"]
    ]
    (finding,) = view["findings"]
    assert "painted over: AUROC 0.90 [0.80, 0.95], where 0.5 is chance" in finding
    assert view["agreement"]["rows"][0][:3] == ["vit-b16 and cnn", "0.300", "0.100"]
    assert [one[0] for one in view["regions"]["rows"]] == ["vit-b16", "random map"]
    assert view["regions"]["rows"][0][-1] == "9 in 8 groups"
    page = write_report(run).read_text(encoding="utf-8")
    for title in ("Can the maps be believed?", "More on these maps", "same places?", "what the masks mark?"):
        assert title in page
    assert finding in page and "What remains without the subject?" in page
    assert "10 images have masks, 1 of them empty or full" in page


def test_checks_of_earlier_versions_are_shown_without_what_they_lack(run: Path) -> None:
    folder = write(run)
    one = CheckedDifference(0.5, 0.3, 0.7, 24, 20).to_json()
    told = {"sanity": "passed", "repeatability": 0.8, "permuted_labels": 0.1, "labels": one, "deletion": one}
    content = {"method": "contributions", "contenders": {"vit-b16": told}}
    (run / "maps" / "faithfulness.json").write_text(json.dumps(content))
    view = explain_view(folder)
    assert (
        view["checks"]["rows"]
        and view["beside"] == view["agreement"] == view["regions"] == view["hidden"] == {}
    )


def test_a_run_without_maps_says_how_to_make_them(run: Path) -> None:
    assert explain_view(RunFolder(run)) == {} and map_grids(RunFolder(run)) == {}
    assert "headtohead explain RUN" in write_report(run).read_text(encoding="utf-8")
