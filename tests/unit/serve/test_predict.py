"""Predictions over HTTP: shape, order, several models, and every refusal with its status."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest
from tests.unit.serve.conftest import Client, FakeModel, dicom, png

from headtohead.core.records import Box
from headtohead.deploy.prediction import ImagePrediction
from headtohead.serve.answers.records import file_prediction
from headtohead.serve.app import build_app


def test_one_image_has_the_documented_shape(client: Client, model: FakeModel) -> None:
    content = png(200)
    reply = client.upload("/v1/predict", ("scan.png", content))
    assert reply.status == 200
    assert reply.json == {
        "model": "bright",
        "digest": model.digest,
        "predictions": [
            {
                "file": "scan.png",
                "sha256": hashlib.sha256(content).hexdigest(),
                "probabilities": {"no": pytest.approx(1 - 200 / 255), "yes": pytest.approx(200 / 255)},
                "label": "yes",
                "threshold": 0.5,
                "set": ["yes"],
                "abstains": False,
                "flags": [],
                "error": None,
                "sentence": "Of 100 such images about 78 are “yes”.",
            }
        ],
        "research_use_only": True,
    }


def test_many_files_keep_their_order_and_unreadable_ones_their_reason(client: Client) -> None:
    files = [
        ("a.dcm", dicom()),
        ("b.png", b"text"),
        ("c.png", png(10)),
        ("d.png", png(130)),
        ("e.png", png(255)),
    ]
    got = client.upload("/v1/predict", *files).json["predictions"]
    assert [p["file"] for p in got] == ["a.dcm", "b.png", "c.png", "d.png", "e.png"]
    assert [p["label"] for p in got] == ["no", None, "no", "yes", "yes"]
    assert "no image format" in got[1]["error"] and got[1]["sentence"] == ""
    assert not got[1]["abstains"] and [flag["code"] for flag in got[1]["flags"]] == ["unreadable"]
    assert got[3]["abstains"] and got[3]["set"] == ["no", "yes"]
    assert got[4]["flags"][0]["code"] == "far_from_training"
    assert got[4]["flags"][0]["message"].endswith(".")


def test_two_models_answer_side_by_side(both: Client) -> None:
    reply = both.upload("/v1/compare", ("a.png", png(220)), ("b.png", b"x"))
    assert [m["model"] for m in reply.json["models"]] == ["bright", "other-probe-flip"]
    assert reply.json["agree"] == [True, None]
    assert both.upload("/v1/predict?model=other-probe-flip", ("a.png", png())).json["digest"] == "cd" * 32


def test_with_two_models_none_is_guessed(both: Client) -> None:
    reply = both.upload("/v1/predict", ("a.png", png()))
    assert reply.status == 422 and "bright, other-probe-flip" in reply.json["detail"]
    unknown = both.upload("/v1/predict?model=brigth", ("a.png", png()))
    assert unknown.status == 404 and "did you mean 'bright'" in unknown.json["detail"]


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"data": {"file": "x"}}, 415, "multipart/form-data"),
        ({"content": b"{}", "headers": {"content-type": "application/json"}}, 415, "multipart"),
        ({"content": b"", "headers": {"content-type": "multipart/form-data"}}, 400, "boundary"),
        (
            {"content": b"x", "headers": {"content-type": f"multipart/form-data; boundary={'b' * 71}"}},
            400,
            "71",
        ),
        ({"files": [("file", ("a.txt", b"hello, not an image"))]}, 415, "no image format"),
        ({"files": [("file", ("a.png", png()[:40]))]}, 422, "cannot be read"),
        ({"files": [("scan", ("a.png", png()))]}, 422, "not an upload named `file`"),
        ({"files": [("file", ("a.png", png()))], "data": {"note": "x"}}, 422, "not an upload named `file`"),
        ({"files": [("file", ("a.png", png()))] * 65}, 422, "more than 64 files"),
        ({"files": [("file", ("a.png", b"0" * 1_100_000))]}, 413, "larger than 1,000,000 bytes"),
        ({"files": [("file", ("a.png", png(9, 1200)))]}, 422, "the limit is 1,000,000"),
    ],
)
def test_a_refusal_is_a_problem_with_its_status(
    client: Client, options: object, status: int, words: str
) -> None:
    reply = client.post("/v1/predict", **options)  # type: ignore[arg-type]
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(reply.json) >= {"type", "title", "status", "detail"} and words in reply.json["detail"]


def test_bytes_are_counted_as_they_stream(client: Client) -> None:
    sent = 0

    async def zeros() -> object:
        nonlocal sent
        for _ in range(1024):  # 1 GiB
            sent += 1
            yield bytes(1 << 20)

    kind = {"content-type": "multipart/form-data; boundary=b"}
    assert client.post("/v1/predict", content=zeros(), headers=kind).status in (400, 413)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'

    async def upload() -> object:
        yield head
        async for chunk in zeros():  # type: ignore[attr-defined]
            yield chunk

    sent = 0
    assert client.post("/v1/predict", content=upload(), headers=kind).status == 413
    assert json.loads(client.get("/v1/models").body)["models"][0]["name"] == "bright"


def test_a_preview_keeps_the_depth_of_dicom(client: Client) -> None:
    reply = client.upload("/v1/preview", ("a.dcm", dicom(level=30000)))
    facts = json.loads(reply.headers["x-image-facts"])
    assert (facts["bits"], facts["channels"], facts["width"], facts["format"]) == (16, 1, 16, "DICOM")
    codes = np.frombuffer(reply.body, "<u2").astype(float)
    values = facts["low"] + codes / 65535 * (facts["high"] - facts["low"])
    assert values == pytest.approx(np.linspace(0, 30000, 256), abs=1.0)
    assert facts["window"] == pytest.approx([0, 30000], abs=2)
    assert b"Doe" not in reply.body and "Doe" not in reply.headers["x-image-facts"]


def test_a_preview_is_refused_like_a_prediction(client: Client) -> None:
    assert client.upload("/v1/preview", ("a.txt", b"text")).status == 415
    assert client.upload("/v1/preview", ("a.png", png()), ("b.png", png())).status == 422
    assert client.upload("/v1/preview?frame=3", ("a.png", png())).status == 422


def test_maps_that_a_model_does_not_have_are_refused(client: Client) -> None:
    reply = client.upload("/v1/explain", ("a.png", png()))
    assert reply.status == 501 and "no heat maps" in reply.json["detail"]


class Attribution:
    """The members of the map's numbers that the answer takes."""

    log_odds, offset, localised, not_localised = 1.2, -0.5, 1.4, 0.3


