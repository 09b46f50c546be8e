"""Run the application in uvicorn: limits on connections, a clean stop, one line of log per event."""

from __future__ import annotations

import asyncio
import math
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import UsageError
from headtohead.core.optional import require
from headtohead.serve.access_log import log, use_json_lines
from headtohead.serve.gate import Gate
from headtohead.serve.settings import ServeSettings

if TYPE_CHECKING:
    import socket

    import uvicorn

__all__ = ["listen", "make_server", "run_server"]

CONNECTIONS = 1024  # open connections; the requests behind them are bounded by the settings long before
MAX_HEAD = 32 * 1024  # bytes of the head of a request


def run_server(app: Gate, settings: ServeSettings, *, began: float | None = None) -> None:
    """Serve until SIGTERM or SIGINT; requests in progress are answered before it returns.

    Args:
        app: from `build_app`.
        settings: where to listen, and the limits.
        began: `time.perf_counter()` at the start of loading, for the log.

    Raises:
        UsageError: the address cannot be listened on.
    """
    require("uvicorn", "serve", "serve a model")
    use_json_lines()
    began = time.perf_counter() if began is None else began
    listener = listen(settings)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    log("ready", address=f"http://{shown}:{port}", seconds=round(time.perf_counter() - began, 2))
    server = make_server(app, settings)
    with _a_signal_is_no_failure(server):
        server.run(sockets=[listener])
    log("stopped")


@contextmanager
def _a_signal_is_no_failure(server: uvicorn.Server) -> Iterator[None]:
    """Return normally from a stop by signal: uvicorn raises it again once everything is answered.

    One that comes before uvicorn listens to signals stops the server as soon as it has started.
    """
    # Python sets handlers in the main thread alone
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        """End the server, which may not have begun."""
        del number, frame
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_server(app: Gate, settings: ServeSettings) -> uvicorn.Server:
    """Return a uvicorn server with the limits of the settings."""
    import uvicorn

    config = uvicorn.Config(
        app,
        http=_protocol(settings.header_seconds),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        backlog=CONNECTIONS,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_keep_alive=settings.keep_alive_seconds,
        # uvicorn takes whole seconds
        timeout_graceful_shutdown=math.ceil(settings.shutdown_seconds),
    )
    return uvicorn.Server(config)


def listen(settings: ServeSettings) -> socket.socket:
    """Return a listening socket.

    Raises:
        UsageError: the port is taken or not allowed, or the host is not of this machine.
    """
    import socket

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol left at 0, asyncio would not set TCP_NODELAY, and each answer would wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host.strip("[]"), settings.port))
        listener.listen(CONNECTIONS)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}; choose another "
            "port (--port) or an address of this machine (--host)."
        ) from None
    return listener


def _protocol(header_seconds: float) -> Any:
    """Return uvicorn's HTTP protocol with a limit on the time that a client may take over a request's head.

    Uvicorn limits idle time between requests, but not before the first one, nor within a head.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class PatientProtocol(H11Protocol):
        """Closes a connection whose head is not there in time."""

        _head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._head_timer = self.loop.call_later(header_seconds, self._head_late)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def handle_events(self) -> None:
            before = self.cycle
            super().handle_events()
            if self.cycle is not before:
                self._stop_timer()
            # The next head on an open connection has begun and is not whole yet.
            elif self._head_timer is None and (before is None or before.response_complete):
                self._head_timer = self.loop.call_later(header_seconds, self._head_late)

        def _stop_timer(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _head_late(self) -> None:
            self._head_timer = None
            if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
                self.transport.close()

    return PatientProtocol
