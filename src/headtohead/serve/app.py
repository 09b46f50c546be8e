"""The application: addresses, errors as problems, and what runs beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from headtohead._version import __version__
from headtohead.core.optional import require
from headtohead.deploy.prediction import ImagePredictor
from headtohead.serve.access_log import LogReporter, log
from headtohead.serve.answers.records import ProblemDetails
from headtohead.serve.gate import Gate
from headtohead.serve.hosting.registry import ServedModel, load_registry
from headtohead.serve.hosting.threads import DaemonThreads
from headtohead.serve.intake.memory import MemoryBudget
from headtohead.serve.metrics import ServeMetrics
from headtohead.serve.problems import CLIENT_LEFT, ProblemError, problem_response
from headtohead.serve.settings import ServeSettings
from headtohead.serve.state import ServerState

__all__ = ["build_app", "load_bundle"]

READERS = 4  # threads for headers, which take microseconds, and for the images that are drawn
DRAWING = 2  # images decoded for display at one time; each may take half a gigabyte while it is decoded
DESCRIPTION = (
    "Predictions of models trained with headtohead, each with its calibrated probability, its conformal set and the "
    "notices of its guard. Research use only; not a medical device."
)


def load_bundle(path: Path, runtime: str | None = None) -> ImagePredictor:
    """Load a bundle or an exported file; every file is compared with its SHA-256.

    Args:
        runtime: what runs the network, as in `headtohead.load_model`.
    """
    from headtohead.deploy.load import load_model
    from headtohead.deploy.runtimes.batch_sizes import FewBatchSizes

    model = load_model(path, runtime=runtime, reporter=LogReporter())
    log("loaded", model=model.name, runtime=model.runtime.name)
    return model.with_runtime(FewBatchSizes(model.runtime))


def build_app(
    models: Sequence[str | Path | ImagePredictor],
    settings: ServeSettings = ServeSettings(),  # noqa: B008 - frozen
    *,
    load: Callable[[Path], ImagePredictor] = load_bundle,
) -> Gate:
    """Return the ASGI application that serves these models.

    Args:
        models: folders of bundles, or models that are loaded already.
        settings: where it listens (for the check of names and tokens), and its limits.
        load: reads one bundle.

    Raises:
        MissingExtraError: FastAPI, python-multipart or prometheus-client is not installed.
        HeadToHeadError: a bundle cannot be loaded.
    """
    for module in ("fastapi", "python_multipart", "prometheus_client"):
        require(module, "serve", "serve a model")
    sources = [Path(model) if isinstance(model, (str, Path)) else model for model in models]
    registry = load_registry(sources, settings, load)
    metrics = ServeMetrics()
    for name, served in registry.served.items():
        served.queue.on_batch = metrics.watch(name, served.queue)
    budget = MemoryBudget(settings.max_memory, settings.max_requests)
    readers = DaemonThreads(READERS, "h2h-read")
    state = ServerState(settings, registry, budget, metrics, asyncio.Semaphore(DRAWING), readers)
    app = _application(state)
    return Gate(app, settings, metrics)


def _application(state: ServerState) -> Any:
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect
    from starlette.staticfiles import StaticFiles

    from headtohead.serve.routes import health, inference_protocol, page, predict

    app = FastAPI(
        title="headtohead",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # the viewers that FastAPI offers load scripts from other hosts
        redoc_url=None,
        lifespan=_lifespan(state),
    )
    app.state.server = state
    for module in (predict, inference_protocol, health, page):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=page.STATIC), name="static")
    describe = app.openapi

    def with_problems() -> dict[str, Any]:
        """Return the description; the schema of errors is no answer of any address, so it is added here."""
        found = describe()
        found["components"]["schemas"]["ProblemDetails"] = ProblemDetails.model_json_schema()
        return found

    app.openapi = with_problems  # type: ignore[method-assign]
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(ClientDisconnect, _nobody)
    app.add_exception_handler(Exception, _failure)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _argument_problem)
    return app


def _lifespan(state: ServerState) -> Any:
    models = list(state.registry.served.values())

    @asynccontextmanager
    async def run(app: object) -> AsyncIterator[None]:
        del app
        state.registry.start()
        files = DaemonThreads(1, "h2h-files")
        watch = asyncio.create_task(_watch(models, files, state.settings.watch_seconds))
        try:
            yield
        finally:
            watch.cancel()
            # Until the task has ended; that it was cancelled is no failure.
            await asyncio.gather(watch, return_exceptions=True)
            await state.registry.stop()
            for threads in (files, state.readers):
                threads.shutdown()

    return run


async def _watch(models: Sequence[ServedModel], files: DaemonThreads, seconds: float) -> None:
    """Look at the files of the bundles again and again."""
    while True:
        await asyncio.sleep(seconds)
        for served in models:
            before = served.changed
            # a changed file is hashed, which takes seconds
            await asyncio.get_running_loop().run_in_executor(files, served.look)
            if served.changed != before:
                log("bundle changed on disk", model=served.name, file=served.changed)


async def _problem(request: Any, error: Any) -> Any:
    return problem_response(error.status, error.detail, request.url.path, error.headers, **error.more)


async def _nobody(request: Any, error: Any) -> Any:
    """End a request whose client has left; the answer reaches nobody, its status the log."""
    del error
    return problem_response(CLIENT_LEFT, "The client left.", request.url.path)


async def _failure(request: Any, error: Any) -> Any:
    """Answer for a failure; the gate logs its type and place, the message may quote an upload."""
    del error
    detail = f"The server failed; its log has more under request {request.scope['request_id']}."
    return problem_response(500, detail, request.url.path)


async def _http_problem(request: Any, error: Any) -> Any:
    details = {
        404: "There is nothing at this address; /openapi.json lists what there is.",
        405: "This address is not asked in this way; /openapi.json lists how.",
    }
    detail = details.get(error.status_code, "The request was refused.")
    return problem_response(error.status_code, detail, request.url.path, error.headers)


async def _argument_problem(request: Any, error: Any) -> Any:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return problem_response(422, f"{place}: {first['msg']}.", request.url.path)
