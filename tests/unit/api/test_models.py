"""Models from Python: where their run comes from, what is refused, and how other data are read."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import headtohead as h2h
from headtohead.api import models as module
from headtohead.core.errors import NoEffectError, UnknownNameError, UsageError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return what was compared, trained, loaded and evaluated; nothing is computed."""
    found = SimpleNamespace(compared=[], trained=[], loaded=[], evaluated=[])
    studies = importlib.import_module("headtohead.api.studies")
    train = importlib.import_module("headtohead.deploy.training.train")
    load = importlib.import_module("headtohead.deploy.load")
    evaluate = importlib.import_module("headtohead.deploy.evaluation.evaluate")

    def compare(data: str, contender: str, **settings: Any) -> None:
        found.compared.append((data, contender, settings))

    def load_model(path: Path, **how: Any) -> str:
        found.loaded.append((path, how))
        return f"model {path}"

    def evaluate_models(models: Any, request: Any, reporter: Any) -> str:
        found.evaluated.append((models, request))
        return "result"

    monkeypatch.setattr(studies, "compare", compare)
    monkeypatch.setattr(train, "train_bundle", lambda request, reporter: found.trained.append(request))
    monkeypatch.setattr(load, "load_model", load_model)
    monkeypatch.setattr(evaluate, "evaluate_models", evaluate_models)
    return found


def test_without_a_run_one_of_this_contender_is_made_beside_the_model(
    asked: SimpleNamespace, tmp_path: Path
) -> None:
    found = h2h.train("scans", "lite", out=tmp_path / "model", quiet=True, folds=3, name="mine")
    assert asked.compared == [("scans", "lite", {"out": tmp_path / "model.run", "quiet": True, "folds": 3})]
    (request,) = asked.trained
    assert request.run == tmp_path / "model.run" and request.out == tmp_path / "model"
    assert (request.contender, request.data, request.name) == ("lite", "scans", "mine")
    assert found == f"model {tmp_path / 'model'}"  # type: ignore[comparison-overlap]


def test_a_run_that_is_given_is_taken_with_its_settings(asked: SimpleNamespace, tmp_path: Path) -> None:
    h2h.train(
        out=tmp_path / "m",
        run="runs/a",
        accept_refused=True,
        self_contained=False,
        calibration="venn-abers",
        quiet=True,
    )
    (request,) = asked.trained
    assert (request.run, request.contender, request.data) == (Path("runs/a"), None, None)
    assert (request.accept_refused, request.self_contained, request.calibration) == (
        True,
        False,
        "venn-abers",
    )
    assert asked.compared == []
    with pytest.raises(NoEffectError) as told:
        h2h.train(out=tmp_path / "m", run="runs/a", seed=1, folds=3, quiet=True)
    assert str(told.value) == (
        "folds, seed would have no effect: the run has its own settings. Leave them out, or train without a run."
    )


@pytest.mark.parametrize("given", [{}, {"data": "scans"}, {"contender": "lite"}])
def test_neither_a_run_nor_images_with_a_contender_is_refused(
    given: dict[str, Any], asked: SimpleNamespace, tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"^Give the images and a contender, or a finished run with `run`\.$"
    ):
        h2h.train(out=tmp_path / "m", quiet=True, **given)
    assert asked.compared == [] == asked.trained


def test_an_unknown_calibration_is_refused_before_hours_of_training(
    asked: SimpleNamespace, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="calibration"):
        h2h.train("scans", "lite", out=tmp_path / "m", calibration="platt?", quiet=True)
    assert asked.compared == []


def test_models_are_loaded_and_other_data_read_as_asked(asked: SimpleNamespace, tmp_path: Path) -> None:
    result = h2h.evaluate(
        ["m1", Path("m2")], "other", out=tmp_path / "e", map_labels={"healthy": "no"}, drop="x, y", by="site",
        label_from="(a)", metric="accuracy", recalibrate=True, per="case", seed=5, n_boot=300, level=0.9, quiet=True,
    )  # fmt: skip
    assert result == "result"  # type: ignore[comparison-overlap]
    ((models, request),) = asked.evaluated
    assert models == ["model m1", "model m2"] and [path for path, _ in asked.loaded] == [
        Path("m1"),
        Path("m2"),
    ]
    options = request.options
    assert options.map_labels == {"healthy": "no"} and options.drop == frozenset({"x", "y"})
    assert options.by == ("site",) and options.label_from == "(a)"
    assert (request.metric, request.recalibrate, request.keep_training) == ("accuracy", True, False)
    assert (request.level, request.n_boot, request.seed, request.per) == (0.9, 300, 5, "case")
    assert (request.data, request.out) == ("other", tmp_path / "e")


def test_one_model_is_a_list_of_one(asked: SimpleNamespace, tmp_path: Path) -> None:
    for given in ("m1", Path("m1")):
        h2h.evaluate(given, "other", out=tmp_path / "e", quiet=True)
    assert [models for models, _ in asked.evaluated] == [["model m1"], ["model m1"]]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("label_form", "label_from"), ("positive", None), ("drop_unlabeled", "drop_unlabelled")],
)
def test_options_of_reading_that_do_not_exist_are_told(name: str, nearest: str | None) -> None:
    with pytest.raises(UnknownNameError, match=f"Unknown option '{name}'") as told:
        module._load_options({name: 1})
    assert nearest is None or f"did you mean '{nearest}'" in str(told.value)


def test_options_with_a_parameter_of_their_own_are_not_read_twice() -> None:
    with pytest.raises(UnknownNameError, match="Unknown option 'drop'"):
        module._load_options({"drop": ("a",)}, drop=frozenset())


def test_loading_passes_on_how(asked: SimpleNamespace) -> None:
    h2h.load_model("m", strict=True, runtime="onnxruntime")
    ((path, how),) = asked.loaded
    assert path == Path("m") and how["strict"] is True and how["runtime"] == "onnxruntime"
    with pytest.raises(UsageError, match=r"^Got path = ''; expected a path\.$"):
        h2h.load_model("")
