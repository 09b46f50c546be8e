"""OpenVINO's files carry the document, and a change of either is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.planting.tiny_model import tiny_graph

from headtohead.core.errors import UsageError
from headtohead.deploy.export.int8 import to_int8
from headtohead.deploy.export.openvino_files import read_openvino, write_openvino
from headtohead.deploy.export.sealed import SealError
from headtohead.deploy.runtimes.onnx_runtime import OnnxRuntime
from headtohead.deploy.runtimes.openvino_runtime import OpenVinoRuntime

pytest.importorskip("openvino")
pytest.importorskip("onnxruntime")
DOCUMENT = '{"classes": ["<nein>", "\\"jä\\" & so"], "n": 1.5}'


@pytest.fixture(scope="module")
def graph() -> bytes:
    return tiny_graph()


def test_document_and_weights_come_back(graph: bytes, tmp_path: Path) -> None:
    write_openvino(graph, DOCUMENT, tmp_path / "m.xml")
    document, files = read_openvino(tmp_path / "m.xml")
    x = np.random.default_rng(0).normal(size=(3, 3, 24, 24)).astype(np.float32)
    np.testing.assert_allclose(OpenVinoRuntime(files).forward(x), OnnxRuntime(graph).forward(x), atol=1e-6)
    assert document == DOCUMENT and sorted(p.name for p in tmp_path.iterdir()) == ["m.bin", "m.xml"]


@pytest.mark.parametrize("name", ["m.xml", "m.bin"])
def test_a_changed_byte_of_either_file_is_refused(graph: bytes, tmp_path: Path, name: str) -> None:
    write_openvino(graph, DOCUMENT, tmp_path / "m.xml")
    whole = (tmp_path / name).read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 50)):
        changed = bytearray(whole)
        changed[place] ^= 0x04
        (tmp_path / name).write_bytes(changed)
        with pytest.raises(SealError):
            read_openvino(tmp_path / "m.xml")


def test_missing_weights_and_foreign_models_are_told(graph: bytes, tmp_path: Path) -> None:
    write_openvino(graph, DOCUMENT, tmp_path / "m.xml")
    (tmp_path / "m.bin").rename(tmp_path / "other.bin")
    with pytest.raises(SealError, match=r"m\.bin"):
        read_openvino(tmp_path / "m.xml")
    (tmp_path / "other.xml").write_text("<net/>")
    with pytest.raises(SealError, match="no description"):
        read_openvino(tmp_path / "other.xml")
    with pytest.raises(UsageError, match=r"\.xml"):
        write_openvino(graph, DOCUMENT, tmp_path / "m.onnx")


def test_int8_is_smaller_or_equal_in_answer_but_not_in_digits(graph: bytes) -> None:
    x = np.random.default_rng(0).normal(size=(9, 3, 24, 24)).astype(np.float32)
    small = to_int8(graph, {"images": x})
    whole, cut = OnnxRuntime(graph).forward(x), OnnxRuntime(small).forward(x)
    gap = np.abs(whole - cut).max() / np.abs(whole).max()
    assert 1e-6 < gap < 0.1
    with pytest.raises(UsageError, match="real images"):
        to_int8(graph, {"images": x[:0]})
