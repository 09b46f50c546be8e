"""The outermost layer of the application: who may ask, security headers, the log, and no error without an answer."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from headtohead.serve.access_log import log
from headtohead.serve.metrics import ServeMetrics
from headtohead.serve.problems import CLIENT_LEFT, ProblemError, problem_response
from headtohead.serve.settings import ServeSettings, is_loopback, read_token

__all__ = ["SECURITY_HEADERS", "Gate"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # answers speak of patients' images
}
PROBES = frozenset(("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"))
# The page loads without the token, since it is the page that asks for it.
OPEN_PATHS = PROBES | {"/"}
OPEN_FOLDER = "/static/"
LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))


class Gate:
    """Wraps the application.

    A browser on this machine can be made to send requests here by any page that it shows, so a request is
    refused when its `Origin` is another site, or when its `Host` is not a name of this server (DNS rebinding).
    """

    def __init__(self, app: App, settings: ServeSettings, metrics: ServeMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._token = None if settings.token_file is None else _digest(read_token(settings.token_file))
        # Elsewhere, without names that are allowed, the token alone keeps the pages of other sites out.
        self._hosts = None
        if is_loopback(settings.host) or settings.allow_hosts:
            own = {settings.host} | ({f"[{settings.host}]"} if ":" in settings.host else set())
            self._hosts = LOCAL_NAMES | own | {name.lower() for name in settings.allow_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})  # policy violation (RFC 6455, 7.4.1)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, request_id = time.perf_counter(), secrets.token_hex(8)
        scope["request_id"] = request_id
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_headers(message.get("headers", []), request_id)
            await send(message)

        failure = ""
        try:
            self._check(scope)
            await self._app(scope, receive, dressed)
        except ProblemError as problem:
            await self._refuse(problem, scope, receive, dressed)
        except Exception as error:  # noqa: BLE001 - answered already; the log gets the place, nobody the content
            failure = _where(error)
        finally:
            self._record(scope, status or CLIENT_LEFT, began, {"request": request_id, "failure": failure})

    async def _refuse(self, problem: ProblemError, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem_response(
            problem.status, problem.detail, scope["path"], problem.headers, **problem.more
        )
        await response(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        if scope["path"] in PROBES:  # orchestrators address them by the container's own number
            return
        # latin-1 decodes any bytes
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "").lower()
        if self._hosts is not None and _without_port(host) not in self._hosts:
            raise ProblemError(
                421,
                "The Host header is not a name of this server; address it as localhost, or name the host with "
                "--allow-host.",
            )
        origin = headers.get(b"origin")
        # Refuses "null" too, the origin of sandboxed frames and local files.
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            raise ProblemError(
                403, "The request comes from a page of another site; such requests are refused."
            )
        path = scope["path"]
        if self._token is None or path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return
        scheme, _, given = headers.get(b"authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(_digest(given.strip()), self._token):
            raise ProblemError(
                401,
                "This server needs a token: send it as `Authorization: Bearer TOKEN`.",
                {"WWW-Authenticate": 'Bearer realm="headtohead"'},
            )

    def _record(self, scope: Scope, status: int, began: float, more: dict[str, str]) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        seconds = time.perf_counter() - began
        # each word of a client's own would be a new series of the metrics
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "OPTIONS") else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        level = logging.ERROR if status == 500 else logging.INFO
        fields = {key: value for key, value in more.items() if value}
        log(
            "request", level, method=method, route=route, status=status, ms=round(seconds * 1000, 1), **fields
        )


def _digest(token: str) -> bytes:
    """Return a hash of fixed length, so that the comparison does not tell the length either."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _with_headers(headers: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    own = SECURITY_HEADERS | {"X-Request-Id": request_id}
    more = [(name.lower().encode(), value.encode()) for name, value in own.items()]
    return [*headers, *((name, value) for name, value in more if name not in present)]


def _where(error: Exception) -> str:
    """Return type and place of an error; never its message, which may quote an upload."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}:{frames[-1].lineno}" if frames else "unknown"
    return f"{type(error).__name__} in {place}"
