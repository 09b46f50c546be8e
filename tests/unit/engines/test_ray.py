"""The Ray engine: what it asks of a cluster (with a stand-in), and a real one of two nodes (slow)."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.engines.test_shards import FILES, Recorder, compare, plan

from headtohead.core.errors import MissingExtraError, RunFolderError, UsageError
from headtohead.core.progress import QUIET
from headtohead.engines import ray_cluster
from headtohead.engines.choose import get_engine
from headtohead.engines.ray_cluster import RayEngine
from headtohead.engines.tasks import CellTask, FeatureTask


class RayError(Exception):
    """As of `ray.exceptions`."""


class RayTaskError(RayError):
    """As of `ray.exceptions`."""

    cause: BaseException | None = None


class StandIn:
    """A cluster of one worker that does each task when its result is asked for."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, dies: str = "") -> None:
        self.dies, self.asked, self.cancelled = dies, [], []  # type: ignore[var-annotated]
        self.kept: list[Any] = []

    def is_initialized(self) -> bool:
        return True

    def nodes(self) -> list[dict[str, Any]]:
        kinds = ({"CPU": 8.0}, {"CPU": 4.0}, {"memory": 1.0})
        return [{"Alive": True, "Resources": kind} for kind in kinds] + [
            {"Alive": False, "Resources": {"CPU": 1.0, "GPU": 1.0}}
        ]

    def put(self, value: Any) -> int:
        self.kept.append(value)
        return len(self.kept) - 1

    def remote(self, function: Any) -> Any:
        def call(*given: Any) -> Any:
            self.asked.append((given[0], self.options))
            return lambda: function(*given)

        def options(**options: Any) -> Any:
            self.options = options
            return SimpleNamespace(remote=call)

        return SimpleNamespace(options=options)

    def wait(self, refs: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return refs[:num_returns], refs[num_returns:]

    def get(self, ref: Any) -> Any:
        if isinstance(ref, int):
            return self.kept[ref]
        if self.dies:
            raise RayError(self.dies)
        try:
            return ref()
        except Exception as error:
            told = RayTaskError()
            told.cause = error
            raise told from error

    def cancel(self, ref: Any, force: bool) -> None:
        self.cancelled.append(ref)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    ray = StandIn()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(ray_cluster, "_WORKS", {})
    return ray


def test_features_come_first_and_what_rests_on_others_last(stand_in: StandIn) -> None:
    work = Recorder()
    RayEngine().run(plan(2), work, QUIET)
    assert work.parts == [0, 1]
    assert set(work.done) == set(plan().cells)
    place = {task: number for number, task in enumerate(work.done)}
    for task in work.done:
        assert all(place[one] < place[task] for one in work.done if (one.contender in task.rests_on))
    assert len(stand_in.kept) == 1, "the work is sent once"


def test_tasks_with_a_network_ask_for_a_whole_node(stand_in: StandIn) -> None:
    RayEngine().run(plan(1), Recorder(), QUIET)
    for task, options in stand_in.asked:
        assert options["num_cpus"] == (4 if isinstance(task, FeatureTask) else 1)
        assert options["num_gpus"] == 0
        assert options["max_retries"] == ray_cluster.RETRIES


def test_an_error_of_a_task_is_told_and_the_rest_is_called_off(stand_in: StandIn) -> None:
    class Failing(Recorder):
        def cells(self, tasks: Any, reporter: object) -> None:
            raise UsageError("of the task")

    with pytest.raises(UsageError, match="of the task"):
        RayEngine().run(plan(), Failing(), QUIET)
    assert len(stand_in.cancelled) == 5, "six cells were asked for"
    assert {type(task) for task, _ in stand_in.asked} == {CellTask}


def test_a_worker_that_dies_each_time_is_one_clear_line(stand_in: StandIn) -> None:
    stand_in.dies = "out of memory"
    with pytest.raises(RunFolderError, match=r"worker died 4 times.*Finished work is kept"):
        RayEngine().run(plan(), Recorder(), QUIET)


def test_another_kind_of_machine_is_refused(stand_in: StandIn) -> None:
    class Elsewhere(Recorder):
        def machine(self) -> str:
            return "another"

    class Mixed(Recorder):
        def elsewhere(self) -> Recorder:
            return Elsewhere()

    with pytest.raises(RunFolderError, match="computes on another, this process on this"):
        RayEngine().run(plan(), Mixed(), QUIET)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"headtohead\[ray\]"):
        get_engine("ray")


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(UsageError, match="Unknown engine 'rays'; did you mean 'ray'"):
        get_engine("rays")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes on this machine, each a raylet with its own workers."""
    pytest.importorskip("ray", reason="needs the extra ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    found.add_node(num_cpus=1)
    monkeypatch.setenv("RAY_ADDRESS", found.address)
    try:
        yield found
    finally:
        found.shutdown()  # type: ignore[no-untyped-call]


def worker_pids() -> list[int]:
    """Return the processes that are computing a task of this test's cluster."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if title.startswith("ray::") and "IDLE" not in title and _descends(int(parent)):
                found.append(int(folder.name))
    return found


def _descends(pid: int) -> bool:
    """Return whether a process is a descendant of this one."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds workers through /proc")
@pytest.mark.filterwarnings("ignore")  # of ray
def test_two_nodes_and_a_killed_worker_give_the_digits_of_one_process(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.journeys.test_compare import make_images

    images = make_images(tmp_path / "images", per_class=12)
    names = "scratch:test_efficientnet,scratch:test_vit@finetune,ensemble(scratch:test_efficientnet,scratch:test_vit)"
    more = ("--set", "finetune.batch=8", "--epochs", "1")
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "another"))
    assert compare(images, tmp_path / "local", *more, names=names) == 0
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "cache"))
    killed: list[int] = []

    def kill_one() -> None:
        """Kill the first worker that is at a task."""
        while not killed:
            for pid in worker_pids()[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            time.sleep(0.05)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    assert compare(images, tmp_path / "ray", *more, "--engine", "ray", names=names) == 0
    assert killed, "a worker was killed while it was at a task"
    for name in FILES:
        assert (tmp_path / "local" / name).read_bytes() == (tmp_path / "ray" / name).read_bytes(), name
