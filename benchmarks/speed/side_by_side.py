"""Run one script in two working trees in turn, and put the ratios of wall and CPU seconds side by side.

Not a benchmark by itself: the scripts next to it call `compare_trees`. Each measurement is a process of its own; the
trees take turns, so that other work on the machine meets both, and medians are taken.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

__all__ = ["Measured", "compare_trees", "run_command", "store"]

HERE = Path(__file__).resolve().parents[2]
RESULTS = HERE / "docs" / "speed.json"


@dataclass(frozen=True)
class Measured:
    """Seconds of one process and what it printed."""

    wall: float
    cpu: float
    out: str


def run_command(tree: Path, command: list[str], environment: dict[str, str] | None = None) -> Measured:
    """Run a Python command with the package of a working tree, and measure it with its children."""
    full = {**os.environ, "PYTHONPATH": str(tree / "src"), **(environment or {})}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], env=full, cwd=tree, capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):  # 1: severe findings of an audit
        raise SystemExit(f"{' '.join(command)} in {tree} failed:\n{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(wall, cpu, done.stdout)


def compare_trees(
    old: Path, script: Path, arguments: list[str], rounds: int
) -> tuple[Any, Any, dict[str, float]]:
    """Run a script that prints one line of JSON with `seconds` and `cpu` in both trees, in turns.

    Returns:
        The last answers of the old tree and of this one, and the ratios of medians, new over old.
    """
    answers: dict[Path, list[Any]] = {old: [], HERE: []}
    for _ in range(rounds):
        for tree, got in answers.items():
            got.append(json.loads(run_command(tree, [str(script), *arguments]).out.splitlines()[-1]))
    medians = {
        key: [median(one[key] for one in answers[tree]) for tree in (old, HERE)] for key in ("seconds", "cpu")
    }
    ratios = {key: new / before for key, (before, new) in medians.items()}
    return answers[old][-1], answers[HERE][-1], ratios


def store(name: str, row: dict[str, Any]) -> None:
    """Put a row into the file from which the tables of `docs/speed.md` are made, and make them."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known[name] = row
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    sys.path.insert(0, str(HERE))
    from docs.tools.speed_page import write_page

    write_page()
