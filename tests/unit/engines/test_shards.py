"""Shards share a run folder, keep out of each other's way, and the gathered run has the digits of one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock
from tests.journeys.test_compare import make_images

from headtohead.backbones.features.views import FeatureView
from headtohead.cli.app import main
from headtohead.core.errors import RunFolderError, UsageError
from headtohead.core.progress import QUIET
from headtohead.core.run_folder import LOCKS, RunFolder
from headtohead.engines.shard import Shard, refuse_running_shards, run_shard
from headtohead.engines.tasks import CellTask, FeatureTask, WorkPlan
from headtohead.studies.cells import plan_work

SINGLE = "scratch:test_efficientnet"
NAMES = f"{SINGLE},seeds({SINGLE}@mlp,2),ensemble({SINGLE},scratch:test_vit)"
FILES = (
    "predictions.parquet",
    "inner.parquet",
    "scores.json",
    "comparisons.json",
    "verdict.json",
    "folds.parquet",
)


def plan(features: int = 0) -> WorkPlan:
    tasks = tuple(FeatureTask("net", FeatureView(), part, features) for part in range(features))
    first = tuple(CellTask(name, place) for name in "ab" for place in range(3))
    repeats = tuple(CellTask("seeds(a)", place, rests_on=("a",)) for place in range(3))
    joined = tuple(CellTask("a+b", place, rests_on=("a", "b")) for place in range(3))
    return WorkPlan(tasks, (first, repeats, joined))


class Recorder:
    """Work that notes what it was asked for, and looks around while it is at it."""

    def __init__(self, meanwhile: object = None) -> None:
        self.parts: list[int] = []
        self.done: list[CellTask] = []
        self.meanwhile = meanwhile

    def features(self, task: FeatureTask, reporter: object) -> None:
        self.parts.append(task.part)
        if callable(self.meanwhile):
            self.meanwhile(task)

    def cells(self, tasks: Sequence[CellTask], reporter: object) -> None:
        self.done += tasks

    def elsewhere(self) -> Recorder:
        return self

    def machine(self) -> str:
        return "this"

    def check_folder(self, host: str) -> None: ...


def test_shards_deal_out_every_cell_once_and_leave_what_lies_in_two_shards() -> None:
    for count in (1, 2, 3, 4, 7):
        shares = [Shard(index, count).cells_of(plan()) for index in range(1, count + 1)]
        done = [task for share in shares for task in share]
        assert len(done) == len(set(done))
        assert set(plan().waves[0]) | set(plan().waves[1]) <= set(done)
        for share in shares:
            have = {(task.contender, task.place) for task in share}
            assert all((name, task.place) in have for task in share for name in task.rests_on)
    assert set(Shard(1, 1).cells_of(plan())) == set(plan().cells)
    assert len({task for i in (1, 2) for task in Shard(i, 2).cells_of(plan())}) < len(plan().cells)


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected I/N"):
        Shard.parse(text)


def test_parts_of_the_features_are_taken_by_whoever_is_free(tmp_path: Path) -> None:
    run, other = RunFolder(tmp_path), Recorder()
    second = Thread(target=run_shard, args=(Shard(2, 2), plan(4), other, run, QUIET))

    def meanwhile(task: FeatureTask) -> None:
        if task.part == 0:
            second.start()
            while len(other.parts) < 3:
                time.sleep(0.01)

    mine = Recorder(meanwhile)
    run_shard(Shard(1, 2), plan(4), mine, run, QUIET)
    second.join()
    # The second begins at its own place and goes round; part 0 is being computed, so it comes last, when it is free.
    assert other.parts == [2, 3, 1, 0]
    assert mine.parts == [0, 1, 2, 3]


def test_a_shard_at_work_keeps_out_its_double_other_counts_and_the_whole_run(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with Shard(1, 3).lock(run), Shard(2, 3).lock(run):
        with pytest.raises(RunFolderError, match="shard-1-of-3, shard-2-of-3"):
            refuse_running_shards(run)
        with pytest.raises(RunFolderError, match="another number of shards"), Shard(1, 2).lock(run):
            pass
    refuse_running_shards(run)
    held = FileLock(run / ".lock")
    with held, pytest.raises(RunFolderError, match="in use by another"), Shard(1, 3).lock(run):
        pass


def test_the_same_shard_twice_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from headtohead.core.run_folder import RunFolder\n"
        "from headtohead.engines.shard import Shard\n"
        "with Shard(1, 2).lock(RunFolder(Path(sys.argv[1]))):\n    print('at work', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        other.stdout.readline()
        with (
            pytest.raises(RunFolderError, match="at work in another process"),
            Shard(1, 2).lock(RunFolder(tmp_path)),
        ):
            pass
        other.kill()
        other.wait()
        other.stdin.close()
    with Shard(1, 2).lock(RunFolder(tmp_path)):  # a lock dies with its process
        pass


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("shards") / "images", per_class=12)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("headtohead.engines.shard._LOOKING_SECONDS", 0.2)
    yield


def compare(images: Path, out: Path, *more: str, names: str = NAMES) -> int:
    quick = ("--folds", "2", "--repeats", "1", "--recipe", "none", "--n-boot", "100")
    return main(["compare", str(images), "-c", names, "--out", str(out), *quick, *more])


@pytest.mark.slow
def test_gathered_shards_have_the_digits_of_one_process(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "another"))
    assert compare(images, whole) == 0
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "cache"))
    for shard in ("2/2", "1/2"):
        assert compare(images, parts, "--shard", shard) == 0
        assert f"Shard {shard} is done" in capsys.readouterr().out
        assert not (parts / "predictions.parquet").exists()
    cells = {path.relative_to(parts) for path in parts.glob("cells/*/*.json")}
    assert len(cells) >= 8
    assert compare(images, parts) == 0
    for name in FILES:
        assert (whole / name).read_bytes() == (parts / name).read_bytes(), name
    assert not (parts / LOCKS).exists()
    assert {path.relative_to(whole) for path in whole.rglob("*")} == {
        path.relative_to(parts) for path in parts.rglob("*")
    }


def test_other_settings_are_refused_by_a_shard(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(images, tmp_path / "run", "--shard", "1/2", names=SINGLE) == 0
    assert compare(images, tmp_path / "run", "--shard", "2/2", "--seed", "3", names=SINGLE) == 1
    assert "made with another configuration" in capsys.readouterr().err
    assert compare(images, tmp_path / "run", "--shard", "2/2", "--engine", "ray", names=SINGLE) == 2
    assert "--engine has no effect with --shard" in capsys.readouterr().err


# Kills itself in the first cell that it fits, or while features are being computed.
KILLED = """
import os, signal, sys
import headtohead.heads.cross_validation as cells
import headtohead.backbones.features.feature_cache as rows
from headtohead.cli.app import main

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "cell":
    cells.write_cell = die
