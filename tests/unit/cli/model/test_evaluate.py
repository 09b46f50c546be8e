"""`headtohead evaluate`: models first, images last; scores here beside those of cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.planting.reported import score

Run = Callable[..., Any]


@pytest.fixture
def evaluated(ask: Any) -> Any:
    line = SimpleNamespace(
        metric="auroc", external=score("m", value=0.7), internal=score("m", value=None), shifted=True
    )
    plain = SimpleNamespace(
        metric="accuracy", external=score("m", value=0.8), internal=score("m", value=0.9), shifted=False
    )
    models = [SimpleNamespace(name="lite", internal=[line, plain], flags={"odd size": 3})]
    evaluation = SimpleNamespace(
        sentences=["It ranks.", "And more."], caveats=["Small."], models=models, n_samples=40,
        model_dump_json=lambda: '{"format": 1}',
    )  # fmt: skip
    return ask("headtohead.api.models", "evaluate", SimpleNamespace(evaluation=evaluation))


def test_the_answer_its_caveats_and_both_scores(evaluated: Any, run: Run, tmp_path: Path) -> None:
    lines = run("evaluate", "m", "other", "--out", tmp_path).out.splitlines()
    assert lines[:3] == ["It ranks.", "And more.", "Caveat: Small."]
    assert lines[4] == "lite" and lines[5].split() == ["score", "here", "cross-validated"]
    assert lines[6].split() == ["auroc", "0.700", "[0.600,", "0.750]", "not", "defined", "shifted"]
    assert lines[7].split() == ["accuracy", "0.800", "[0.700,", "0.850]", "0.900", "[0.800,", "0.950]"]
    assert lines[6].index("0.700") == lines[7].index("0.800") == lines[5].index("here")
    assert lines[8] == "  guard: odd size on 3 of 40 images"
    assert lines[-2:] == [
        f"Page: {tmp_path / 'evaluation.html'}",
        f"All numbers: {tmp_path / 'evaluation.json'}",
    ]
    assert run("evaluate", "m", "other", "--out", tmp_path, "--json").out == '{"format": 1}\n'


def test_the_last_word_is_the_images(evaluated: Any, run: Run, tmp_path: Path) -> None:
    run(
        "evaluate", "a", "b", "other", "--out", tmp_path, "--metric", "accuracy", "--by", "site, sex", "--recalibrate",
        "--keep-training", "--per", "case", "--seed", 3, "--map-labels", "healthy=no", "--drop-unlabelled",
    )  # fmt: skip
    ((given, named),) = evaluated.calls
    assert given == (["a", "b"], "other")
    assert named == {
        "out": tmp_path, "metric": "accuracy", "by": ("site", "sex"), "recalibrate": True, "keep_training": True,
        "per": "case", "seed": 3, "map_labels": {"healthy": "no"}, "drop_unlabelled": True,
    }  # fmt: skip


def test_one_word_and_a_positive_class_are_refused(evaluated: Any, run: Run, tmp_path: Path) -> None:
    found = run("evaluate", "m", "--out", tmp_path)
    assert (found.status, found.err) == (
        2, "headtohead: Give at least one model and, at the end, the images with labels.\n",
    )  # fmt: skip
    assert run("evaluate", "m", "other", "--out", tmp_path, "--positive", "x").status == 2
    assert evaluated.calls == []
