"""Page of `headtohead best`: its answer, its tiles, the steps as text, and which member weighs what."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from tests.planting.reported import HOSTILE, score, verdict

from headtohead.report.search_page import _frame, _view, page


def figure(value: float | None, **more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"value": value, "low": None, "high": None, "level": 0.95, "n_groups": 30, "n_samples": 40,
             "warnings": [], "note": "one class"}  # fmt: skip
    ends = {} if value is None else {"low": value - 0.1, "high": value + 0.05}
    return {**known, **ends, **more}


def row(name: str, value: float | None = 0.9, over: str | None = None, **more: Any) -> dict[str, Any]:
    gain = None if over is None else {"difference": 0.02, "low": -0.01, "high": 0.05}
    known = {"name": name, "over": over, "auroc": figure(value), "accuracy": figure(0.8), "gain_in_auroc": gain,
             "gain_in_accuracy": gain}  # fmt: skip
    return {**known, **more}


def summary(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {
        "ladder": list(rows) or [row("simple", 0.85), row("searched", 0.9, "simple")],
        "floor": {"refusal": "", "scores": {"auroc": figure(0.7)}, "sentences": ["The model beats it."]},
        "sentences": ["First.", "Second."], "caveats": ["A caveat."], "notes": ["A note."], "cells": 15,
        "chosen": {"a": 10, "b": 5},
        "model": {"members": [{"name": "a", "weight": 0.6, "C": 0.1}, {"name": "b", "weight": 0.4, "C": 10.0}],
                  "tuned": []},
    }  # fmt: skip
    return {**known, **more}


def tiles(found: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {tile.title: (tile.value, tile.note, tile.tone) for tile in _frame(found).tiles}


def test_the_answer_is_on_the_last_model_of_the_search() -> None:
    tuned = [
        row("simple", 0.8),
        row("searched", 0.9, "simple"),
        row("searched + fine-tuned", 0.95, "searched"),
    ]
    assert _frame(summary(*tuned, row("another branch", 0.99))).heading == (
        "The model 'searched + fine-tuned' is expected to reach AUROC 0.950 on new groups like these."
    )
    assert "'searched'" in _frame(summary(*tuned[:2], row("another branch", 0.99))).heading
    assert "'only'" in _frame(summary(row("plain"), row("only"))).heading
    assert _frame(summary(row("searched", None))).heading == (
        "The model 'searched' has no AUROC on these images."
    )
    refused = summary(floor={"refusal": "why", "scores": {}, "sentences": []})
    assert _frame(refused).heading == "Refused: the model is not shown to use the images."
    made = _frame(summary())
    assert made.lead == ("First.", "Second.") and made.caveats == ("A caveat.", "A note.")


def test_tiles_hold_the_estimate_the_floor_and_the_size() -> None:
    found = tiles(summary())
    assert found == {
        "AUROC": ("0.900", "95 % CI 0.800 to 0.950", "note"),
        "Accuracy": ("0.800", "95 % CI 0.700 to 0.850", "note"),
        "File facts alone": ("AUROC 0.700", "the model beats it", "passed"),
        "Size": ("30 groups", "40 images", "note"),
    }
    one = row(
        "searched", None, auroc=figure(None, n_groups=1, n_samples=1), accuracy=figure(0.5, warnings=["w"])
    )
    found = tiles(summary(one))
    assert found["AUROC"] == ("not defined", "", "note") and found["Size"] == ("1 group", "1 image", "note")
    assert found["Accuracy"] == ("0.500", "95 % CI 0.400 to 0.550; may be too narrow", "warning")


@pytest.mark.parametrize(("refusal", "tone"), [("", "warning"), ("no lead", "severe")])
def test_a_floor_that_is_not_beaten_is_said_to_be(refusal: str, tone: str) -> None:
    floor = {"refusal": refusal, "scores": {"auroc": figure(0.7)}, "sentences": ["It does not."]}
    told = ("AUROC 0.700", "the model is not shown to beat it", tone)
    assert tiles(summary(floor=floor))["File facts alone"] == told
    for scores in ({}, {"auroc": figure(None)}):
        assert "File facts alone" not in tiles(summary(floor={**floor, "scores": scores}))


def test_steps_are_told_with_their_gains_and_marked_where_too_narrow() -> None:
    narrow = row("searched", 0.9, "simple", auroc=figure(0.9, warnings=["few groups"]))
    view = _view(summary(row("simple", None), narrow))
    assert view["steps"] == [
        ("simple", "not defined (one class)", "", "0.800 [0.700, 0.850]", ""),
        ("searched", "0.900 [0.800, 0.950] *", "+0.020 [−0.010, +0.050]", "0.800 [0.700, 0.850]",
         "+0.020 [−0.010, +0.050]"),
    ]  # fmt: skip
    assert view["narrow"] and not _view(summary())["narrow"]


def test_two_steps_over_one_are_branches() -> None:
    rows = [row("a"), row("b", over="a"), row("c", over="a"), row("d", over="c")]
    assert _view(summary(*rows))["branches"] == [("b", "c", "a")]
    assert _view(summary(row("a"), row("b")))["branches"] == [], "both over nothing"


def test_all_probes_together_weigh_as_much_as_one_fine_tuned_network() -> None:
    assert _view(summary())["members"] == ["a: weight 0.60, C = 0.1", "b: weight 0.40, C = 10"]
    model = {"members": [{"name": "a", "weight": 1.0, "C": 1.0}], "tuned": [{"name": "x"}, {"name": "y"}]}
    found = _view(summary(model=model))
    assert found["members"] == ["a: weight 0.33, C = 1", "x: weight 0.33", "y: weight 0.33"]
    assert found["tuned"]


def test_the_page_is_safe_and_draws_each_metric_of_the_verdict_once() -> None:
    facts = summary(row("simple"), row("searched", over="simple"), sentences=[HOSTILE], chosen={HOSTILE: 3})
    made = page(facts, verdict().model_copy(update={"positive": "yes"}))
    assert "<script>alert" not in made and made.count("<figure") == made.count("</figure>")
    text = html.unescape(re.sub(r"<[^>]+>", " ", made))
    assert "3 of 15" in text and "positive class yes" in " ".join(text.split())
    assert made.count("<svg") == 2, "AUROC and accuracy"
    accuracy = verdict().model_copy(update={"scores": (score("a", "accuracy"),)})
    assert page(facts, accuracy).count("<svg") == 1
