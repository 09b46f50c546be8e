"""How the threads of ONNX Runtime wait."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.tiny_model import tiny_graph

from headtohead.deploy.runtimes.onnx_runtime import OnnxRuntime

ort: Any = pytest.importorskip("onnxruntime")
SPINNING = "session.intra_op.allow_spinning"


@pytest.mark.parametrize(("policy", "entries"), [(None, []), ("ACTIVE", []), ("PASSIVE", [(SPINNING, "0")])])
def test_idle_threads_sleep_where_the_process_asks_for_it(
    policy: str | None, entries: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    add = ort.SessionOptions.add_session_config_entry

    def noted(self: Any, key: str, value: str) -> None:
        asked.append((key, value))
        add(self, key, value)

    monkeypatch.setattr(ort.SessionOptions, "add_session_config_entry", noted)
    if policy is None:
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    else:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    OnnxRuntime(tiny_graph())
    assert asked == entries
