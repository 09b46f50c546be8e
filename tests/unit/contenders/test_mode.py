"""What heads are built from: images shared within a limit of memory, budgets of cells, and the trials kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.backbones.catalog import resolve
from headtohead.contenders.mode import BuildContext
from headtohead.core.config import Budget

Make = Callable[..., BuildContext]


def test_networks_of_one_size_and_scale_share_their_images_and_all_share_the_memory(
    context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = context()
    one = resolve("dinov2-small")
    other = one.model_copy(update={"name": "other"})
    large = one.model_copy(update={"input_size": 448})
    needed = 10 * 3 * 2  # images, planes, bytes of float16
    limit = needed * (one.input_size**2 + 448**2) - 1
    monkeypatch.setattr("headtohead.training.data_loader.MEMORY_LIMIT", limit)
    assert made.images_for(one) is made.images_for(other)
    assert made.images_for(one).bytes_in_memory == needed * one.input_size**2
    assert made.images_for(large).bytes_in_memory == 0, "the second does not fit beside the first"
    assert len(made.prepared) == 2
    for change in ({"mean": (0.1, 0.1, 0.1)}, {"std": (0.9, 0.9, 0.9)}, {"interpolation": "nearest"}):
        made.images_for(one.model_copy(update=change))
    assert len(made.prepared) == 5


def test_a_budget_is_stated_or_there_is_none(context: Make, tmp_path: Path) -> None:
    assert context().budget == Budget() and context().trial_budget() is None
    stated = context(budget="2", policy="inner", n_cells=3)
    purse = stated.trial_budget()
    assert stated.budget == Budget(trials=2) and purse is not None
    assert [purse(tmp_path).can_start(done) for done in (0, 1, 2)] == [True, True, False]


def test_minutes_are_shared_by_the_cells(context: Make, tmp_path: Path) -> None:
    for n_cells, second in ((1, True), (60, False)):
        purse = context(budget="1min", policy="inner", n_cells=n_cells).trial_budget()
        assert purse is not None
        mine = purse(tmp_path / str(n_cells))
        assert mine.can_start(0)
        mine._seconds.append(5.0)
        assert mine.can_start(1) == second


def test_trials_are_kept_only_where_optuna_proposes_them(
    context: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        "headtohead.training.tuning.optuna_storage.save_trials", lambda *given: kept.append(given)
    )
    store = tmp_path / "trials.sqlite"
    tuned = {"tuner": "optuna", "policy": "inner", "trials": 4}
    assert context(trial_store=store).trial_recorder("a") is None
    assert context(**tuned).trial_recorder("a") is None
    record = context(trial_store=store, **tuned).trial_recorder("a@finetune")
    assert record is not None
    job: Any = SimpleNamespace(repeat=2, fold=4)
    trials, stated = [object()], object()
    record(job, trials, stated)  # type: ignore[arg-type]
    assert kept == [(store, "a@finetune r2f4", trials, stated)]


def test_extraction_follows_the_configuration() -> None:
    from headtohead.contenders.mode import FeatureSource
    from headtohead.core.config import StudyConfig

    config = StudyConfig(data="x", contenders=("a",), precision="fp32", device="cpu", seed=9, runtime="torch")
    nothing: Any = None
    options = FeatureSource(nothing, nothing, config, Path(), nothing).options
    assert (options.precision, options.device, options.seed, options.runtime) == ("fp32", "cpu", 9, "torch")


def test_a_matrix_is_told_with_how_it_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    from headtohead.backbones.features.views import FeatureView
    from headtohead.contenders.mode import FeatureSource
    from headtohead.core.config import StudyConfig

    told: list[Any] = []
    given: list[Any] = []

    def extract(*places: Any, **named: Any) -> Any:
        given.append((places, named))
        return SimpleNamespace(rows="rows", how={"precision": "bf16"})

    monkeypatch.setattr("headtohead.backbones.features.views.extract_view", extract)
    config = StudyConfig(data="x", contenders=("a",))
    dataset, recipe, prepared = object(), object(), object()
    source: Any = FeatureSource(
        dataset, recipe, config, Path("c"), lambda name, facts: told.append((name, facts)), prepared=prepared  # type: ignore[arg-type]
    )  # fmt: skip
    record, view = resolve("dinov2-small"), FeatureView(flip=True)
    assert source.matrix(record, view) == "rows"
    assert told == [("dinov2-small", {"how": {"precision": "bf16"}})]
    ((places, named),) = given
    assert places[:4] == (dataset, record, recipe, view)
    assert named["cache"] == Path("c") and named["prepared"] is prepared
