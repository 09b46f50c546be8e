"""The study of `reproduce` without a network: its checks, and the files that it writes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from tests.planting.reported import verdict

from headtohead.core.config import ReproductionConfig
from headtohead.core.errors import UnknownNameError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.studies.reproduction.protocol import ARMS, CORRECTIONS
from headtohead.studies.reproduction.reproduce import ReproductionStudy
from headtohead.studies.reproduction.splits import SplitTables

Make = Callable[..., ReproductionStudy]
NETWORKS = SimpleNamespace(cnn=SimpleNamespace(name="a"), vit=SimpleNamespace(name="b"), title="a and b")


@pytest.fixture
def study(samples: Callable[..., Dataset], tmp_path: Path, listener: Any) -> Make:
    """Return what makes a study whose data and networks are known."""

    def make(labels: list[int] | None = None, **settings: Any) -> ReproductionStudy:
        made = ReproductionStudy(ReproductionConfig(data="x", **settings), tmp_path / "run", listener)
        data = samples(labels or [0, 1, 0, 1])
        made.__dict__.update(dataset=data, grouped=data, networks=NETWORKS)
        return made

    return make


def test_networks_that_were_named_must_exist(study: Make) -> None:
    study().validate_config()
    study(cnn="efficientnet-lite0", vit="dinov2-small").validate_config()
    for settings in ({"cnn": "efficientnet-lit0"}, {"vit": "dinov2-smal"}):
        with pytest.raises(UnknownNameError, match="did you mean"):
            study(**settings).validate_config()


def test_the_weights_of_both_networks_are_fetched(study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    module = importlib.import_module("headtohead.studies.reproduction.reproduce")
    monkeypatch.setattr(module, "fetch_weights", lambda *given: asked.append(given))
    made = study(seed=4)
    made.validate_contenders()
    assert asked == [(made.run_folder, (NETWORKS.cnn, NETWORKS.vit), 4, made.reporter)]


def test_the_study_had_two_classes(study: Make) -> None:
    study().validate_against_data()
    with pytest.raises(UsageError, match=r"^The study had two classes; got 3: no, yes, other\.$"):
        study([0, 1, 2]).validate_against_data()


def test_splits_predictions_verdict_and_page_are_written(
    study: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = study()
    splits = importlib.import_module("headtohead.studies.reproduction.splits")
    summary = importlib.import_module("headtohead.studies.reproduction.summary")
    page = importlib.import_module("headtohead.report.reproduction_page")
    scored: list[Any] = []
    runner = SimpleNamespace(
        score=lambda step, arm: scored.append((step.name, arm)) or f"{step.name} {arm}",  # type: ignore[func-returns-value]
        leaks=lambda step, arm: len(arm),
    )
    made.__dict__["_runner"] = runner
    table = pd.DataFrame({"sample": ["s"], "repeat": [0]})
    given: dict[str, Any] = {}

    def summarise(data: Any, networks: Any, lines: Any, leaks: Any, config: Any) -> Any:
        given.update(lines=lines, leaks=leaks)
        return {"title": "t", "steps": []}

    monkeypatch.setattr(splits, "split_tables", lambda source: SplitTables(table, [{"n": 1}], [{"leak": 2}]))
    monkeypatch.setattr(
        summary, "predictions_frame", lambda data, networks, lines: table.assign(n=len(lines))
    )
    monkeypatch.setattr(summary, "summarise", summarise)
    monkeypatch.setattr(summary, "reproduction_verdict", lambda content, networks, positive: verdict())
    monkeypatch.setattr(page, "waterfall", lambda content, alone: f"<svg {content['title']} {alone}>")
    monkeypatch.setattr(page, "page", lambda content: f"page of {content['title']}")
    made.split()
    run = made.run_folder
    proof = run.json("leak_proof.json")
    assert (proof["proof"], proof["leaks"]) == ([{"n": 1}], [{"leak": 2}])
    assert run.table("folds.parquet").equals(table)
    made.fit()
    assert run.table("predictions.parquet")["n"].tolist() == [2 * len(CORRECTIONS)]
    assert scored == [(step.name, arm) for step in CORRECTIONS for arm in ARMS]
    assert made.judge() == verdict() and run.json("verdict.json")["sentence"] == verdict().sentence
    assert made.write_page().read_text() == "page of t"
    assert (run / "waterfall.svg").read_text() == "<svg t True>" and run.json("reproduce.json")[
        "title"
    ] == "t"
    assert given["lines"][CORRECTIONS[2].name, "vit"] == f"{CORRECTIONS[2].name} vit"
    assert set(given["leaks"].values()) == {3} and len(scored) == 2 * len(CORRECTIONS), "scored once"