else:
    rows.FeatureCache.add = die
main(sys.argv[2:])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.slow  # a minute each; the digits of gathered shards are compared in the fast set
@pytest.mark.parametrize("place", ["cell", "rows"])
def test_a_killed_shard_loses_nothing(images: Path, tmp_path: Path, place: str) -> None:
    mlp = f"{SINGLE}@mlp"
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    command = [
        "compare", str(images), "-c", mlp, "--out", str(cut), "--folds", "2", "--repeats", "1",
        "--recipe", "none", "--n-boot", "100", "--shard", "1/2",
    ]  # fmt: skip
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, place, *command],
        env=os.environ.copy(),
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert compare(images, cut, "--shard", "2/2", names=mlp) == 0  # the dead shard's lock is free
    assert compare(images, cut, "--shard", "1/2", names=mlp) == 0
    assert compare(images, cut, names=mlp) == 0
    assert compare(images, whole, names=mlp) == 0
    for name in FILES:
        assert (whole / name).read_bytes() == (cut / name).read_bytes(), name


def test_only_cells_that_train_a_network_count_as_trainings() -> None:
    def one(name: str, *members: str, kind: str = "single", tuned: bool = False) -> SimpleNamespace:
        spec = SimpleNamespace(kind=kind)
        return SimpleNamespace(name=name, mode=None, members=members, is_tuned=tuned, spec=spec, records=())

    contenders = [
        one("a", tuned=True),
        one("b"),
        one("seeds", "a", kind="seeds"),
        one("joined", "a", "b", kind="ensemble"),
    ]
    plan: Any = SimpleNamespace(contenders=contenders)
    tasks = [task for wave in plan_work(plan, [c.name for c in contenders], 1, 1).waves for task in wave]
    assert {task.contender for task in tasks if task.trains} == {"a", "seeds"}
