"""Idle threads of OpenMP soon sleep in a server, unless the user says otherwise; it is set before torch is loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from headtohead.serve.process import BETWEEN_LAYERS, POLICY, SPINS, wait_briefly


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, {POLICY: "PASSIVE", SPINS: BETWEEN_LAYERS}),
        ({POLICY: "passive"}, {POLICY: "passive", SPINS: BETWEEN_LAYERS}),  # as the command line sets it
        ({POLICY: "ACTIVE"}, {POLICY: "ACTIVE"}),
        ({SPINS: "7"}, {POLICY: "PASSIVE", SPINS: "7"}),
    ],
)
def test_the_users_choice_stays(
    chosen: dict[str, str], found: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (POLICY, SPINS):
        monkeypatch.setenv(name, "")  # so that what the function sets is undone as well
        monkeypatch.delenv(name)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    wait_briefly()
    assert {name: os.environ[name] for name in (POLICY, SPINS) if name in os.environ} == found


def test_serve_sets_it_before_torch_is_loaded() -> None:
    code = (
        "import os, sys\n"
        "from headtohead.core.errors import HeadToHeadError\n"
        "from headtohead.api.serving import serve\n"
        "assert 'torch' not in sys.modules\n"
        "try:\n    serve('nowhere', port=0)\n"
        f"except HeadToHeadError:\n    print(os.environ['{POLICY}'], os.environ['{SPINS}'])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={k: v for k, v in os.environ.items() if k not in (POLICY, SPINS)},
    )  # fmt: skip
    assert told.stdout.split() == ["PASSIVE", BETWEEN_LAYERS]
