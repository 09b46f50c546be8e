"""What the addresses of one server share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headtohead.serve.hosting.registry import ModelRegistry
from headtohead.serve.hosting.threads import DaemonThreads
from headtohead.serve.intake.memory import MemoryBudget
from headtohead.serve.metrics import ServeMetrics
from headtohead.serve.problems import MEDIA_TYPE
from headtohead.serve.settings import ServeSettings

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["ServerState", "problems", "state_of", "upload_body"]

_MEANING = {
    400: "Malformed body.",
    401: "No token, or a wrong one.",
    403: "From a page of another site.",
    404: "Unknown model.",
    408: "The body did not arrive in time.",
    413: "More bytes than the server takes.",
    415: "Not a multipart body, or no file of it is an image.",
    421: "The Host header is not a name of this server.",
    422: "No file, none can be read, or an argument is not possible.",
    429: "Too busy; Retry-After says when to send it again.",
    500: "The server failed.",
    501: "The bundle has no heat maps.",
    503: "Not ready, changed on disk, or no answer in time.",
}


@dataclass(frozen=True, slots=True)
class ServerState:
    """Models, limits and counters of one server.

    Attributes:
        drawing: how many images are decoded for display at one time.
        readers: threads that read headers, and decode for display.
    """

    settings: ServeSettings
    registry: ModelRegistry
    budget: MemoryBudget
    metrics: ServeMetrics
    drawing: asyncio.Semaphore
    readers: DaemonThreads


def state_of(request: Request) -> ServerState:
    """Return the state of the server that a request came to."""
    state: ServerState = request.app.state.server
    return state


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the errors of an address for the OpenAPI description; those of every address are added."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {
            "description": _MEANING[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({401, 403, 421, 422, 500, *statuses})
    }


def upload_body(*, many: bool) -> dict[str, Any]:
    """Return the description of an upload; the body is parsed by hand, so FastAPI cannot know it."""
    item = {"type": "string", "contentMediaType": "application/octet-stream", "format": "binary"}
    field: dict[str, Any] = {"type": "array", "items": item, "minItems": 1} if many else item
    schema = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": field},
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
