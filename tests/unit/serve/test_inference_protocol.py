"""The Open Inference Protocol: the addresses, JSON and binary tensors, and its errors."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import numpy as np
import pytest
from tests.unit.serve.conftest import Client, FakeModel, in_thread, png

from headtohead.serve.app import build_app
from headtohead.serve.settings import ServeSettings


def request_of(*contents: bytes, **changes: Any) -> dict[str, Any]:
    data = [base64.b64encode(content).decode() for content in contents]
    tensor = {"name": "image", "shape": [len(data)], "datatype": "BYTES", "data": data} | changes
    return {"id": "7", "inputs": [tensor]}


def test_server_and_model_describe_themselves(client: Client, model: FakeModel) -> None:
    assert client.get("/v2").json["name"] == "headtohead"
    assert client.get("/v2/health/live").json == {"live": True}
    assert client.get("/v2/health/ready").json["ready"] is True
    found = client.get("/v2/models/bright").json
    assert found["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    assert found["outputs"][0] == {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]}
    version = found["versions"][0]
    assert client.get(f"/v2/models/bright/versions/{version}").json == found
    assert client.get("/v2/models/bright/ready").json == {"name": "bright", "ready": True}
    assert client.get("/v2/models/bright/versions/9/ready").status == 404


def test_infer_gives_the_same_numbers_as_predict(client: Client) -> None:
    contents = [png(200), png(30)]
    reply = client.post("/v2/models/bright/infer", json=request_of(*contents))
    tensors = {t["name"]: t for t in reply.json["outputs"]}
    single = client.upload("/v1/predict", *[("a", c) for c in contents]).json["predictions"]
    flat = [p["probabilities"][name] for p in single for name in ("no", "yes")]
    assert tensors["probabilities"]["data"] == flat and tensors["probabilities"]["shape"] == [2, 2]
    assert tensors["label"]["data"] == ["yes", "no"] and tensors["abstains"]["data"] == [False, False]
    assert reply.json["id"] == "7" and reply.json["parameters"]["research_use_only"] is True


def test_binary_tensors_and_chosen_outputs(client: Client) -> None:
    content = png(200)
    binary = struct.pack("<I", len(content)) + content
    head = request_of(data=None, shape=[1], parameters={"binary_data_size": len(binary)})
    head["outputs"] = [{"name": "label"}]
    text = json.dumps(head).encode()
    sizes = {"Inference-Header-Content-Length": str(len(text))}
    reply = client.post("/v2/models/bright/infer", content=text + binary, headers=sizes)
    assert [(t["name"], t["data"]) for t in reply.json["outputs"]] == [("label", ["yes"])]
    for broken in (binary[:-1], binary[:2], binary + b"x"):
        assert client.post("/v2/models/bright/infer", content=text + broken, headers=sizes).status == 400
    beyond = {"Inference-Header-Content-Length": "99999"}
    assert client.post("/v2/models/bright/infer", content=text, headers=beyond).status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"inputs": []}, 400),
        (request_of(png(), datatype="FP32"), 422),
        (request_of(png(), shape=[2]), 422),
        (request_of(png(), shape=[]), 422),
        (request_of(png(), data=["@"]), 422),
        (request_of(png(), data=[3]), 422),
        (request_of(png(), data=None), 400),
        (request_of(*[b""] * 65), 422),
        (request_of(b"no image"), 422),
        (request_of(png()) | {"outputs": [{"name": "logits"}]}, 422),
    ],
)
def test_a_wrong_request_is_refused_in_the_words_of_the_protocol(
    client: Client, body: dict[str, Any], status: int
) -> None:
    reply = client.post("/v2/models/bright/infer", json=body)
    assert reply.status == status
    assert reply.json["error"] == reply.json["detail"] != ""


def test_unknown_models_are_404(client: Client) -> None:
    for path in ("/v2/models/x", "/v2/models/x/ready", "/v2/nothing"):
        reply = client.get(path)
        assert reply.status == 404 and reply.json["error"]


def test_the_official_client_of_triton_works_unchanged() -> None:
    """KServe's and Triton's protocol through NVIDIA's own client, its binary tensors included."""
    http = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")
    settings = ServeSettings(port=0)
    with in_thread(build_app([FakeModel()], settings), settings) as port:
        asked = http.InferenceServerClient(f"127.0.0.1:{port}")
        assert asked.is_server_live() and asked.is_server_ready() and asked.is_model_ready("bright")
        assert asked.get_model_metadata("bright")["inputs"][0]["name"] == "image"
        tensor = http.InferInput("image", [2], "BYTES")
        tensor.set_data_from_numpy(np.array([png(200), png(30)], dtype=object))
        reply = asked.infer("bright", [tensor])
        assert reply.as_numpy("probabilities").shape == (2, 2)
        assert [str(label) for label in reply.as_numpy("label").astype(str)] == ["yes", "no"]
        asked.close()
