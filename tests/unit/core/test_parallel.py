"""The ordered map: order, bound and errors."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from headtohead.core.errors import ProcessLostError, UsageError
from headtohead.core.parallel import ordered_map, process_map, return_freed_memory, share_one_heap


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("ahead", [None, 1, 3])
def test_results_come_in_the_order_of_the_items(workers: int, ahead: int | None) -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.01 if number % 4 == 0 else 0)
        return number * number

    assert list(ordered_map(slow_first, range(20), workers=workers, ahead=ahead)) == [
        i * i for i in range(20)
    ]


def test_no_more_items_are_read_than_may_wait() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    results = ordered_map(lambda number: number, items(), workers=2, ahead=5)
    assert next(results) == 0 and len(read) == 5
    assert next(results) == 1 and len(read) == 6


def test_an_exception_comes_in_its_turn_and_ends_the_work() -> None:
    begun: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            begun.append(number)
        if number == 3:
            raise ValueError("three")
        return number

    results = ordered_map(work, range(1000), workers=2, ahead=4)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert max(begun) < 10


def test_threads_end_when_the_consumer_stops() -> None:
    before = threading.active_count()
    results = ordered_map(lambda number: number, range(100), workers=3)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


@pytest.mark.parametrize(("workers", "ahead"), [(0, None), (-1, None), (2, 0)])
def test_numbers_that_do_no_work_are_refused(workers: int, ahead: int | None) -> None:
    with pytest.raises(UsageError, match="must be at least 1; got"):
        ordered_map(str, [1], workers=workers, ahead=ahead)


def process_of(number: int) -> tuple[int, int, str]:
    return number, os.getpid(), os.environ["OMP_NUM_THREADS"]


def refuse(number: int) -> int:
    raise ValueError(f"number {number}")


def miss(number: int) -> int:
    raise FileNotFoundError(f"number {number}")


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_processes_keep_the_order_and_end_with_the_map() -> None:
    results = list(process_map(process_of, range(20), workers=2))
    assert [number for number, _, _ in results] == list(range(20))
    assert {threads for _, _, threads in results} == {"1"}
    others = {pid for _, pid, _ in results}
    assert os.getpid() not in others
    for pid in others:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_an_error_in_a_process_is_the_callers() -> None:
    with pytest.raises(ValueError, match="number 0"):
        list(process_map(refuse, range(3), workers=2))


def test_an_error_of_the_system_in_the_function_is_the_callers_too() -> None:
    with pytest.raises(FileNotFoundError, match="number 0"):
        list(process_map(miss, range(3), workers=2))


def test_a_system_without_processes_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from joblib.externals.loky import ProcessPoolExecutor

    def refused(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", refused)
    with pytest.raises(ProcessLostError, match="No worker process can be started"):
        list(process_map(process_of, range(3), workers=2))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_process_that_is_killed_is_said_to_be_lost() -> None:
    with pytest.raises(ProcessLostError, match="A worker process was lost"):
        list(process_map(die, range(3), workers=2))


WAITING = """
import os, time
from tests.unit.core.test_parallel import wait_here
from headtohead.core.parallel import process_map
for found in process_map(wait_here, range(8), workers=2):
    print(found, flush=True)
"""


def wait_here(number: int) -> int:
    if number > 1:
        time.sleep(60)
    return os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="there a job ends its processes")
def test_processes_do_not_outlive_the_one_that_started_them() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)
        parent.kill()
        parent.wait()
        for _ in range(600):  # until it is gone, which takes about a second
            try:
                os.kill(worker, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)
    pytest.fail("the process is still there after a minute")


HEAPS = """
import ctypes, sys, threading
from headtohead.core.parallel import share_one_heap
if {shared}:
    assert share_one_heap()
together = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (together.wait(), bytes(2000), together.wait())) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
c = ctypes.CDLL(None)
c.fopen.restype, c.malloc_info.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
c.fclose.argtypes = (ctypes.c_void_p,)
file = c.fopen(sys.argv[1].encode(), b"w")
c.malloc_info(0, file)
c.fclose(file)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_threads_share_one_heap(tmp_path: Path) -> None:
    if not hasattr(ctypes.CDLL(None), "malloc_info"):
        pytest.skip("the C library is not glibc")
    counts = []
    for shared in (False, True):
        code, file = HEAPS.format(shared=shared), tmp_path / f"{shared}.xml"
        subprocess.run([sys.executable, "-c", code, file], check=True)
        counts.append(file.read_text().count("<heap nr="))
    assert counts[0] > counts[1] == 1


def test_a_c_library_without_heaps_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert share_one_heap() is False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone can")
def test_freed_memory_goes_back_to_the_system() -> None:
    def held() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4

    pieces = [bytes(1000) for _ in range(100_000)]
    kept = pieces[::1000]  # which hold their pages, and the end of the heap with them
    full = held()
    del pieces
    assert return_freed_memory()
    assert full - held() > 50_000, "of 100,000 kB"
    assert len(kept) == 100


def test_a_c_library_that_cannot_return_memory_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: SimpleNamespace())
    assert not return_freed_memory()
