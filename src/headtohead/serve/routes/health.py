"""Whether the process lives, whether it should get requests, and its counters."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from headtohead.serve.problems import problem_response
from headtohead.serve.state import problems, state_of

__all__ = ["router"]

router = APIRouter(tags=["operation"])


class HealthAnswer(BaseModel):
    """The answer of a probe."""

    status: str


@router.get("/healthz", response_model=HealthAnswer, responses=problems(503), summary="Is the process alive?")
async def healthz(request: Request) -> Any:
    """Return 200, or 503 if a computation hangs and the process should be replaced."""
    stuck = state_of(request).registry.stuck
    if stuck:
        return problem_response(503, f"A computation of {stuck} hangs; replace the process.")
    return HealthAnswer(status="alive")


@router.get("/readyz", response_model=HealthAnswer, responses=problems(503), summary="Does it take requests?")
async def readyz(request: Request) -> Any:
    """Return 200 once the models are loaded and warm; 503 if a bundle changed on disk."""
    reason = state_of(request).registry.not_ready
    return problem_response(503, reason) if reason else HealthAnswer(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses=problems() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Counters for Prometheus",
)
async def metrics(request: Request) -> Response:
    """Return the counters in the Prometheus text format."""
    state = state_of(request)
    state.metrics.held.set(state.budget.used)
    return Response(state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
