"""Threads of the server: results, errors and cancelled jobs come back, and a hanging one does not hold up the exit."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest
from tests.unit.serve.conftest import BOUNDARY, body_of, dicom, png

from headtohead.serve.hosting.threads import DaemonThreads

ROOT = Path(__file__).resolve().parents[3]
SERVER = """
import sys, threading
from headtohead.serve import app
from headtohead.serve.intake import inspect_upload
from headtohead.serve.server import run_server
from headtohead.serve.settings import ServeSettings
from tests.unit.serve.conftest import FakeModel

def hang(*_):
    print("hangs", flush=True)
    threading.Event().wait()

settings = ServeSettings(port=0, shutdown_seconds=0.5)
built = app.build_app([FakeModel()], settings)
if sys.argv[1] == "model":
    built._app.state.server.registry.get(None).queue._predict = hang
else:
    inspect_upload._inspect = hang
run_server(built, settings)
"""


def test_results_and_errors_are_those_of_the_function() -> None:
    threads = DaemonThreads(2, "t")
    names = {threads.submit(lambda: threading.current_thread().name).result(60) for _ in range(20)}
    assert names <= {"t-0", "t-1"}
    assert threads.submit(divmod, 7, 2).result(60) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 1, 0).result(60)
    threads.shutdown()


def test_shutdown_cancels_what_waits_and_takes_no_more() -> None:
    threads, go = DaemonThreads(1, "t"), threading.Event()
    begun = threading.Event()

    def work() -> int:
        begun.set()
        go.wait(60)
        return 1

    running, waiting = threads.submit(work), threads.submit(int)
    assert begun.wait(60)
    threads.shutdown()
    assert waiting.cancelled() and not running.done()
    with pytest.raises(RuntimeError, match="shut down"):
        threads.submit(int)
    go.set()
    assert running.result(60) == 1


def test_a_thread_that_waits_holds_nothing_of_its_last_job() -> None:
    class Upload:
        pass

    threads, upload = DaemonThreads(1, "t"), Upload()
    gone = weakref.ref(upload)
    threads.submit(lambda one: None, upload).result(60)
    del upload
    threads.submit(int).result(60)
    assert gone() is None
    threads.shutdown()


def test_threads_that_do_not_last_end_and_come_again() -> None:
    threads = DaemonThreads(1, "t", lasting=False)
    first = threads.submit(threading.current_thread).result(60)
    first.join(60)
    assert not first.is_alive()
    go = threading.Event()
    threads.submit(go.wait, 60)
    jobs = [threads.submit(threading.current_thread) for _ in range(5)]
    assert sum(thread.name == "t-0" for thread in threading.enumerate()) == 1  # one at a time
    go.set()
    (again,) = {job.result(60) for job in jobs}
    assert again is not first
    again.join(60)
    threads.shutdown()


def test_threads_are_busy_until_the_last_job_is_done() -> None:
    threads, go = DaemonThreads(1, "t"), threading.Event()
    seen = list[bool]()
    threads.submit(go.wait, 60)
    threads.submit(divmod, 1, 0)
    last = threads.submit(int)
    last.add_done_callback(lambda _: seen.append(threads.busy))
    assert threads.busy
    go.set()
    last.result(60)
    assert not threads.busy
    threads.shutdown()
    assert seen == [False]


EARLY = """
import os, signal, uvicorn
from headtohead.serve.app import build_app
from headtohead.serve.server import run_server
from headtohead.serve.settings import ServeSettings
from tests.unit.serve.conftest import FakeModel

run = uvicorn.Server.run

def early(*given, **named):
    os.kill(os.getpid(), signal.SIGTERM)
    run(*given, **named)

uvicorn.Server.run = early
settings = ServeSettings(port=0)
run_server(build_app([FakeModel()], settings), settings)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_a_signal_between_ready_and_running_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["ready", "stopped"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
@pytest.mark.parametrize("where", ["model", "header"])
def test_the_server_ends_although_a_decoder_hangs(where: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, where],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    try:
        assert process.stderr is not None and process.stdout is not None
        ready: dict[str, Any] = json.loads(process.stderr.readline())
        body = body_of(png() if where == "model" else dicom())  # a small PNG is read without a thread
        head = (
            f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n\r\n"
        )
        port = int(ready["address"].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
            link.sendall(head.encode() + body)
            assert process.stdout.readline() == "hangs\n"
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert json.loads(log.splitlines()[-1])["event"] == "stopped"
