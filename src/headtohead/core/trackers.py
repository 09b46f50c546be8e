"""Curves for TensorBoard and MLflow, made from the lines that trainings leave.

Both follow from the lines alone: what a board holds already is compared with them, and only what is
missing is added. So a run that was killed, even between two epochs, goes on without a doubled point.
Nothing that is scored goes there, and nothing leaves the machine: MLflow's telemetry is switched off.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headtohead.core.epoch_log import read_epoch_log
from headtohead.core.errors import RunFolderError, unknown_name
from headtohead.core.optional import keep_private, require

__all__ = ["TRACKERS", "Trackers", "check_trackers"]

TRACKERS = ("tensorboard", "mlflow")
TITLES = {"tensorboard": "TensorBoard", "mlflow": "MLflow"}
NEEDS = {"tensorboard": "tensorboard", "mlflow": "mlflow.tracking"}
VALUES = {
    "loss/train": "train_loss",
    "loss/inner": "inner_loss",
    "accuracy/train": "train_accuracy",
    "accuracy/inner": "inner_accuracy",
    "learning_rate": "learning_rate",
    "images_per_second": "images_per_second",
}
# A training names a folder of its board: no part of it may lead elsewhere.
_PLAIN_NAME = re.compile(r"[\w@+=,-]+(?:[./ ][\w@+=,-]+)*", re.ASCII)
Line = Mapping[str, Any]
Tracker = Callable[[str, Sequence[Line]], None]


def check_trackers(names: Sequence[str]) -> None:
    """Refuse boards that do not exist or are not installed.

    Raises:
        UnknownNameError: none of `TRACKERS`. MissingExtraError: the board's package is not installed.
    """
    for name in names:
        if name not in TRACKERS:
            raise unknown_name("board for --log", name, TRACKERS)
        keep_private("mlflow")
        require(NEEDS[name], name, f"show curves in {TITLES[name]}")


class Trackers:
    """The boards of one run folder.

    Args:
        run: the run folder; TensorBoard reads `run/tensorboard`, MLflow `sqlite:///run/mlflow.sqlite`.
        names: of `TRACKERS`.
        facts: settings of the run, kept with each of MLflow's runs.

    Raises:
        UnknownNameError: another name. MissingExtraError: a board's package is not installed.
    """

    def __init__(self, run: Path, names: Sequence[str], facts: Mapping[str, Any] | None = None) -> None:
        self._run = run
        makers: dict[str, Callable[[], Tracker]] = {
            "tensorboard": lambda: TensorBoard(run / "tensorboard").show,
            "mlflow": lambda: MlFlow(run, facts or {}).show,
        }
        check_trackers(names)
        self._boards = [makers[name]() for name in dict.fromkeys(names)]

    def sync(self) -> None:
        """Show what earlier processes left, of finished cells and of unfinished ones."""
        found = [*self._run.glob("training/*/*.jsonl"), *self._run.glob("cells/*/*.work/metrics.jsonl")]
        for path in sorted(found) if self._boards else ():
            self.log(path)

    def log(self, path: Path) -> None:
        """Show the lines of one cell."""
        cell = path.parent.stem if path.name == "metrics.jsonl" else path.stem
        contender = path.relative_to(self._run).parts[1]
        lines = read_epoch_log(path)
        for training in dict.fromkeys(line["training"] for line in lines):
            if not _PLAIN_NAME.fullmatch(str(training)):
                raise RunFolderError(
                    f"{path.name} names a training {str(training)[:80]!r}; expected words of letters and digits. The "
                    "run folder is damaged, or was changed."
                )
            own = [line for line in lines if line["training"] == training]
            for board in self._boards:
                board(f"{contender}/{cell}/{training}", own)


class TensorBoard:
    """Event files, one for each training: a function of its lines, byte for byte."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._events = require("tensorboard.compat.proto.event_pb2", "tensorboard", "write for TensorBoard")
        self._summary = require(
            "tensorboard.compat.proto.summary_pb2", "tensorboard", "write for TensorBoard"
        )
        self._records = require(
            "tensorboard.summary.writer.record_writer", "tensorboard", "write for TensorBoard"
        )

    def show(self, name: str, lines: Sequence[Line]) -> None:
        """Add to the training's file what is not there yet; a file that is not its beginning is replaced."""
        import io

        buffer = io.BytesIO()
        writer = self._records.RecordWriter(buffer)
        # Readers of TensorBoard ask for the version in the first event.
        first = self._events.Event(wall_time=lines[0]["time"], file_version="brain.Event:2")
        for event in (first, *map(self._event, lines)):
            writer.write(event.SerializeToString(deterministic=True))
        # TensorBoard lists files with "tfevents" in their names.
        path, content = self._folder / name / "events.out.tfevents.0.headtohead", buffer.getvalue()
        old = path.read_bytes() if path.is_file() else b""
        is_begun = bool(old) and content.startswith(old)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written in place: TensorBoard would read the temporary file that a kill leaves of a whole one,
        # and a torn file is made whole by the next comparison.
        with path.open("ab" if is_begun else "wb") as file:
            file.write(content[len(old) :] if is_begun else content)

    def _event(self, line: Line) -> Any:
        values = [
            self._summary.Summary.Value(tag=tag, simple_value=line[key])
            for tag, key in VALUES.items()
            if line.get(key) is not None
        ]
        summary = self._summary.Summary(value=values)
        return self._events.Event(wall_time=line["time"], step=line["epoch"], summary=summary)


