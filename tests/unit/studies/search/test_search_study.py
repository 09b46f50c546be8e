"""The study of `best` without a network: what is refused, what the time cuts short, and what its page rests on."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.planting.reported import verdict

from headtohead.core.config import SearchConfig
from headtohead.core.errors import NoEffectError, UnknownNameError
from headtohead.data.dataset import Dataset
from headtohead.data.splits.folds import Fold
from headtohead.studies.search.fine_tuned import FineTuningResult
from headtohead.studies.search.outcome import SearchOutcome
from headtohead.studies.search.search import SearchStudy
from headtohead.studies.search.summary import SEARCHED, WITH_TUNED

CNN, VIT = "efficientnet-lite0", "dinov2-small"
FOLDS = [Fold(repeat, fold, np.array([0]), np.array([1])) for repeat in (0, 1) for fold in (0, 1)]
Make = Callable[..., SearchStudy]


@pytest.fixture
def study(samples: Callable[..., Dataset], tmp_path: Path, listener: Any) -> Make:
    """Return what makes a study whose data, folds and recipe are known."""

    def make(**settings: Any) -> SearchStudy:
        config = SearchConfig(**{"data": "x", "backbones": (CNN, VIT), **settings})
        made = SearchStudy(config, tmp_path / "run", listener, cache=tmp_path / "cache")
        data = samples([0, 1, 0, 1])
        made.__dict__.update(dataset=data, grouped=data, splits=SimpleNamespace(folds=FOLDS), recipe="known")
        made.run_folder.write("recipe.json", {"name": "foreground"})
        return made

    return make


def test_copies_that_change_nothing_and_unknown_names_are_refused(study: Make) -> None:
    study(copies=2).validate_config()
    study(augment="none").validate_config()
    with pytest.raises(NoEffectError, match="The preset 'none' changes nothing, so copies are of no use"):
        study(copies=2, augment="none").validate_config()
    for settings in ({"backbones": ("efficientnet-lit0",)}, {"finetune": ("efficientnet-lit0",)}):
        with pytest.raises(UnknownNameError, match="did you mean 'efficientnet-lite0'"):
            study(**settings).validate_config()
    with pytest.raises(UnknownNameError, match="augmentation preset"):
        study(augment="mir", copies=1).validate_config()


def test_weights_of_every_network_are_fetched_once(study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("headtohead.studies.search.search")
    asked: list[Any] = []
    monkeypatch.setattr(
        module,
        "fetch_weights",
        lambda run, records, seed, reporter: asked.append(([r.name for r in records], seed)),
    )
    study(finetune=(VIT, "efficientnet-lite1"), seed=4).validate_contenders()
    assert asked == [([CNN, VIT, "efficientnet-lite1"], 4)]


def test_presets_without_flips_keep_them_out_of_what_is_searched(study: Make) -> None:
    assert any(one.view.flips for one in study()._candidates)
    made = study(augment="xray", copies=1)
    assert not any(one.view.flips for one in made._candidates)
    assert all(one.recipe == "foreground" for one in made._candidates)
    assert sum(step.side_branch for step in made._steps) == 2


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stand in for all that is fitted; returns what was asked, and what the parts answer."""
    found = SimpleNamespace(deadline=None, heads=(), finished=FOLDS, tuned=FineTuningResult((), [], [], []))
    heads = importlib.import_module("headtohead.studies.search.search_heads")
    model = importlib.import_module("headtohead.studies.search.final_model")

    def fit_until(given: Any, folds: Any, labels: Any, run: Any, deadline: Any, *, seed: int) -> Any:
        found.heads, found.deadline = tuple(given), deadline.deadline
        return found.finished

    monkeypatch.setattr(heads, "search_heads", lambda *_: {"candidate": None})
    monkeypatch.setattr(heads, "fit_until", fit_until)
    monkeypatch.setattr(model, "searched_model", lambda *_: {"members": [], "tuned": []})
    monkeypatch.setattr(SearchStudy, "_fine_tune", lambda *_: found.tuned)
    monkeypatch.setattr(SearchStudy, "_baseline_heads", lambda _: {"majority": None})
    return found


