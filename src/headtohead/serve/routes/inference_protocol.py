"""`/v2`: the Open Inference Protocol, so that clients of KServe and Triton work unchanged."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from headtohead._version import __version__
from headtohead.serve.answers.tensors import InferAnswer, infer_answer, metadata, uploads_of, version_of
from headtohead.serve.hosting.registry import ServedModel
from headtohead.serve.intake.inspect_upload import inspect_files, predict_files
from headtohead.serve.intake.multipart import read_body
from headtohead.serve.problems import ProblemError, problem_response
from headtohead.serve.state import ServerState, problems, state_of

__all__ = ["router"]

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol v2"])
LENGTH_HEADER = "inference-header-content-length"
INFER_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": {"type": "string", "maxLength": 200},
                        "inputs": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["name", "shape", "datatype", "data"],
                                "properties": {
                                    "name": {"const": "image"},
                                    "datatype": {"const": "BYTES"},
                                    "shape": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
                                    "data": {
                                        "type": "array",
                                        "items": {"type": "string", "format": "byte"},
                                    },
                                },
                            },
                        },
                    },
                },
                "example": {
                    "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["iVBORw0K…"]}]
                },
            }
        },
    }
}
INFER: dict[str, Any] = {
    "response_model": InferAnswer,
    "responses": problems(400, 404, 408, 413, 422, 429, 503),
    "openapi_extra": INFER_BODY,
    "summary": "Predict images given as BYTES tensor",
}
MODEL_PROBLEMS = problems(404, 422)


@router.get("", responses=problems(), summary="Describe the server")
async def server() -> dict[str, Any]:
    """Return name, version and extensions of the server."""
    return {"name": "headtohead", "version": __version__, "extensions": ["binary_tensor_data"]}


@router.get("/health/live", responses=problems(503), summary="Is the process alive?")
async def live(request: Request) -> Any:
    """Return 200 while the process lives."""
    if state_of(request).registry.stuck:
        return problem_response(503, "A computation hangs; replace the process.", "/v2")
    return {"live": True}


@router.get("/health/ready", responses=problems(503), summary="Are the models ready?")
async def ready(request: Request) -> Any:
    """Return 200 when every model is ready; the protocol's text names the member `live`, servers say `ready`."""
    reason = state_of(request).registry.not_ready
    return problem_response(503, reason, "/v2") if reason else {"ready": True, "live": True}


@router.get("/models/{name}", responses=MODEL_PROBLEMS, summary="Describe a model")
@router.get("/models/{name}/versions/{version}", responses=MODEL_PROBLEMS, summary="Describe a model")
async def model(request: Request, name: str, version: str | None = None) -> dict[str, Any]:
    """Return the tensors that a model takes and gives."""
    return metadata(_find(state_of(request), name, version))


@router.get("/models/{name}/ready", responses=problems(404, 503), summary="Is a model ready?")
@router.get(
    "/models/{name}/versions/{version}/ready", responses=problems(404, 503), summary="Is a model ready?"
)
async def model_ready(request: Request, name: str, version: str | None = None) -> dict[str, Any]:
    """Return 200 when the model answers; 503 if its bundle changed on disk."""
    served = _find(state_of(request), name, version)
    served.check_unchanged()
    return {"name": served.name, "ready": True}


@router.post("/models/{name}/infer", **INFER)
@router.post("/models/{name}/versions/{version}/infer", **INFER)
async def infer(request: Request, name: str, version: str | None = None) -> Response:
    """Return probabilities, labels and abstentions as tensors; one unreadable image refuses the request."""
    state = state_of(request)
    served = _find(state, name, version)
    served.check_unchanged()
    served.queue.check_room(1)  # before a body is read for nothing
    with state.budget.account() as account:
        body = await read_body(request, state.settings, account)
        asked, uploads = uploads_of(body, request.headers.get(LENGTH_HEADER), state.settings)
        files = await inspect_files(uploads, state.settings, state.readers)
        results = await predict_files(served, files)
    failed = [place for place, result in enumerate(results) if result.error is not None]
    state.metrics.images.labels(served.name, "failed").inc(len(failed))
    state.metrics.images.labels(served.name, "predicted").inc(len(results) - len(failed))
    if failed:
        raise ProblemError(422, f"Image {failed[0]} (from 0) cannot be read: {results[failed[0]].error}.")
    return Response(
        # an id that was not sent is not answered
        infer_answer(served, asked, results).model_dump_json(exclude_defaults=True),
        media_type="application/json",
    )


def _find(state: ServerState, name: str, version: str | None) -> ServedModel:
    served = state.registry.get(name)
    if version not in (None, version_of(served)):
        raise ProblemError(404, f"{served.name} is served in version {version_of(served)} only.")
    return served
