"""A study of frozen features has the same digits with any number of workers and on either engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle  # as Ray's own
import pandas as pd
import pytest
import torch
from tests.journeys.test_compare import make_images
from tests.unit.engines.test_ray import StandIn

from headtohead.backbones.features import extract
from headtohead.backbones.features.inference import one_pass
from headtohead.core.config import StudyConfig
from headtohead.engines import ray_cluster
from headtohead.heads import mlp
from headtohead.studies.comparison import ComparisonStudy

SINGLE = "scratch:test_efficientnet"
CONTENDERS = (SINGLE, "scratch:test_vit@mlp", f"ensemble({SINGLE},scratch:test_vit@mlp,how=weighted)")


class OtherProcess(StandIn):
    """A cluster whose workers get the work as bytes, as another process would."""

    def put(self, value: Any) -> int:
        return super().put(cloudpickle.loads(cloudpickle.dumps(value)))


@pytest.fixture(autouse=True, scope="module")
def light() -> Iterator[None]:
    """Without the search for copies, whose digits are compared elsewhere (`test_duplicates`), and with short MLPs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ComparisonStudy, "_groups", lambda self: {one.id: one.id for one in self.dataset.samples}
        )
        patch.setattr(mlp, "MlpSettings", partial(mlp.MlpSettings, epochs=6, members=2))
        yield


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("digits") / "images", per_class=12)


def predictions(
    images: Path, folder: Path, engine: str = "local", contenders: tuple[str, ...] = CONTENDERS
) -> pd.DataFrame:
    """Return the out-of-fold predictions of a study with a cache of its own."""
    config = StudyConfig(data=str(images), contenders=contenders, folds=2, repeats=1, recipe="none")
    study = ComparisonStudy(config, folder / "run", cache=folder / "cache", engine=engine)
    with study.run_folder.lock():
        study._claim()
        return study.fit()


@pytest.fixture(scope="module")
def alone(images: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The predictions that one thread makes in one process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        return predictions(images, tmp_path_factory.mktemp("alone"))


@pytest.fixture
def three_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_workers")
def test_any_number_of_workers(images: Path, tmp_path: Path, alone: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(predictions(images, tmp_path), alone, check_exact=True)


def test_either_engine(
    images: Path, tmp_path: Path, alone: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features in parts, cells as tasks; a real cluster is in `test_ray` (slow)."""
    ray = OtherProcess()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(ray_cluster, "_WORKS", {})
    monkeypatch.setattr(ray_cluster, "IMAGES_PER_TASK", 7)
    pd.testing.assert_frame_equal(predictions(images, tmp_path, "ray"), alone, check_exact=True)
    assert sum(str(task).startswith("features") for task, _ in ray.asked) == 2 * 4


@pytest.mark.usefixtures("three_workers")
def test_rows_that_depend_on_their_neighbours_would_be_seen(
    images: Path, tmp_path: Path, alone: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that takes a part of the rows of its pass: other passes, other digits."""
    monkeypatch.setattr(
        extract, "one_pass", lambda *given: (rows := one_pass(*given)) + 1e-3 * rows.mean(axis=0)
    )
    monkeypatch.setattr(extract, "BATCH", 5)
    found = predictions(images, tmp_path, contenders=(SINGLE,))
    same = alone[alone["contender"].isin(found["contender"].unique())].reset_index(drop=True)
    assert len(found) == len(same) and not found.equals(same)
