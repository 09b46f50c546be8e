"""What clients do to a server: many at once, slow, half, huge, hostile; and a stop in the middle of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.unit.serve.conftest import BOUNDARY, FakeModel, body_of, in_thread, png

from headtohead.serve.app import build_app
from headtohead.serve.settings import ServeSettings


@dataclass
class Live:
    """A server behind a real socket."""

    port: int
    model: FakeModel
    app: Any

    @property
    def held(self) -> int:
        """Bytes of uploads in memory."""
        return int(self.app._app.state.server.budget.used)


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """A server in a thread, with limits on time that no busy machine reaches."""
    with serving(header_seconds=60, upload_seconds=60) as server:
        yield server


@contextmanager
def serving(header_seconds: float, upload_seconds: float) -> Iterator[Live]:
    """Serve in a thread."""
    model = FakeModel(seconds=0.002)
    settings = ServeSettings(
        port=0,
        header_seconds=header_seconds,
        upload_seconds=upload_seconds,
        max_bytes=2_000_000,
        max_requests=64,
        max_queue=64,
    )
    app = build_app([model], settings)
    with in_thread(app, settings) as port:
        yield Live(port, model, app)


def request_of(body: bytes, *more: bytes, length: int | None = None) -> bytes:
    """Return a whole request."""
    lines = [
        b"POST /v1/predict HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Connection: close",
        b"Content-Type: multipart/form-data; boundary=" + BOUNDARY,
        b"Content-Length: %d" % (len(body) if length is None else length),
        *more,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def talk(port: int, request: bytes, timeout: float = 60) -> bytes:
    """Send bytes and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as link:
        link.sendall(request)
        return rest_of(link)


def rest_of(link: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    return b"".join(iter(lambda: link.recv(65536), b""))


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for what is to come true; a minute is more than any busy machine takes."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def status_of(answer: bytes) -> int:
    """Return the status of a raw answer."""
    return int(answer.split(b" ", 2)[1])


def test_two_hundred_clients_at_once_all_get_an_answer(live: Live) -> None:
    async def one(content: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(request_of(body_of(content)))
        answer = await reader.read()
        writer.close()
        return answer

    async def crowd() -> list[bytes]:
        return await asyncio.gather(*(one(png(i)) for i in range(200)))

    live.model.batches.clear()
    answers = asyncio.run(crowd())
    statuses = Counter(status_of(answer) for answer in answers)
    assert set(statuses) <= {200, 429} and statuses[200] >= 64
    for i, answer in enumerate(answers):
        if status_of(answer) == 429:
            assert re.search(rb"retry-after: [1-9]", answer, re.IGNORECASE)
        else:  # each client gets the answer to its own image
            got = json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"][0]
            assert got["probabilities"]["yes"] == pytest.approx(i / 255)
    assert sum(live.model.batches) == statuses[200]
    assert live.held == 0


def test_a_slow_head_and_a_slow_body_end_in_time_and_hold_nobody_up() -> None:
    with (
        serving(header_seconds=0.5, upload_seconds=1) as live,
        socket.create_connection(("127.0.0.1", live.port), timeout=60) as silent,
        socket.create_connection(("127.0.0.1", live.port), timeout=60) as dripping,
        socket.create_connection(("127.0.0.1", live.port), timeout=60) as slow,
    ):
        dripping.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        slow.sendall(request_of(body_of(png()))[:-20])
        began = time.monotonic()
        assert status_of(talk(live.port, request_of(body_of(png())))) == 200
        assert silent.recv(100) == b"" and dripping.recv(100) == b""
        assert time.monotonic() - began < 30
        assert status_of(slow.recv(4096)) == 408
        assert time.monotonic() - began < 30
        assert live.held == 0


def test_a_connection_kept_alive_may_ask_again(live: Live) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as link:
        for _ in range(3):
            link.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += link.recv(4096)
            assert status_of(answer) == 200
            time.sleep(0.25)


def test_an_answer_does_not_wait_for_an_acknowledgement(live: Live) -> None:
    request = request_of(body_of(png())).replace(b"Connection: close\r\n", b"")
    times = []
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as link:
        for _ in range(40):
            began = time.perf_counter()
            link.sendall(request)
            answer = b""
            while not answer.endswith(b"true}"):
                answer += link.recv(65536)
            times.append(time.perf_counter() - began)
    assert min(times[5:]) < 0.04  # without TCP_NODELAY each takes over 40 ms


def test_half_an_upload_leaves_nothing(live: Live) -> None:
    for cut in (150, 230, 260):
        with socket.create_connection(("127.0.0.1", live.port)) as link:
            link.sendall(request_of(body_of(bytes(1000)))[:cut])
    with socket.create_connection(("127.0.0.1", live.port)) as link:
        link.sendall(request_of(body_of(bytes(1_000_000)))[:700_000])
        wait_until(lambda: live.held > 500_000)
    wait_until(lambda: live.held == 0)


def test_a_gigabyte_is_refused_by_its_length_and_while_it_streams(live: Live) -> None:
    assert status_of(talk(live.port, request_of(b"", length=1 << 30))) == 413
    sent = 0
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as link:
        head = request_of(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        start = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' % BOUNDARY
        link.sendall(head + b"%x\r\n%s\r\n" % (len(start), start))
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        try:
            while sent < 1 << 30:
                link.sendall(chunk)
                sent += 65536
        except OSError:  # the server has answered and closed
            pass
        answer = link.recv(4096)
    assert status_of(answer) == 413
    assert sent < 32 << 20  # the rest is what socket buffers took
    assert live.held == 0


SERVER = """
import sys
from headtohead.serve.app import build_app
from headtohead.serve.server import run_server
from headtohead.serve.settings import ServeSettings
from tests.unit.serve.conftest import FakeModel
settings = ServeSettings(port=0)
run_server(build_app([FakeModel(per_batch=0.05)], settings), settings)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_under_load_loses_nothing_that_was_accepted() -> None:
    root = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join([str(root / "src"), str(root)])
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env=os.environ | {"PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    assert process.stderr is not None
    ready = json.loads(process.stderr.readline())
    port = int(ready["address"].rpartition(":")[2])
    finished: list[int] = []
    lost: list[str] = []

    def client(stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                link = socket.create_connection(("127.0.0.1", port), timeout=60)
            except OSError:
                return  # not accepted
            with link:
                try:
                    link.sendall(request_of(body_of(png())))
                    answer = rest_of(link)
                except OSError:
                    return  # closed while it waited in the queue of the kernel: never accepted by the server
                if answer:
                    whole = answer.endswith(b"}") and b"predictions" in answer
                    finished.append(status_of(answer)) if whole else lost.append(repr(answer[:80]))

    stop = threading.Event()
    threads = [threading.Thread(target=client, args=(stop,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(finished) >= 16)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    stop.set()
    for thread in threads:
        thread.join()
    lines = [json.loads(line) for line in log.splitlines()]
    answered = [line["status"] for line in lines if line["event"] == "request"]
    assert process.returncode == 0 and lines[-1]["event"] == "stopped"
    assert lost == [] and set(finished) == {200} and set(answered) == {200}
    assert len(answered) == len(finished) >= 16  # every request that the server took reached its client
