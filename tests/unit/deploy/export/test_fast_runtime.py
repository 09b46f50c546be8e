"""A bundle on a faster runtime: the same answers, the graph made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.deploy.export import fast_runtime
from headtohead.deploy.export.fast_runtime import with_fast_runtime
from headtohead.deploy.model import DeployedModel

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")


def test_answers_stay_and_the_graph_is_made_once(
    model: DeployedModel, images: list[tuple[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_runtime, "cache_home", lambda: tmp_path)
    fast, choice = with_fast_runtime(model, "openvino", threads=1)
    assert choice.name == fast.runtime.name == "openvino" and model.runtime.name == "torch"
    for one, other in zip(fast.predict_bytes(images), model.predict_bytes(images), strict=True):
        assert (one.predicted, one.flags, one.set) == (other.predicted, other.flags, other.set)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
    monkeypatch.setattr(fast_runtime, "to_onnx", None)
    assert with_fast_runtime(model, "onnxruntime", threads=1)[1].name == "onnxruntime"
    assert {one.name for one in with_fast_runtime(model, threads=1)[1].checked} == {
        "torch",
        "openvino",
        "onnxruntime",
    }
    assert with_fast_runtime(fast)[0] is fast


def test_a_damaged_graph_in_the_cache_is_made_again(
    model: DeployedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_runtime, "cache_home", lambda: tmp_path)
    with_fast_runtime(model, "onnxruntime", threads=1)
    (path,) = tmp_path.rglob("*.onnx")
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    with_fast_runtime(model, "onnxruntime", threads=1)
    assert path.read_bytes() == whole
