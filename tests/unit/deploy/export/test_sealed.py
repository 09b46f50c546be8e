"""ONNX files with a document and a seal."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from headtohead.deploy.export.sealed import SealError, read_sealed, seal

DOCUMENT = '{"classes": ["nein", "jä"]}'


@pytest.fixture(scope="module")
def graph() -> bytes:
    one = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3])
    two = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])
    body = helper.make_graph([helper.make_node("Relu", ["images"], ["logits"])], "g", [one], [two])
    content: bytes = helper.make_model(body).SerializeToString()
    return content


def test_stays_a_valid_onnx_file_whose_metadata_is_the_document(graph: bytes) -> None:
    model = onnx.load_from_string(seal(graph, DOCUMENT))
    onnx.checker.check_model(model)
    assert {entry.key: entry.value for entry in model.metadata_props}["headtohead"] == DOCUMENT
    assert model.graph == onnx.load_from_string(graph).graph


def test_gives_the_document_back(graph: bytes) -> None:
    assert read_sealed(seal(graph, DOCUMENT)) == DOCUMENT


def test_every_changed_byte_is_refused(graph: bytes) -> None:
    whole = seal(graph, DOCUMENT)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x10
        with pytest.raises(SealError):
            read_sealed(bytes(changed))


def test_a_truncated_file_is_refused(graph: bytes) -> None:
    whole = seal(graph, DOCUMENT)
    for length in range(0, len(whole), 7):
        with pytest.raises(SealError):
            read_sealed(whole[:length])


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff" * 30])
def test_other_files_are_refused_by_name(content: bytes) -> None:
    with pytest.raises(SealError, match=r"^model\.onnx "):
        read_sealed(content, "model.onnx")


def test_a_foreign_onnx_file_is_told_apart_from_a_damaged_one(graph: bytes) -> None:
    with pytest.raises(SealError, match="without headtohead's description"):
        read_sealed(graph)


@pytest.mark.parametrize("more", ["document", "document and seal", "graph"])
def test_nothing_may_follow_the_seal(graph: bytes, more: str) -> None:
    whole, other = seal(graph, DOCUMENT), seal(graph, '{"classes": ["yes", "no"]}')
    behind = {
        "document": other[len(graph) :].partition(b"headtohead.sha256")[0],
        "document and seal": other[len(graph) :],
        "graph": graph,
    }[more]
    with pytest.raises(SealError):
        read_sealed(whole + behind)
