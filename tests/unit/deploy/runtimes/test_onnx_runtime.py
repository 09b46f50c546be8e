"""How the threads of ONNX Runtime wait."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.tiny_model import tiny_graph

from headtohead.deploy.runtimes import onnx_runtime
from headtohead.deploy.runtimes.onnx_runtime import SPIN_MICROSECONDS, OnnxRuntime, _short_spins

ort: Any = pytest.importorskip("onnxruntime")
SHORT = _short_spins(ort.__version__)


@pytest.mark.parametrize(("policy", "entries"), [(None, []), ("ACTIVE", []), ("PASSIVE", [SHORT])])
def test_idle_threads_soon_sleep_where_the_process_asks_for_it(
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


@pytest.mark.parametrize(
    ("version", "entry"),
    [
        ("1.26.0", ("session.intra_op.spin_duration_us", SPIN_MICROSECONDS)),
        ("2.0", ("session.intra_op.spin_duration_us", SPIN_MICROSECONDS)),
        (
            "1.9.1",
            ("session.intra_op.allow_spinning", "0"),
        ),  # an unknown setting would be passed over in silence
    ],
)
def test_a_version_that_knows_no_short_spins_never_spins(version: str, entry: tuple[str, str]) -> None:
    assert _short_spins(version) == entry


@pytest.mark.parametrize(("asked", "quota", "threads"), [(0, 3, 3), (0, 0, 0), (2, 3, 2)])
def test_a_container_gets_no_more_threads_than_its_quota(
    asked: int, quota: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime itself looks at the cores that it sees."""
    monkeypatch.setattr(onnx_runtime, "quota_cores", lambda: quota)
    seen: list[int] = []
    make = ort.InferenceSession

    def noted(content: bytes, options: Any, **others: Any) -> Any:
        seen.append(options.intra_op_num_threads)
        return make(content, options, **others)

    monkeypatch.setattr(ort, "InferenceSession", noted)
    OnnxRuntime(tiny_graph(), asked)
    assert seen == [threads]
