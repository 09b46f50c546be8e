"""Fine-tuning killed for good (SIGKILL, nothing can catch it) and gone on with: the same bytes as without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.test_compare import make_images

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

# A process that has loaded everything and forks for each line: a process of its own that calls the
# command and kills itself the n-th time it comes to a place.
SERVER = """
import json, os, signal, sys
import pandas, scipy.stats, sklearn.linear_model, timm, torch
import headtohead.studies.comparison
from headtohead.cli.app import main
from headtohead.training import trainer as training

step, save = training.Trainer._step, training.save_checkpoint

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def counted(here):
    global left
    left -= here == place
    return here == place and left == 0

def new_step(*given):
    if counted("step"):
        die()
    return step(*given)

def new_save(*given):
    if counted("saving"):  # the bytes lie in a file of their own, which has not yet taken the old one's place
        os.fsync = die
    save(*given)
    if counted("saved"):
        die()

training.Trainer._step, training.save_checkpoint = new_step, new_save
training.CHECKPOINT_SECONDS = 0.0  # after each epoch; by time, these short epochs would have none
for line in sys.stdin:
    place, left, said, command = json.loads(line)
    child = os.fork()
    if child == 0:
        sys.stdout = sys.stderr = open(said, "w")
        status = main(command)
        sys.stdout.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Machine:
    """Runs the command in processes of its own."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        assert server.stdin is not None and server.stdout is not None
        self.data, self.said = make_images(folder / "images", per_class=12), folder / "said.txt"
        self._ask, self._answers = server.stdin, server.stdout

    def call(self, out: Path, contender: str, dies: str = "never:0") -> int:
        """Return the exit status of one call, negative for a signal."""
        command = [
            "compare", str(self.data), "-c", contender, "--out", str(out), "--folds", "2", "--repeats", "1",
            "--epochs", "1", "--set", "finetune.batch=8", "--recipe", "none",
        ]  # fmt: skip
        place, _, number = dies.partition(":")
        print(json.dumps([place, int(number), str(self.said), command]), file=self._ask, flush=True)
        status = int(self._answers.readline())
        assert status in (0, -signal.SIGKILL), self.said.read_text(encoding="utf-8")
        return status


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    command = [sys.executable, "-c", SERVER]
    environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield Machine(server, tmp_path)
        assert server.stdin is not None
        server.stdin.close()


def curves(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of each training without what a clock says."""
    found = {}
    for path in sorted(out.glob("training/*/*.jsonl")):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        timed = ("seconds", "time", "images_per_second")
        found[str(path.relative_to(out))] = [
            {k: v for k, v in line.items() if k not in timed} for line in lines
        ]
    return found


# With two steps an epoch, three epochs and two folds: in the second epoch of the first fold; while its
# checkpoint is being written; after that of the second fold's first epoch, before the next.
KILLS = ["step:4", "saving:1", "saved:2"]


def check(machine: Machine, folder: Path, contender: str) -> None:
    """Run once undisturbed and once with kills, each time going on with the same command."""
    whole, cut = folder / "whole", folder / "cut"
    assert machine.call(whole, contender) == 0
    for dies in KILLS:
        assert machine.call(cut, contender, dies) == -signal.SIGKILL, dies
        assert not (cut / "predictions.parquet").exists()
    assert machine.call(cut, contender) == 0
    for name in ("predictions.parquet", "scores.json", "verdict.json"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes(), name
    assert curves(whole) == curves(cut)
    # two folds, in each three rates and the final training, three epochs (from scratch learns for longer than the
    # one that is asked for), each once
    assert sum(map(len, curves(cut).values())) == 2 * (3 + 1) * 3
    files = [{path.relative_to(out) for path in out.rglob("*")} for out in (whole, cut)]
    assert files[0] == files[1], "a kill leaves nothing behind"


@pytest.mark.slow
def test_a_killed_fine_tuning_goes_on_to_the_same_bytes(machine: Machine, tmp_path: Path) -> None:
    check(machine, tmp_path, "scratch:test_efficientnet@finetune")


@pytest.mark.slow
@pytest.mark.parametrize("network", ["inception_resnet_v2", "vit_base_patch16_224"])
def test_networks_of_full_size_go_on_to_the_same_bytes(
    machine: Machine, tmp_path: Path, network: str
) -> None:
    check(machine, tmp_path, f"scratch:{network}@finetune")
