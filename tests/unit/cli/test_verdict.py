"""`headtohead verdict`: options reach the statistics; those of a finished run are refused, not ignored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.planting.reported import verdict, write_run

Run = Callable[..., Any]


def test_options_reach_the_statistics_as_they_are_taken(ask: Any, run: Run) -> None:
    asked = ask("headtohead.api.predictions", "verdict", verdict())
    assert run("verdict", "a.csv", "b.csv", "--json").out == verdict().model_dump_json(indent=2) + "\n"
    ((given, named),) = asked.calls
    assert given == ([Path("a.csv"), Path("b.csv")],)
    assert named == {
        "metric": "auroc", "positive": None, "baselines": (), "rope": None, "primary": (), "matters": None,
        "prevalence": None, "by": (), "columns": None, "complete_cases": False, "score": "probability",
        "ordered_classes": (), "per": None, "level": 0.95, "n_boot": 2000, "seed": 0,
    }  # fmt: skip
    run(
        "verdict", "a.csv", "--json", "--metric", "kappa", "--positive", "x", "--baseline", "m", "--baseline", "n",
        "--rope", 0.1, "--primary", "a, b", "--matters", 0.2, "--prevalence", 0.3, "--by", "s,t", "--columns",
        "sample=img", "--complete-cases", "--score", "logit", "--ordered-classes", "u,v,w", "--per", "case", "--level",
        0.9, "--replicates", 100, "--seed", 5,
    )  # fmt: skip
    assert asked.calls[1][1] == {
        "metric": "kappa", "positive": "x", "baselines": ["m", "n"], "rope": 0.1, "primary": ("a", "b"), "matters": 0.2,
        "prevalence": 0.3, "by": ("s", "t"), "columns": {"sample": "img"}, "complete_cases": True, "score": "logit",
        "ordered_classes": ("u", "v", "w"), "per": "case", "level": 0.9, "n_boot": 100, "seed": 5,
    }  # fmt: skip


def test_a_finished_run_is_shown_as_it_was_judged(ask: Any, run: Run, tmp_path: Path) -> None:
    asked = ask("headtohead.api.predictions", "verdict", None)
    folder = write_run(tmp_path / "run")
    assert json.loads(run("verdict", folder, "--json").out) == json.loads(
        (folder / "verdict.json").read_text()
    )
    shown = run("verdict", folder, "--all-tests").out
    assert shown.rstrip().endswith(verdict().sentence) and asked.calls == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--metric", "accuracy"], "--metric"),
        (["--level", "0.9", "--seed", "3"], "--level, --seed"),
        (["--baseline", "a", "--complete-cases"], "--baseline, --complete-cases"),
        (["--replicates", "500"], "--replicates"),
        (["--score", "logit", "--per", "case"], "--score, --per"),
        (["--ordered-classes", "a,b,c"], "--ordered-classes"),
    ],
)
def test_what_a_finished_verdict_cannot_follow_is_refused(
    words: list[str], named: str, run: Run, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run")
    found = run("verdict", folder, *words)
    assert found.status == 2 and found.err.startswith(
        f"headtohead: Got {named} with the run folder '{folder}'"
    )
    assert str(folder / "predictions.parquet") in found.err


def test_a_damaged_verdict_is_told(run: Run, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder / "verdict.json").write_text('{"sentence": 3}')
    found = run("verdict", folder)
    assert found.status == 1 and "verdict.json is not a verdict of headtohead" in found.err
    (folder / "verdict.json").unlink()
    assert run("verdict", folder).status == 1


@pytest.mark.parametrize("words", [["--rope", "0"], ["--prevalence", "0"], ["--matters", "0"]])
def test_a_zero_was_given_too(words: list[str], run: Run, tmp_path: Path) -> None:
    """Zero is false in Python: an option that was stated with it must not be ignored."""
    folder = write_run(tmp_path / "run")
    found = run("verdict", folder, *words)
    assert found.status == 2 and found.err.startswith(f"headtohead: Got {words[0]} with the run folder")
