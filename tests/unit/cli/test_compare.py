"""`headtohead compare`: its options reach the study, shards are told apart, and the answer says how to go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.planting.reported import write_run

from headtohead.api.results.comparison_run import Run as ComparisonRun

Run = Callable[..., Any]


@pytest.fixture
def compared(ask: Any, tmp_path: Path) -> Any:
    folder = write_run(tmp_path / "run")
    return ask("headtohead.api.studies", "compare", ComparisonRun(folder))


def test_only_what_was_stated_is_handed_on(compared: Any, run: Run, tmp_path: Path) -> None:
    assert run("compare", "scans", "-c", "a,b", "--out", tmp_path / "run").status == 0
    ((given, named),) = compared.calls
    assert given == ("scans",) and named == {
        "out": tmp_path / "run", "log": (), "engine": "local", "explain": False, "learning_curve": None,
        "verbose": False, "contenders": "a,b",
    }  # fmt: skip


def test_every_kind_of_option_arrives_as_it_is_taken(compared: Any, run: Run, tmp_path: Path) -> None:
    found = run(
        "compare", "scans", "-c", "a,b", "-o", tmp_path / "run", "--folds", 3, "--repeats", "auto", "--rope", 0.02,
        "--by", "sex, site", "--map-labels", "a=yes,b=no", "--columns", "group=patient,split=", "--drop", "x,y",
        "--ignore", "H2H203=wanted", "--ignore", "H2H101= fine ", "--include", "*.png", "--include", "*.tif",
        "--channels", "0,2,4", "--group-similar", "--groups", "mine.csv", "--tune", "optuna", "--epochs", 5,
        "--set", "finetune.learning_rate=3e-4", "--set", "finetune.mixup=0.2", "--log", "tensorboard,mlflow",
        "--explain", "--no-learning-curve", "--verbose", "--allow-leaks", "--primary", "a,b",
    )  # fmt: skip
    assert found.status == 0
    named = compared.named
    for name, value in {
        "folds": 3, "repeats": "auto", "rope": 0.02, "by": ("sex", "site"), "map_labels": {"a": "yes", "b": "no"},
        "columns": {"group": "patient", "split": ""}, "drop": ("x", "y"),
        "ignore": {"H2H203": "wanted", "H2H101": "fine"}, "include": ("*.png", "*.tif"), "channels": (0, 2, 4),
        "similar": True, "groups": "mine.csv", "tuner": "optuna", "epochs": 5, "learning_rate": 3e-4, "mixup": 0.2,
        "log": ("tensorboard", "mlflow"), "explain": True, "learning_curve": False, "verbose": True,
        "allow_leaks": True,
    }.items():  # fmt: skip
        assert named[name] == value, name


def test_the_answer_is_followed_by_where_it_lies_and_what_to_do(
    compared: Any, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    lines = run("compare", "scans", "-c", "a", "--out", out).out.splitlines()
    assert lines[-3:-1] == [f"Report: {out / 'report.html'}", f"Details: headtohead verdict {out}"]
    assert lines[-1].startswith(f"Use it: headtohead train --from {out}")
    told = json.loads(run("compare", "scans", "-c", "a", "--out", out, "--json").out)
    assert told == json.loads((out / "verdict.json").read_text())


def test_a_run_without_scores_cannot_be_trained(ask: Any, run: Run, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    content = json.loads((folder / "verdict.json").read_text())
    for one in content["scores"]:
        one.update(value=None, low=None, high=None, note="one class only")
    (folder / "verdict.json").write_text(json.dumps(content))
    ask("headtohead.api.studies", "compare", ComparisonRun(folder))
    found = run("compare", "scans", "-c", "a", "--out", folder)
    assert found.out.splitlines()[-1] == "No contender has a score, so none can be trained as a model."


def test_a_shard_says_how_to_gather_and_refuses_what_belongs_to_that(
    ask: Any, run: Run, tmp_path: Path
) -> None:
    shard = ask("headtohead.api.studies", "compare_shard", 7)
    words = ("compare", "scans", "-c", "a", "--out", tmp_path / "run", "--shard", "2/8", "--folds", 4)
    assert run(*words).out == (
        "Shard 2/8 is done (7 cells). When all shards are, the same command without --shard gathers them.\n"
    )
    ((given, named),) = shard.calls
    assert given == ("scans",) and (named["shard"], named["folds"], named["contenders"]) == ("2/8", 4, "a")
    for option, name in (
        (("--engine", "ray"), "engine"), (("--log", "mlflow"), "log"), (("--explain",), "explain"),
        (("--learning-curve",), "learning-curve"), (("--no-learning-curve",), "no-learning-curve"),
    ):  # fmt: skip
        found = run(*words, *option)
        assert found.status == 2
        assert found.err == (
            f"headtohead: --{name} has no effect with --shard; give it to the call without --shard that gathers the "
            "shards.\n"
        )
    assert run(*words, "--engine", "local").status == 0, "that is what it is unless stated"
    assert len(shard.calls) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--epochs", "3", "--set", "finetune.epochs=4"],
            "headtohead: epochs is stated by an option of its own and by --set; state it once.",
        ),
        (["--map-labels", "a"], "--map-labels got 'a'; expected NAME=VALUE parts separated by commas."),
        (["--map-labels", "a="], "--map-labels got 'a='; expected"),
        (["--channels", "0,-1"], "--channels got '0,-1'; expected whole numbers from 0"),
        (["--ignore", "H2H203"], "--ignore got 'H2H203'; expected CODE=REASON"),
        (["--ignore", "H2H203= "], "--ignore got 'H2H203= '; expected CODE=REASON"),
        (["--folds", "1"], "--folds"),
        (["--n-boot", "10"], "--n-boot"),
    ],
)
def test_words_that_do_not_fit_are_told_by_option(
    words: list[str], said: str, compared: Any, run: Run, tmp_path: Path
) -> None:
    found = run("compare", "scans", "-c", "a", "--out", tmp_path / "run", *words)
    assert found.status == 2 and said in found.err and compared.calls == []
