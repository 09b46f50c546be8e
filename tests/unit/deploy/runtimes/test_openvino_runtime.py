"""OpenVINO computes in float32 unless told otherwise, from any number of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.planting.tiny_model import tiny_graph

from headtohead.deploy.runtimes.onnx_runtime import OnnxRuntime
from headtohead.deploy.runtimes.openvino_runtime import OpenVinoRuntime

pytest.importorskip("openvino")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def content() -> bytes:
    return tiny_graph()


def test_computes_in_float32(content: bytes) -> None:
    assert "float32" in OpenVinoRuntime(content).precision


@pytest.mark.parametrize("kind", [OpenVinoRuntime, OnnxRuntime])
def test_threads_do_not_mix_their_answers_up(
    content: bytes, kind: type[OpenVinoRuntime] | type[OnnxRuntime]
) -> None:
    runtime = kind(content, threads=1)
    batches = [np.full((1 + i % 3, 3, 24, 24), i / 20, np.float32) for i in range(40)]
    alone = [runtime.forward(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = [*pool.map(runtime.forward, batches)]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.float32 and one.shape[1] == 2
