"""A bundle on a faster runtime: the same answers, the graph made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headtohead.deploy.export import fast_runtime
from headtohead.deploy.export.fast_runtime import with_fast_runtime
from headtohead.deploy.model import DeployedModel

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of graphs that the tests of this file share."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_runtime, "cache_home", lambda: folder)
        yield folder


@pytest.fixture(scope="module")
def fast(model: DeployedModel, cache: Path) -> DeployedModel:
    """The model in OpenVINO."""
    found, choice = with_fast_runtime(model, "openvino", threads=1)
    assert choice.name == found.runtime.name == "openvino" and model.runtime.name == "torch"
    assert len([*cache.rglob("*.onnx")]) == 1
    return found


def test_answers_stay(model: DeployedModel, fast: DeployedModel, images: list[tuple[str, bytes]]) -> None:
    for one, other in zip(fast.predict_bytes(images), model.predict_bytes(images), strict=True):
        assert (one.predicted, one.flags, one.set) == (other.predicted, other.flags, other.set)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_the_graph_is_made_once(
    model: DeployedModel, fast: DeployedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_runtime, "to_onnx", None)
    assert with_fast_runtime(model, "onnxruntime", threads=1)[1].name == "onnxruntime"
    checked = {one.name for one in with_fast_runtime(model, threads=1)[1].checked}
    assert checked == {"torch", "openvino", "onnxruntime"}
    assert with_fast_runtime(fast)[0] is fast


def test_a_cache_that_cannot_be_written_is_done_without(
    model: DeployedModel, fast: DeployedModel, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del fast
    (graph,) = cache.rglob("*.onnx")
    content = graph.read_bytes()

    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(fast_runtime, "write_atomic", refuse)
    try:
        graph.unlink()
        assert with_fast_runtime(model, "onnxruntime", threads=1)[1].name == "onnxruntime"
        assert not graph.exists()
    finally:
        graph.write_bytes(content)


def test_the_torch_network_stays_for_maps(model: DeployedModel, fast: DeployedModel) -> None:
    assert fast.network is model.network


def test_a_damaged_graph_in_the_cache_is_made_again(
    model: DeployedModel, fast: DeployedModel, cache: Path
) -> None:
    del fast  # it has filled the cache
    (path,) = cache.rglob("*.onnx")
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    with_fast_runtime(model, "onnxruntime", threads=1)
    assert path.read_bytes() == whole
