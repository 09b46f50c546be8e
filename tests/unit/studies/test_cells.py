"""The plan of a comparison's work: which features, which cells, and what rests on what."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import StudyConfig
from headtohead.core.errors import RunFolderError
from headtohead.core.run_folder import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.data.splits.folds import Fold
from headtohead.engines.tasks import CellTask
from headtohead.preprocess.recipe import get_recipe
from headtohead.studies.cells import ComparisonWork, plan_work

VIT, CNN = "scratch:test_vit", "scratch:test_resnet"


def planned(
    text: str, *, n_folds: int = 2, parts: int = 3, baselines: tuple[str, ...] = ("majority",)
) -> Any:
    plan = ContenderPlan.parse(text)
    return plan_work(plan, [*(one.name for one in plan.contenders), *baselines], n_folds, parts)


def test_features_are_those_of_frozen_networks_once_each_in_parts() -> None:
    found = planned(f"{VIT},{VIT}@mlp,{VIT}@probe:flip,hybrid({VIT},{CNN}),{CNN}@finetune,folds({VIT},2)")
    asked = [(task.backbone, str(task.view)) for task in found.features if task.part == 0]
    assert asked == [(VIT, "plain"), (VIT, "flip"), (CNN, "plain")]
    assert {(task.part, task.parts) for task in found.features} == {(0, 3), (1, 3), (2, 3)}
    assert planned(f"{CNN}@finetune").features == ()


def test_cells_rest_on_those_of_earlier_waves_alone() -> None:
    joined = f"ensemble(seeds({VIT}@mlp,2),{CNN})"
    found = planned(f"{joined},folds({CNN},2)")
    done: set[str] = set()
    for wave in found.waves:
        assert all(set(task.rests_on) <= done for task in wave)
        done |= {task.contender for task in wave}
    assert [sorted({task.contender for task in wave}) for wave in found.waves] == [
        ["majority", CNN, f"{VIT}@mlp"], [f"folds({CNN},2)", f"seeds({VIT}@mlp,2)"], [joined],
    ]  # fmt: skip
    assert found.waves[2] == tuple(
        CellTask(joined, place, False, (f"seeds({VIT}@mlp,2)", CNN)) for place in (0, 1)
    )
    assert len(found.cells) == 2 * 6


@pytest.mark.parametrize(
    ("text", "training"),
    [
        (f"{VIT},{VIT}@mlp", []),
        (f"{VIT}@finetune", [f"{VIT}@finetune"]),
        (f"seeds({VIT}@lora,2)", [f"{VIT}@lora", f"seeds({VIT}@lora,2)"]),
        (f"seeds({VIT}@mlp,2)", []),
        (f"snapshots({VIT}@finetune,2)", [f"{VIT}@finetune", f"snapshots({VIT}@finetune,2)"]),
        (f"ensemble({VIT}@finetune,{CNN})", [f"{VIT}@finetune"]),
    ],
)
def test_cells_in_which_a_network_learns_are_marked(text: str, training: list[str]) -> None:
    tasks = planned(text, n_folds=1).cells
    assert sorted({task.contender for task in tasks if task.trains}) == sorted(training)


@pytest.fixture
def work(samples: Callable[..., Dataset], tmp_path: Path) -> ComparisonWork:
    data = samples([0, 1, 0, 1])
    config = StudyConfig(data="x", contenders=(VIT,))
    fold = Fold(0, 0, np.array([0, 1]), np.array([2, 3]))
    return ComparisonWork(
        config, ContenderPlan.parse(VIT), tmp_path / "run", tmp_path / "cache", data, get_recipe("none"), (fold,),
        record_facts=lambda name, facts: None, on_epoch_end=lambda path: None,
    )  # fmt: skip


def test_work_elsewhere_knows_no_way_back_and_whole_paths(
    work: ComparisonWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    near = replace(work, path=Path("run"), cache=Path("cache"), dataset=replace(work.dataset, root="images"))
    assert near.labels.classes == ("no", "yes")  # built, and not sent
    other = copy.copy(near.elsewhere())  # by the same two methods as a pickle
    assert other.path == tmp_path / "run" and other.cache == tmp_path / "cache"
    assert other.dataset.root == str(tmp_path / "images")
    assert other.on_epoch_end is None and near.on_epoch_end is not None
    assert other.record_facts is not near.record_facts
    assert "labels" not in vars(other) and other.labels.labels.tolist() == [0, 1, 0, 1]
    assert work.elsewhere().dataset.root == "nowhere", "a source that is no folder stays as it is named"


def test_a_node_that_does_not_see_the_run_folder_is_refused(work: ComparisonWork) -> None:
    with pytest.raises(RunFolderError, match=r"^node7 does not see the run folder .*/run\. Put run folder"):
        work.check_folder("node7")
    RunFolder(work.path).check_or_write_config(work.config)
    work.check_folder("node7")


def test_the_machine_is_named_with_device_and_versions(work: ComparisonWork) -> None:
    import torch

    from headtohead._version import __version__

    found = work.machine()
    assert found.startswith("cpu (") and f"torch {torch.__version__.partition('+')[0]}" in found
    assert found.endswith(f"headtohead {__version__}")


def test_only_the_cells_asked_for_are_computed(work: ComparisonWork, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    folds = tuple(
        Fold(repeat, fold, np.array([0, 1]), np.array([2, 3])) for repeat in (0, 1) for fold in (0, 1)
    )
    asked: list[tuple[str, int, int]] = []

    def fit(heads: Any, given: Any, labels: Any, run: Any, *, seed: int, reporter: Any, select: Any) -> None:
        asked.extend(
            (name, fold.repeat, fold.fold)
            for name in (VIT, "majority")
            for fold in given
            if select(name, fold)
        )

    monkeypatch.setattr("headtohead.heads.cross_validation.fit_cells", fit)
    monkeypatch.setattr("headtohead.studies.cells.baseline_heads", lambda _: {})
    replace(work, folds=folds).cells([CellTask(VIT, 1), CellTask("majority", 2)], work.reporter)
    assert asked == [(VIT, 0, 1), ("majority", 1, 0)]
