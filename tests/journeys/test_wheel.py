"""The built wheel, alone in an empty environment, runs the demo: it uses nothing that it does not declare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONG = 3600  # seconds: the packages of a first installation come over the network


def call(*command: str | Path, cwd: Path) -> str:
    """Return what a command printed; its own words are the failure message."""
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=inherited,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.slow
def test_the_wheel_runs_the_demo_in_an_empty_environment(tmp_path: Path) -> None:
    built = tmp_path / "dist"
    call(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", built, ROOT,
        cwd=tmp_path,
    )  # fmt: skip
    (wheel,) = built.glob("headtohead-*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    caps = ROOT / "requirements" / "caps.txt"
    call(python, "-m", "pip", "install", "--quiet", "--constraint", caps, f"{wheel}[demo]", cwd=tmp_path)
    place = call(python, "-c", "import headtohead; print(headtohead.__file__)", cwd=tmp_path)
    assert Path(place.strip()).is_relative_to(tmp_path / "venv")
    out = tmp_path / "demo"
    printed = call(python.with_name("headtohead"), "demo", "--out", out, "--images", "60", cwd=tmp_path)
    verdict = json.loads((out / "run" / "verdict.json").read_text())
    assert {"efficientnet-lite0", "dinov2-small"} <= {score["contender"] for score in verdict["scores"]}
    assert (out / "run" / "report.html").stat().st_size > 10_000
    assert "research" in (out / "run" / "report.html").read_text().lower()
    assert "synthetic" in printed