class Map:
    """The members of `headtohead.explain.image_map.ImageMap` that the answer takes."""

    method, target, words, size, box, attribution = (
        "contributions",
        "yes",
        "Up.",
        (10, 20),
        Box(1, 2, 9, 18),
        Attribution,
    )

    def density(self) -> Any:
        """Return the grid."""
        return np.array([[2.0, -1.0]])


class ExplainingModel(FakeModel):
    """A model with maps."""

    def explain_bytes(self, name: str, content: bytes) -> Map:
        """Return the map of an image."""
        assert (name, content) == ("a.png", png())
        return Map()


def test_a_map_comes_as_numbers_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    from headtohead.explain import overlay

    monkeypatch.setattr(overlay, "color_limit", lambda maps: 2.5)
    with Client(build_app([ExplainingModel()])) as client:
        got = client.upload("/v1/explain", ("a.png", png())).json
        assert client.get("/v1/models").json["models"][0]["explains"] is True
    assert got["grid"] == [[2.0, -1.0]] and got["limit"] == 2.5
    assert got["box"] == [0.1, 0.1, 0.9, 0.9]
    assert got["offset"] + got["localised"] + got["not_localised"] == pytest.approx(got["log_odds"])


class WithoutExactMaps(ExplainingModel):
    """A bundle whose score is no sum over places: its maps are by occlusion."""

    map_problem = "a head of it is not linear"


def test_a_model_without_exact_maps_explains_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from headtohead.explain import overlay

    monkeypatch.setattr(overlay, "color_limit", lambda maps: 2.5)
    with Client(build_app([WithoutExactMaps()])) as client:
        assert client.get("/v1/models").json["models"][0]["explains"] is True
        assert client.upload("/v1/explain", ("a.png", png())).status == 200


def test_the_models_say_what_they_were_tested_on(client: Client, model: FakeModel) -> None:
    found = client.get("/v1/models").json["models"][0]
    assert found["estimate"] == model.estimate and found["classes"] == ["no", "yes"]
    assert (found["name"], found["contender"], found["explains"]) == ("bright", "brightness", False)


def test_a_notice_that_asks_ends_with_its_question_mark() -> None:
    result = ImagePrediction(
        path="a", probabilities={"no": 1.0}, predicted="no", flags=("already_cropped", "colour")
    )
    asked, told = (flag.message for flag in file_prediction("a", result, None).flags)
    assert asked.endswith("before?") and told.endswith(".")
