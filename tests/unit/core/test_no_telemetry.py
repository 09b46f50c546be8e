"""Nothing that is used reports anything to its makers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONVERT = """
import numpy as np, onnx, os, sys, time
from onnx import TensorProto, helper
forked = []
os.register_at_fork(before=lambda: forked.append(1))
{first}
from headtohead.core.optional import require
before = len(forked)
openvino = require("openvino", "openvino", "test")
graph = helper.make_graph(
    [helper.make_node("Relu", ["x"], ["y"])], "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
)
onnx.save(helper.make_model(graph), sys.argv[1])
model = openvino.convert_model(sys.argv[1])
assert openvino.compile_model(model, "CPU")(np.full((1, 3), -1, np.float32))[0].tolist() == [[0.0, 0.0, 0.0]]
time.sleep(1)  # reports are sent from a thread
print(len(forked) - before)
"""


def converted(first: str, home: Path) -> str:
    """Convert a network with OpenVINO outside a CI job, where it would report, and return how often it forked."""
    # Reports are sent by a forked process, and never in what looks like a CI job.
    of_ci = {"CI", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS", "GITLAB_CI", "TRAVIS", "CIRCLECI"}
    environment = {name: value for name, value in os.environ.items() if name not in of_ci}
    done = subprocess.run(
        [sys.executable, "-c", CONVERT.format(first=first), home / "model.onnx"],
        env={
            **environment,
            "HOME": str(home),
            "LOCALAPPDATA": str(home),
            "https_proxy": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="reports are sent by a fork, which Windows has not")
def test_openvino_reports_no_conversion(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    assert converted("", tmp_path) == "0"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.onnx"]  # and leaves no identifier


@pytest.mark.skipif(sys.platform == "win32", reason="reports are sent by a fork, which Windows has not")
def test_openvino_reports_nothing_more_where_the_caller_imported_it(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    assert converted("import openvino; time.sleep(1)", tmp_path) == "0"


def test_ray_and_mlflow_are_told_before_they_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    from headtohead.core.optional import keep_private

    for name in ("RAY_USAGE_STATS_ENABLED", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        monkeypatch.delenv(name, raising=False)
    keep_private("ray")
    keep_private("mlflow")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true" and os.environ["DO_NOT_TRACK"] == "true"


@pytest.mark.parametrize("module", ["onnxruntime", "onnxruntime.quantization"])
def test_onnx_runtime_is_told(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from headtohead.core.optional import require

    onnxruntime = pytest.importorskip("onnxruntime")
    told: list[bool] = []
    monkeypatch.setattr(onnxruntime, "disable_telemetry_events", lambda: told.append(True))
    require(module, "onnx", "run models")
    assert told == [True]
