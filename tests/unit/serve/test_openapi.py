"""The description of the interface, and random requests made from it: no 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.serve.conftest import Client, FakeModel

from headtohead.serve.app import build_app

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")


def test_the_description_names_every_address_and_its_errors(client: Client) -> None:
    found = client.get("/openapi.json").json
    assert set(found["paths"]) >= {
        "/v1/predict", "/v1/compare", "/v1/explain", "/v1/preview", "/v1/models", "/healthz", "/readyz",
        "/metrics", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/{name}",
        "/v2/models/{name}/ready", "/v2/models/{name}/infer",
    }  # fmt: skip
    predict = found["paths"]["/v1/predict"]["post"]
    assert set(predict["responses"]) >= {"200", "400", "401", "413", "415", "422", "429", "503"}
    assert set(predict["responses"]["422"]["content"]) == {"application/problem+json"}
    assert predict["requestBody"]["content"]["multipart/form-data"]["schema"]["required"] == ["file"]
    assert "ModelPredictions" in json.dumps(predict["responses"]["200"])
    assert "HTTPValidationError" not in found["components"]["schemas"]
    ids = [operation["operationId"] for path in found["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def ask_at_random(examples: int) -> dict[int, int]:
    """Send random requests to every address; return how often each status came."""
    from hypothesis import HealthCheck, Phase, given, settings

    seen: dict[int, int] = {}
    app = build_app([FakeModel(), FakeModel("other", "cd" * 32)])
    with Client(app) as client:
        schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json)
        quiet = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        for result in schema.get_all_operations():
            operation = result.ok()

            @quiet
            @given(case=operation.as_strategy())
            def send(case: Any) -> None:
                options = case.as_transport_kwargs(base_url="http://127.0.0.1:8000")
                method, url = options.pop("method"), options.pop("url")
                keep = {
                    k: v
                    for k, v in options.items()
                    if k in ("params", "headers", "json", "data", "files") and v
                }
                if isinstance(keep.get("data"), (bytes, str)):
                    keep["content"] = keep.pop("data")
                reply = client.run(lambda one: one.ask(method, url, **keep))
                seen[reply.status] = seen.get(reply.status, 0) + 1
                assert reply.status != 500, reply
                if reply.status >= 400:
                    assert reply.headers["content-type"] == "application/problem+json", reply

            send()
    return seen


def test_random_requests_get_no_500() -> None:
    seen = ask_at_random(10)
    assert sum(seen.values()) >= 80 and set(seen) >= {200, 404}


@pytest.mark.slow
def test_many_random_requests_get_no_500() -> None:
    assert sum(ask_at_random(400).values()) >= 3000
