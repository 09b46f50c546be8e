"""Who may ask, headers of every answer, and a log without names."""

from __future__ import annotations

import hmac
import io
import json
import logging
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.unit.serve.conftest import Client, FakeModel, dicom, png

from headtohead.core.errors import UsageError
from headtohead.deploy.prediction import ImagePrediction
from headtohead.serve.access_log import JsonLines
from headtohead.serve.app import build_app
from headtohead.serve.settings import ServeSettings, read_token

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


def test_every_answer_has_the_security_headers(client: Client) -> None:
    for path in ("/", "/v1/models", "/nothing", "/static/nothing", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers


def test_other_sites_and_other_names_are_refused(client: Client) -> None:
    files = [("file", ("a.png", png()))]
    assert client.post("/v1/predict", files=files, headers={"origin": "http://evil.example"}).status == 403
    assert client.post("/v1/predict", files=files, headers={"origin": "null"}).status == 403
    assert client.post("/v1/predict", files=files, headers={"origin": "http://127.0.0.1:8000"}).status == 200
    rebound = client.get("/v1/models", headers={"host": "evil.example:8000"})
    assert rebound.status == 421 and rebound.headers["content-type"] == "application/problem+json"
    assert client.get("/readyz", headers={"host": "10.0.0.7:8000"}).status == 200  # a probe of Kubernetes


def test_a_token_is_wanted_and_compared(token_file: Path) -> None:
    settings = ServeSettings(host="0.0.0.0", token_file=token_file)
    with Client(build_app([FakeModel()], settings)) as client:
        assert client.get("/healthz").status == client.get("/").status == 200
        refused = client.get("/v1/models")
        assert refused.status == 401 and refused.headers["www-authenticate"].startswith("Bearer")
        for given in ("Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x"):
            assert client.get("/v1/models", headers={"authorization": given}).status == 401
        assert client.get("/metrics").status == 401
        right = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/v1/models", headers=right | {"host": "any.name"}).status == 200


def test_the_token_is_compared_in_constant_time(token_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def watched(a: bytes, b: bytes) -> bool:
        lengths.append((len(a), len(b)))
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    with Client(build_app([FakeModel()], ServeSettings(token_file=token_file))) as client:
        client.get("/v1/models", headers={"authorization": "Bearer x"})
        client.get("/v1/models", headers={"authorization": "Bearer " + "x" * 500})
    assert lengths == [(32, 32), (32, 32)]


def test_a_port_open_to_others_needs_a_token() -> None:
    with pytest.raises(ValidationError, match="no token file"):
        ServeSettings(host="0.0.0.0")
    with pytest.raises(ValidationError, match="max_queue >= max_files"):
        ServeSettings(max_files=9, max_queue=3)


@pytest.mark.parametrize("content", [b"", b"short\n", b"with space in the middle of it", b"\xff\xfe"])
def test_a_weak_token_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="token"):
        read_token(path)


def test_the_log_names_no_client_file_or_patient(caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("headtohead.serve")
    logger.addHandler(handler)
    caplog.set_level(logging.INFO, "headtohead.serve")
    try:
        with Client(build_app([FakeModel()])) as client:
            client.upload("/v1/predict", ("Jane-Doe.dcm", dicom()), headers={"user-agent": "Doe/1"})
            client.upload("/v1/predict?model=Doe", ("Jane-Doe.dcm", dicom()))
            client.get("/Doe")
            metrics = client.get("/metrics").body
    finally:
        logger.removeHandler(handler)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("/v1/predict", 200),
        ("/v1/predict", 404),
        ("other", 404),
        ("/metrics", 200),
    ]
    assert "Doe" not in stream.getvalue() and "127.0.0.1" not in stream.getvalue()
    assert b"Doe" not in metrics
    assert b'headtohead_images_total{model="bright",outcome="predicted"} 1.0' in metrics


class BrokenModel(FakeModel):
    """Fails on bright images with a message that quotes a name."""

    def _one(self, name: str, content: bytes) -> ImagePrediction:
        found = super()._one(name, content)
        if found.predicted == "yes":
            raise ValueError("patient Doe")
        return found


def test_a_failure_inside_is_a_500_without_its_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "headtohead.serve")
    with Client(build_app([BrokenModel()])) as client:
        reply = client.upload("/v1/predict", ("a.png", png(250)))
        assert reply.status == 500 and reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert b"Doe" not in reply.body and "Doe" not in caplog.text
        assert reply.headers["x-request-id"] in reply.json["detail"]
        assert client.upload("/v1/predict", ("a.png", png(10))).status == 200
    assert any("ValueError in _one" in str(getattr(r, "fields", "")) for r in caplog.records)
