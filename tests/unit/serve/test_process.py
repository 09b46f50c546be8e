"""Idle threads of OpenMP sleep in a server, unless the user says otherwise, and the setting comes before torch."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from headtohead.serve.process import POLICY, wait_passively


def test_the_users_choice_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POLICY, "ACTIVE")
    wait_passively()
    assert os.environ[POLICY] == "ACTIVE"


def test_serve_sets_it_before_torch_is_loaded() -> None:
    code = (
        "import os, sys\n"
        "from headtohead.core.errors import HeadToHeadError\n"
        "from headtohead.api.serving import serve\n"
        "assert 'torch' not in sys.modules\n"
        "try:\n    serve('nowhere', port=0)\n"
        "except HeadToHeadError:\n    print(os.environ['OMP_WAIT_POLICY'])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={k: v for k, v in os.environ.items() if k != POLICY},
    )  # fmt: skip
    assert told.stdout.split() == ["PASSIVE"]
