"""Errors as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.responses import Response

__all__ = ["MEDIA_TYPE", "ProblemError", "TooBusyError", "problem_body", "problem_response"]

MEDIA_TYPE = "application/problem+json"
CLIENT_LEFT = 499  # not of the standard, never sent: in logs and metrics, the client left before the answer


class ProblemError(Exception):
    """A request that is refused, with the status and the sentence that the client reads.

    Attributes:
        status: HTTP status.
        detail: got, expected, what to do; never a name or content of an upload.
        headers: further headers of the answer.
        more: further members of the body.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


class TooBusyError(ProblemError):
    """A request that is refused because others are before it (429)."""

    def __init__(self, detail: str, retry_after: float = 1.0) -> None:
        seconds = max(1, min(60, round(retry_after)))
        super().__init__(429, detail, {"Retry-After": str(seconds)})


def problem_body(status: int, detail: str, path: str = "", **more: object) -> dict[str, Any]:
    """Return the members of a problem.

    Args:
        status: HTTP status.
        detail: what was got, expected, and what to do.
        path: of the request; the Open Inference Protocol wants the sentence as `error`, too.
        **more: further members.
    """
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Refused"
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if path.startswith("/v2"):
        body["error"] = detail
    return body | more


def problem_response(
    status: int, detail: str, path: str = "", headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """Return the answer for a problem; see `problem_body`."""
    from starlette.responses import Response

    # "replace", since a lone surrogate has no UTF-8
    content = json.dumps(problem_body(status, detail, path, **more), ensure_ascii=False).encode(
        "utf-8", "replace"
    )
    return Response(content, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)
