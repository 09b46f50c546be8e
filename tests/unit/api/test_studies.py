"""Studies from Python: what is handed on, what comes back, and which run a folder holds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.planting.reported import write_run

import headtohead as h2h
from headtohead.api.results.comparison_run import Run
from headtohead.api.results.study_runs import BestRun, ReproductionRun
from headtohead.core.errors import RunFolderError, UnknownNameError, UsageError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Return what studies were asked for; none is run, and a finished folder is found."""
    given: list[Any] = []

    def study(kind: str) -> Any:
        def run(config: Any, out: Path, *places: Any, **named: Any) -> Any:
            given.append(SimpleNamespace(kind=kind, config=config, out=out, places=places, named=named))
            if kind == "compare":
                write_run(out)
            else:
                out.mkdir()
                (out / f"{kind}.json").write_text('{"sentences": ["s"], "caveats": []}')
            return SimpleNamespace(path=out)

        return run

    monkeypatch.setattr("headtohead.studies.comparison.compare_study", study("compare"))
    monkeypatch.setattr("headtohead.studies.search.search.best_study", study("best"))
    monkeypatch.setattr("headtohead.studies.reproduction.reproduce.reproduce_study", study("reproduce"))
    return given


def test_a_comparison_is_asked_with_its_settings_sorted(asked: list[Any], tmp_path: Path) -> None:
    run = h2h.compare(
        "scans", "a, ensemble(a,b)", out=tmp_path / "run", quiet=True, folds=3, epochs=2, label_from="(x)",
        by="sex, site", drop=["other"], learning_curve=False, engine="ray",
    )  # fmt: skip
    (one,) = asked
    assert isinstance(run, Run) and run.path == one.out == tmp_path / "run"
    config = one.config
    assert (config.data, config.contenders, config.folds) == ("scans", ("a", "ensemble(a,b)"), 3)
    assert (config.train.epochs, config.data_options.label_from) == (2, "(x)")
    assert (config.by, config.data_options.drop) == (("sex", "site"), ("other",))
    assert (one.named["learning_curve"], one.named["engine"], one.named["log"]) == (False, "ray", ())


@pytest.mark.parametrize("log", ["tensorboard,mlflow", "tensorboard, mlflow", ["tensorboard", "mlflow"]])
def test_trackers_are_a_list_or_one_text(log: Any, asked: list[Any], tmp_path: Path) -> None:
    h2h.compare("scans", "a", out=tmp_path / "run", log=log, quiet=True)
    assert asked[0].named["log"] == ("tensorboard", "mlflow")


def test_maps_are_made_where_they_are_asked_for(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained: list[Any] = []
    monkeypatch.setattr(Run, "explain", lambda self, **how: explained.append((self.path, how)))
    h2h.compare("scans", "a", out=tmp_path / "one", quiet=True)
    assert explained == []
    h2h.compare("scans", "a", out=tmp_path / "two", quiet=True, explain=True)
    assert explained == [(tmp_path / "two", {"quiet": True})]


def test_a_search_and_a_reproduction_come_back_as_what_they_are(asked: list[Any], tmp_path: Path) -> None:
    best = h2h.best("scans", out=tmp_path / "b", quiet=True, backbones="a,b", finetune="c", minutes=3)
    again = h2h.reproduce("scans", out=tmp_path / "r", quiet=True, splits=4, full=True)
    assert isinstance(best, BestRun) and isinstance(again, ReproductionRun)
    assert (asked[0].config.backbones, asked[0].config.finetune, asked[0].config.minutes) == (
        ("a", "b"),
        ("c",),
        3,
    )
    assert (asked[1].config.splits, asked[1].config.full, asked[1].config.data) == (4, True, "scans")


def test_unknown_settings_are_refused_before_anything_runs(asked: list[Any], tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'folds'"):
        h2h.compare("scans", "a", out=tmp_path / "run", flods=3, quiet=True)
    with pytest.raises(UsageError, match="contenders"):
        h2h.compare("scans", "", out=tmp_path / "run", quiet=True)
    with pytest.raises(UnknownNameError, match="'contenders'"):
        h2h.best("scans", out=tmp_path / "run", contenders="a", quiet=True)
    assert asked == [] and not (tmp_path / "run").exists()


def test_a_shard_returns_how_many_cells_were_its_share(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[Any] = []

    def run(config: Any, out: Path, shard: str, reporter: Any) -> int:
        given.append((config.folds, out, shard))
        return 7

    monkeypatch.setattr("headtohead.studies.shards.compare_shard", run)
    from headtohead.api.studies import compare_shard

    assert compare_shard("scans", "a", out=tmp_path / "run", shard="2/8", folds=4, quiet=True) == 7
    assert given == [(4, tmp_path / "run", "2/8")]


def test_a_folder_is_read_as_the_study_that_wrote_it(tmp_path: Path) -> None:
    assert isinstance(h2h.load_run(write_run(tmp_path / "compared")), Run)
    for kind, name in ((BestRun, "best.json"), (ReproductionRun, "reproduce.json")):
        folder = write_run(tmp_path / name)  # both hold a verdict.json too
        (folder / name).write_text("{}")
        assert isinstance(h2h.load_run(str(folder)), kind)
    for missing in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(RunFolderError) as told:
            h2h.load_run(missing)
        assert (
            str(told.value) == f"There is no finished run at {missing}; expected a folder with verdict.json."
        )