class MlFlow:
    """Runs in an SQLite store in the run folder, one for each training."""

    def __init__(self, run: Path, facts: Mapping[str, Any]) -> None:
        keep_private("mlflow")
        tracking = require("mlflow.tracking", "mlflow", "write for MLflow")
        require("sqlalchemy", "mlflow", "keep MLflow's runs in SQLite")
        for name in ("mlflow", "alembic"):  # they tell every step of making the store
            logging.getLogger(name).setLevel(logging.WARNING)
        self._entities = require("mlflow.entities", "mlflow", "write for MLflow")
        run.mkdir(parents=True, exist_ok=True)
        self._client = tracking.MlflowClient(f"sqlite:///{(run / 'mlflow.sqlite').resolve()}")
        name = run.resolve().name
        found = self._client.get_experiment_by_name(name)
        place = (run / "mlflow-artifacts").resolve().as_uri()
        self._experiment = found.experiment_id if found else self._client.create_experiment(name, place)
        self._facts = facts
        self._runs: dict[str, str] = {}
        self._shown: dict[str, list[Line]] = {}

    def show(self, name: str, lines: Sequence[Line]) -> None:
        """Log the epochs that the training's run does not hold; a run of other lines is replaced."""
        old = self._shown.get(name)
        if old == list(lines):
            return
        run_id = self._runs.get(name) or self._found(name) or self._created(name)
        steps = self._steps(run_id)
        if steps != [line["epoch"] for line in lines][: len(steps)]:
            self._client.delete_run(run_id)
            run_id, steps = self._created(name), []
        self._runs[name] = run_id
        for line in lines[len(steps) :]:
            self._client.log_batch(run_id, metrics=self._metrics(line))
        self._shown[name] = list(lines)

    def _steps(self, run_id: str) -> list[int]:
        history = self._client.get_metric_history(run_id, "loss/train")  # which every epoch has
        return sorted(metric.step for metric in history)

    def _metrics(self, line: Line) -> list[Any]:
        when = round(line["time"] * 1000)  # MLflow counts milliseconds
        return [
            self._entities.Metric(tag, float(line[key]), when, line["epoch"])
            for tag, key in VALUES.items()
            if line.get(key) is not None
        ]

    def _found(self, name: str) -> str | None:
        runs = self._client.search_runs([self._experiment], f"tags.training = '{name}'")
        return runs[0].info.run_id if runs else None

    def _created(self, name: str) -> str:
        tags = {"training": name, "mlflow.runName": name}
        run = self._client.create_run(self._experiment, tags=tags)
        for key, value in self._facts.items():
            self._client.log_param(run.info.run_id, key, value)
        return str(run.info.run_id)
