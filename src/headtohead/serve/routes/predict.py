"""`/v1`: predictions, comparison, heat maps, pixels for display, and the list of models."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from headtohead.core.errors import UnreadableError
from headtohead.serve.answers.explain import EvidenceMap, evidence_map, explains
from headtohead.serve.answers.preview import preview_of
from headtohead.serve.answers.records import (
    ComparedModels,
    ModelList,
    ModelPredictions,
    model_description,
    model_predictions,
)
from headtohead.serve.hosting.batching import time_limit
from headtohead.serve.hosting.registry import ServedModel
from headtohead.serve.intake.inspect_upload import (
    InspectedFile,
    inspect_files,
    predict_files,
    reader_limits,
    refuse_if_all_failed,
)
from headtohead.serve.intake.multipart import UploadedFile, read_files
from headtohead.serve.problems import ProblemError
from headtohead.serve.state import ServerState, problems, state_of, upload_body

__all__ = ["FACTS_HEADER", "router"]

router = APIRouter(prefix="/v1", tags=["images"])
ModelName = Annotated[
    str | None,
    Query(description="Name of the model; needed if several are served.", min_length=1, max_length=200),
]
FACTS_HEADER = "X-Image-Facts"
UPLOAD_PROBLEMS = problems(400, 404, 408, 413, 415, 422, 429, 503)


@router.post(
    "/predict",
    response_model=ModelPredictions,
    responses=UPLOAD_PROBLEMS,
    openapi_extra=upload_body(many=True),
    summary="Predict one or more images with one model",
)
async def predict(request: Request, model: ModelName = None) -> Response:
    """Return the predictions of one model, in the order of the files.

    A file that cannot be read has its reason in `error`; if none can be read, the answer is a problem.
    Example: `curl -F file=@scan.dcm http://127.0.0.1:8000/v1/predict`.
    """
    state = state_of(request)
    served = state.registry.get(model)
    answer = (await _answers(request, state, [served]))[0]
    return _json(answer)


@router.post(
    "/compare",
    response_model=ComparedModels,
    responses=UPLOAD_PROBLEMS,
    openapi_extra=upload_body(many=True),
    summary="Predict one or more images with every model",
)
async def compare(request: Request) -> Response:
    """Return the predictions of all models on the same files, and whether they agree."""
    state = state_of(request)
    answers = await _answers(request, state, list(state.registry.served.values()))
    labels = zip(*([p.label for p in answer.predictions] for answer in answers), strict=True)
    agree = [None if None in row else len(set(row)) == 1 for row in labels]
    return _json(ComparedModels(models=answers, agree=agree))


@router.post(
    "/explain",
    response_model=EvidenceMap,
    responses=UPLOAD_PROBLEMS | problems(501),
    openapi_extra=upload_body(many=False),
    summary="Say where in an image a model found its evidence",
)
async def explain(request: Request, model: ModelName = None) -> Response:
    """Return the map of one image: contributions to the log-odds on a grid, which sum to the score."""
    state = state_of(request)
    served = state.registry.get(model)
    if not explains(served.model):
        await evidence_map(served, UploadedFile("", b""))  # raises 501 before the upload is read
    served.check_unchanged()
    with state.budget.account() as account:
        item = await _one_file(state, await read_files(request, state.settings, account))
        return _json(await evidence_map(served, item.file))


@router.post(
    "/preview",
    response_class=Response,
    responses=UPLOAD_PROBLEMS
    | {
        200: {
            "description": "Pixels row by row, little endian, 8 or 16 bits, 1 or 3 channels.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                FACTS_HEADER: {
                    "description": "JSON: width, height, channels, bits, low, high, window, frames, history.",
                    "schema": {"type": "string"},
                }
            },
        }
    },
    openapi_extra=upload_body(many=False),
    summary="Return the pixels of an image for display",
)
async def preview(request: Request, frame: Annotated[int | None, Query(ge=0, le=100_000)] = None) -> Response:
    """Return pixels that a page can draw; DICOM and 16-bit images keep their depth. Nothing is stored."""
    state = state_of(request)
    with state.budget.account() as account:
        item = await _one_file(state, await read_files(request, state.settings, account))
        limits = reader_limits(state.settings)
        try:
            async with time_limit(state.settings.answer_seconds), state.drawing:
                shown = await asyncio.get_running_loop().run_in_executor(
                    state.readers, preview_of, item.file.content, limits, frame
                )
        except UnreadableError as error:
            raise ProblemError(422, f"The file cannot be read: {error}.") from None
    headers = {FACTS_HEADER: json.dumps(shown.facts)}  # ASCII, as headers must be
    return Response(shown.pixels, media_type="application/octet-stream", headers=headers)


@router.get("/models", response_model=ModelList, responses=problems(), summary="List the models")
async def models(request: Request) -> Response:
    """Return each model with its classes, its digest, and what it was tested on."""
    state = state_of(request)
    described = [
        model_description(item, max_batch=state.settings.max_batch, explains=explains(item.model))
        for item in state.registry.served.values()
    ]
    return _json(ModelList(models=described))


async def _answers(request: Request, state: ServerState, served: list[ServedModel]) -> list[ModelPredictions]:
    """Read an upload once and ask each model about it."""
    for item in served:
        item.check_unchanged()
        item.queue.check_room(1)  # before a body is read for nothing
    with state.budget.account() as account:
        uploads = await read_files(request, state.settings, account)
        files = await inspect_files(uploads, state.settings, state.readers)
        found = await asyncio.gather(*(predict_files(item, files) for item in served))
    for item, results in zip(served, found, strict=True):
        failed = sum(result.error is not None for result in results)
        state.metrics.images.labels(item.name, "failed").inc(failed)
        state.metrics.images.labels(item.name, "predicted").inc(len(results) - failed)
    for results in found:
        refuse_if_all_failed(files, results)
    names = [item.file.name for item in files]
    return [model_predictions(item, names, results) for item, results in zip(served, found, strict=True)]


async def _one_file(state: ServerState, uploads: list[UploadedFile]) -> InspectedFile:
    if len(uploads) != 1:
        raise ProblemError(422, f"Got {len(uploads)} files; expected one, send the others one by one.")
    item = (await inspect_files(uploads, state.settings, state.readers))[0]
    if item.error:
        raise ProblemError(422 if item.is_image else 415, f"The file cannot be read: {item.error}.")
    return item


def _json(answer: ModelPredictions | ComparedModels | EvidenceMap | ModelList) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
