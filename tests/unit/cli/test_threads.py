"""Threads that wait must not hold a core that another process could use."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
import sys
from headtohead.cli import main

sys.argv = ["headtohead", "--version"]
try:
    main()
except SystemExit:
    import torch
"""


@pytest.mark.parametrize(("stated", "heard"), [(None, "PASSIVE"), ("active", "ACTIVE")])
@pytest.mark.slow
def test_openmp_hears_that_waiting_threads_give_their_core_away_unless_the_user_says_otherwise(
    stated: str | None, heard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("OMP_DISPLAY_ENV", "true")
    if stated is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", stated)
    done = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True, timeout=120
    )
    if "OMP_WAIT_POLICY" not in done.stderr:
        pytest.skip("this build of torch brings no OpenMP that tells its settings")
    assert f"OMP_WAIT_POLICY = '{heard}'" in done.stderr
