"""Subgroups, cost and the learning curve over groups as rows of text."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from headtohead.core.tables.details import SampleSize, VerdictDetails
from headtohead.report.views.subgroups import members_of, subgroups_view

SCORE = {"contender": "vit", "metric": "auroc", "value": 0.9, "low": 0.8, "high": 0.95, "n_samples": 20,
         "n_groups": 12, "method": "bootstrap"}  # fmt: skip
SIZE: dict[str, Any] = {"n_samples": 4, "n_groups": 4, "n_repeats": 3, "samples_per_class": {},
                        "groups_per_class": {}, "n_boot": 9, "seed": 0}  # fmt: skip


def view(**more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"details": VerdictDetails(), "order": ("vit", "cnn"), "contenders": (), "spent": {},
                             "growth": {}}  # fmt: skip
    return subgroups_view(**{**known, **more})


def test_each_value_has_a_row_for_each_contender_in_their_order_or_says_why_not() -> None:
    gap = {"value": -0.1, "low": -0.2, "high": 0.1}
    both = {"cnn": {"score": SCORE, "difference": None, "p_value": None},
            "vit": {"score": SCORE, "difference": gap, "p_value": 0.2}}  # fmt: skip
    values = {
        "f": {"n_samples": 20, "n_groups": 12, "contenders": both},
        "x": {"n_samples": 2, "n_groups": 1, "too_few": "1 group is too few", "contenders": {}},
    }
    sex = {"metric": "auroc", "values": values, "note": "2 lack it"}
    (table,) = view(details=VerdictDetails.model_validate({"subgroups": {"sex": sex}}))["tables"]
    assert (table["column"], table["note"]) == ("sex", "2 lack it")
    assert table["rows"] == [
        ["f", "20", "12", "vit", "0.900 [0.800, 0.950]", "−0.100 [−0.200, 0.100]"],
        ["f", "20", "12", "cnn", "0.900 [0.800, 0.950]", ""],
        ["x", "2", "1", "", "1 group is too few", ""],
    ]


def test_samples_are_members_of_what_their_columns_say() -> None:
    extra = [json.dumps({"sex": "f", "age": 7}), json.dumps({"site": "b"})]
    samples = pd.DataFrame({"id": ["a", "b"], "extra": extra})
    assert members_of(samples, ["age", "sex"]) == {"a": {"age": "7", "sex": "f"}, "b": {}}
    assert members_of(samples, []) == {} and members_of(None, ["sex"]) == {}


def test_cost_is_told_as_far_as_it_was_measured() -> None:
    record = {"name": "vit", "n_parameters": 85_798_656, "input_size": 224}
    known = [{"record": record, "how": {"images_per_second": 8.0}}, {"name": "no record"}]
    spent = {"vit@finetune": {"seconds": 12.34, "peak_mib": 512.6}, "cnn": {"seconds": 0}}
    order = ("vit@finetune", "vit", "cnn")
    cost = view(order=order, contenders=known, spent=spent)["cost"]
    assert len(cost["heads"]) == 6
    assert cost["rows"] == [
        ["vit@finetune", "85.8 million", "224 px", "125.0 ms", "12.3 s", "513 MiB"],
        ["vit", "85.8 million", "224 px", "125.0 ms", "", ""],
        ["cnn", "", "", "", "0.0 s", ""],
    ]
    cached = view(order=("vit",), contenders=[{"record": {"name": "vit"}, "how": {}}])["cost"]
    assert cached["rows"] == [["vit", "", "", "not measured: features were cached", "", ""]]


def point(name: str, share: float, value: float | None = 0.9, low: float | None = 0.8) -> dict[str, Any]:
    return {
        "contender": name,
        "share": share,
        "groups": round(40 * share),
        "value": value,
        "low": low,
        "high": 0.95,
    }


def further(name: str) -> dict[str, Any]:
    return {**point(name, 2.0), "factor": 2, "gain": -0.01, "gain_low": -0.02, "gain_high": 0.03}


def test_the_curve_stands_contender_by_contender_with_what_was_foretold_last() -> None:
    growth = {
        "points": [point("vit", 0.25), point("cnn", 0.25, None), point("vit", 1.0), point("cnn", 1.0, low=None)],
        "extrapolation": [further("cnn"), further("vit")], "sentences": ["s"], "method": "m", "title": "AUROC",
    }  # fmt: skip
    found = view(growth=growth)["growth"]
    assert found["names"] == ["vit", "cnn"] and found["heads"][3] == "AUROC"
    assert found["rows"] == [
        ["vit", "25 %", "10", "0.900 [0.800, 0.950]", ""],
        ["vit", "100 %", "40", "0.900 [0.800, 0.950]", ""],
        ["vit", "200 %, extrapolated", "80", "0.900 [0.800, 0.950]", "−0.010 [−0.020, 0.030]"],
        ["cnn", "25 %", "10", "not defined", ""],
        ["cnn", "100 %", "40", "0.900", ""],
        ["cnn", "200 %, extrapolated", "80", "0.900 [0.800, 0.950]", "−0.010 [−0.020, 0.030]"],
    ]
    assert (found["sentences"], found["method"], found["left_out"]) == (["s"], "m", [])
    assert view()["growth"] == {} and view(growth={"points": []})["growth"] == {}


@pytest.mark.parametrize(
    ("used", "told"),
    [(1, "the first of 3 repeats"), (2, "the first 2 of 3 repeats"), (3, ""), (None, "")],
)
def test_fewer_repeats_than_the_scores_have_are_said(used: int | None, told: str) -> None:
    details = VerdictDetails(size=SampleSize(**SIZE))
    growth: dict[str, Any] = {"points": [point("vit", 1.0)]} | ({} if used is None else {"repeats": used})
    left_out = view(details=details, growth=growth)["growth"]["left_out"]
    sentence = f"The curve is made of {told}, so its last point may differ from the table of scores."
    assert left_out == ([sentence] if told else [])
    assert view(growth={**growth, "repeats": 1})["growth"]["left_out"] == [], "one repeat where none is known"


def test_what_has_no_curve_is_named() -> None:
    growth = {"points": [point("vit", 1.0)], "left_out": ["10 %: one class"], "not_probes": ["a", "b"]}
    assert view(growth=growth)["growth"]["left_out"] == [
        "Left out: 10 %: one class", "Only probes have a curve, so not: a, b.",
    ]  # fmt: skip