def test_a_search_that_had_its_time_is_complete(study: Make, parts: SimpleNamespace) -> None:
    made = study(minutes=3)
    assert made.is_complete
    outcome = made._outcome
    assert outcome.rows == (*(step.name for step in made._steps), SEARCHED)
    assert outcome.folds == tuple(FOLDS) and outcome.notes == () and outcome.model["tuned"] == []
    assert parts.deadline == made._started + 180 and parts.heads == ("candidate", "majority")


def test_what_the_time_cut_short_is_not(study: Make, parts: SimpleNamespace) -> None:
    parts.finished = FOLDS[:2]
    assert not study().is_complete
    parts.finished = FOLDS
    parts.tuned = FineTuningResult(("a@finetune",), [], [], ["left out"])
    outcome = study()._outcome
    assert not outcome.complete and outcome.notes == ("left out",) and outcome.rows[-1] == SEARCHED
    assert outcome.folds == tuple(FOLDS), "what was not fine-tuned takes no repeat from the others"


def test_fine_tuned_networks_are_rows_on_the_repeats_that_they_have(
    study: Make, parts: SimpleNamespace
) -> None:
    parts.tuned = FineTuningResult(("a@finetune", "b@finetune"), FOLDS[:2], [{"name": "a"}], [])
    outcome = study()._outcome
    assert outcome.rows[-4:] == (SEARCHED, WITH_TUNED, "a@finetune", "b@finetune")
    assert outcome.folds == tuple(FOLDS[:2]) and outcome.model["tuned"] == [{"name": "a"}]
    assert not outcome.complete


def finding(code: str, severity: str, outcome: str) -> dict[str, Any]:
    return {
        "code": code, "title": f"T{code}", "severity": severity, "outcome": outcome, "message": f"m{code}",
        "advice": f"a{code}", "samples": [], "data": {},
    }  # fmt: skip


@pytest.mark.parametrize("outcome", ["issue", "passed"])
def test_a_shortcut_is_told_once_above_the_other_caveats(
    outcome: str, study: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = study(minutes=7, seed=3)
    made.__dict__.update(
        _verdicts={}, _outcome=SearchOutcome(tuple(FOLDS), ("a",), {"members": []}, ("a note",), True)
    )
    made.run_folder.write(
        "audit.json",
        {"findings": [finding("H2H203", "severe", "issue"), finding("H2H305", "severe", outcome)]},
    )
    summary = importlib.import_module("headtohead.studies.search.summary")
    cells = importlib.import_module("headtohead.heads.cross_validation")
    monkeypatch.setattr(cells, "load_cells", lambda *_, **__: iter(()))
    given: list[Any] = []
    monkeypatch.setattr(
        summary, "search_summary", lambda *parts: given.append(parts) or {"caveats": ["own"]}  # type: ignore[func-returns-value]
    )  # fmt: skip
    content = made._content()
    told = ["The best contender is not shown to do better than a shortcut: mH2H305. aH2H305"]
    assert content["caveats"] == [*(told if outcome == "issue" else []), "TH2H203 (H2H203): mH2H203.", "own"]
    assert content["notes"] == ["a note"] and content["model"] == {"members": []}
    assert content["asked"]["backbones"] == [CNN, VIT] and content["asked"]["seed"] == 3
    assert 0 <= content["minutes"] < 1 and len(given[0][4]) == len(made._candidates)


def test_the_page_and_its_content_are_written(study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = study()
    primary = verdict()
    made.__dict__["_verdicts"] = {"auroc": primary, "accuracy": None}
    page = importlib.import_module("headtohead.report.search_page")
    monkeypatch.setattr(SearchStudy, "_content", lambda _: {"sentences": ["s"]})
    monkeypatch.setattr(
        page, "page", lambda content, shown: f"{content['sentences'][0]} {shown.sentence == primary.sentence}"
    )
    assert made.write_page().read_text() == "s True"
    assert made.run_folder.json("best.json")["sentences"] == ["s"]
