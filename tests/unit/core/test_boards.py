"""Curves reach TensorBoard and MLflow once each, whatever was killed when; nothing is sent anywhere."""

from __future__ import annotations

import os
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from headtohead.core.epoch_log import read_epoch_log, write_epoch_log
from headtohead.core.errors import MissingExtraError, UnknownNameError
from headtohead.core.trackers import Trackers, check_trackers

LINES = [
    {
        "epoch": epoch, "train_loss": 1 / epoch, "train_accuracy": 0.5, "inner_loss": None, "inner_accuracy": None,
        "learning_rate": 1e-4, "seconds": 2.0, "time": 1e9 + epoch, "images_per_second": 3.0,
    }
    for epoch in range(1, 6)
]  # fmt: skip


def work(run: Path) -> Path:
    return run / "cells" / "vit@finetune" / "r0f0.work" / "metrics.jsonl"


def finish(run: Path) -> None:
    """Move a cell's lines to where they stay."""
    target = run / "training" / "vit@finetune" / "r0f0.jsonl"
    target.parent.mkdir(parents=True)
    work(run).rename(target)


def test_lines_of_one_training_are_replaced_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write_epoch_log(path, "trial0", LINES[:2])
    write_epoch_log(path, "main", LINES[:3])
    write_epoch_log(path, "trial0", LINES[:1])
    assert [(line["training"], line["epoch"]) for line in read_epoch_log(path)] == [
        ("main", 1), ("main", 2), ("main", 3), ("trial0", 1),
    ]  # fmt: skip


class TestTensorBoard:
    @pytest.fixture(autouse=True)
    def package(self) -> None:
        pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")

    def read(self, run: Path, tag: str = "loss/train") -> list[tuple[int, float, float]]:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(run / "tensorboard" / "vit@finetune" / "r0f0" / "main"))
        found.Reload()
        return [(one.step, one.value, one.wall_time) for one in found.Scalars(tag)]

    def test_is_read_by_tensorboard_itself_and_never_doubled(self, tmp_path: Path) -> None:
        for epoch in range(1, 6):
            write_epoch_log(work(tmp_path), "main", LINES[:epoch])
            boards = Trackers(tmp_path, ["tensorboard"])  # as if each epoch came from another process
            boards.sync()
            boards.log(work(tmp_path))
        finish(tmp_path)
        Trackers(tmp_path, ["tensorboard"]).sync()
        found = self.read(tmp_path)
        assert [(step, when) for step, _, when in found] == [(epoch, 1e9 + epoch) for epoch in range(1, 6)]
        assert [value for _, value, _ in found] == pytest.approx([1 / epoch for epoch in range(1, 6)])
        assert [value for _, value, _ in self.read(tmp_path, "images_per_second")] == [3.0] * 5

    @pytest.mark.parametrize("cut", [1, 30, 61, 200])
    def test_a_file_torn_in_a_kill_is_made_whole(self, tmp_path: Path, cut: int) -> None:
        write_epoch_log(work(tmp_path), "main", LINES)
        Trackers(tmp_path, ["tensorboard"]).sync()
        (file,) = tmp_path.glob("tensorboard/*/*/*/events*")
        whole = file.read_bytes()
        file.write_bytes(whole[:-cut])
        Trackers(tmp_path, ["tensorboard"]).sync()
        assert file.read_bytes() == whole
        assert [one.name for one in file.parent.iterdir()] == [file.name]
        file.write_bytes(whole[: len(whole) // 2] + b"torn")
        Trackers(tmp_path, ["tensorboard"]).sync()
        assert file.read_bytes() == whole


@dataclass
class Metric:
    key: str
    value: float
    timestamp: int
    step: int


@dataclass
class Store:
    """What MLflow's client keeps, in memory; it outlives clients as a file would."""

    experiments: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)


class Client:
    """The calls of `mlflow.MlflowClient` that are used, with their names and meanings."""

    store = Store()

    def __init__(self, tracking_uri: str) -> None:
        assert tracking_uri.startswith("sqlite:///") and os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"

    def get_experiment_by_name(self, name: str) -> Any:
        known = self.store.experiments.get(name)
        return types.SimpleNamespace(experiment_id=known) if known else None

    def create_experiment(self, name: str, artifact_location: str) -> str:
        self.store.experiments[name] = "1"
        return "1"

    def create_run(self, experiment: str, tags: dict[str, str]) -> Any:
        run_id = f"run{len(self.store.runs)}"
        self.store.runs[run_id] = {"tags": tags, "metrics": [], "params": {}, "deleted": False}
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=run_id))

    def search_runs(self, experiments: list[str], words: str) -> list[Any]:
        name = words.split("'")[1]
        found = [k for k, r in self.store.runs.items() if r["tags"]["training"] == name and not r["deleted"]]
        return [types.SimpleNamespace(info=types.SimpleNamespace(run_id=run_id)) for run_id in found]

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        return [metric for metric in self.store.runs[run_id]["metrics"] if metric.key == key]

    def log_batch(self, run_id: str, metrics: list[Metric]) -> None:
        self.store.runs[run_id]["metrics"] += metrics

    def log_param(self, run_id: str, key: str, value: Any) -> None:
        self.store.runs[run_id]["params"][key] = value

    def delete_run(self, run_id: str) -> None:
        self.store.runs[run_id]["deleted"] = True


class TestMlflow:
    @pytest.fixture(autouse=True)
    def package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in for MLflow, which is not among the locked packages."""
        monkeypatch.setattr(Client, "store", Store())
        tracking, entities = types.ModuleType("mlflow.tracking"), types.ModuleType("mlflow.entities")
        tracking.MlflowClient = Client  # type: ignore[attr-defined]
        entities.Metric = Metric  # type: ignore[attr-defined]
        for module in (types.ModuleType("mlflow"), tracking, entities, types.ModuleType("sqlalchemy")):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
            monkeypatch.delenv(name, raising=False)

    def live(self) -> list[dict[str, Any]]:
        return [run for run in Client.store.runs.values() if not run["deleted"]]

    def test_each_epoch_is_logged_once_over_many_processes(self, tmp_path: Path) -> None:
        for epoch in range(1, 6):
            write_epoch_log(work(tmp_path), "main", LINES[:epoch])
            boards = Trackers(tmp_path, ["mlflow"], {"epochs": 5})
            boards.sync()
            boards.log(work(tmp_path))
        finish(tmp_path)
        Trackers(tmp_path, ["mlflow"]).sync()
        (run,) = self.live()
        losses = [(m.step, m.value, m.timestamp) for m in run["metrics"] if m.key == "loss/train"]
        assert losses == [(epoch, 1 / epoch, round(1e12) + 1000 * epoch) for epoch in range(1, 6)]
        assert run["params"] == {"epochs": 5}
        assert not any(metric.key == "loss/inner" for metric in run["metrics"])

    def test_a_training_that_began_anew_replaces_its_run(self, tmp_path: Path) -> None:
        write_epoch_log(work(tmp_path), "main", LINES)
        Trackers(tmp_path, ["mlflow"]).sync()
        write_epoch_log(work(tmp_path), "main", LINES[:2])
        Trackers(tmp_path, ["mlflow"]).sync()
        (run,) = self.live()
        assert [m.step for m in run["metrics"] if m.key == "loss/train"] == [1, 2]


def test_unknown_and_missing_boards_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'tensorboard'"):
        check_trackers(["tensorbord"])
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"headtohead\[mlflow\]"):
        check_trackers(["mlflow"])
