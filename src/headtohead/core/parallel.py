"""Threads and processes: how many there may be, ordered maps over them, and linear algebra held to one thread."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from headtohead.core.errors import ProcessLostError, UsageError

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

__all__ = [
    "cores",
    "hold_to_quota",
    "one_blas_thread",
    "ordered_map",
    "process_map",
    "quota_cores",
    "return_freed_memory",
    "share_one_heap",
    "single_threaded_blas",
]

_M_ARENA_MAX = -8  # glibc's malloc.h

T = TypeVar("T")
R = TypeVar("R")

_AHEAD_PER_WORKER = 4  # keeps every thread busy while one item is slow, and memory bounded

# What numpy's and scipy's linear algebra and OpenCV read when they are loaded.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")

# Where Linux keeps control groups, and the file that tells in which this process is.
_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def cores() -> int:
    """Return how many computations run side by side: OMP_NUM_THREADS, else the cores this process may use."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isascii() and stated.isdigit() and int(stated) > 0:
        return int(stated)
    # A container or a batch job may have fewer cores than the machine, or less than their whole time.
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(seen, quota_cores() or seen)


def quota_cores(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """Return how many cores the quota of this process amounts to, rounded down but at least 1; 0 without a quota.

    `docker run --cpus 2` and Kubernetes' limits leave all cores visible and stop the process once it has used its time:
    a network on 64 threads with a quota of two cores stands still most of the time.

    Args:
        groups: where control groups are mounted, of version 1 or 2.
        own: the file that tells in which this process is.
    """
    quotas = [*_second_version(groups, own), *_first_version(groups)]
    return max(1, int(min(quotas))) if quotas else 0


def hold_to_quota() -> None:
    """Have OpenMP, and with it torch, take no more threads than the quota, unless the user chose their number.

    It is read when OpenMP is loaded, so this comes before torch.
    """
    quota = quota_cores()
    if quota and quota < (os.cpu_count() or 1):
        os.environ.setdefault("OMP_NUM_THREADS", str(quota))


def ordered_map(
    function: Callable[[T], R], items: Iterable[T], *, workers: int, ahead: int | None = None
) -> Iterator[R]:
    """Map a function over items in threads and yield the results in the order of the items.

    joblib's generator keeps the order too, but reads its input as fast as its workers are free, so that
    results pile up behind a slow consumer; here the number of results that wait is bounded.

    Args:
        function: called once per item, in any thread.
        items: read only as far as results are taken.
        workers: number of threads, at least 1.
        ahead: most items under way or waiting to be taken; four per thread if None.

    Yields:
        `function(item)`. An exception is raised when the turn of its item comes; items that were not
        begun by then are not begun.

    Raises:
        UsageError: fewer than one worker, or nothing may be under way.

    >>> list(ordered_map(str, [3, 1, 2], workers=2))
    ['3', '1', '2']
    """
    most = _AHEAD_PER_WORKER * workers if ahead is None else ahead
    if workers < 1:
        raise UsageError(f"workers must be at least 1; got {workers}.")
    if most < 1:
        raise UsageError(f"ahead must be at least 1; got {ahead}.")
    # apart: a generator would raise the errors above only when its first result is taken
    return _results(ThreadPoolExecutor(workers), function, items, most)


def _results(pool: Executor, function: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[R]:
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # whoever stops early leaves no thread and no process behind
        for future in waiting:
            future.cancel()
        pool.shutdown(wait=True)


def process_map(function: Callable[[T], R], tasks: Iterable[T], *, workers: int) -> Iterator[R]:
    """Map a function over tasks in processes and yield the results in the order of the tasks.

    The processes are loky's (in joblib), which start as new interpreters and do not run the caller's script again, as
    those of the standard library would where it has no guard. They compute with one thread each and end with the map,
    or a second after this process, where it is killed.

    Args:
        function: importable by its name; called once per task.
        tasks: small, since each is pickled; read only as far as results are taken.
        workers: number of processes, at least 1.

    Yields:
        `function(task)`.

    Raises:
        ProcessLostError: processes cannot be started here, or one was killed, most likely for its memory.
    """
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        pool = ProcessPoolExecutor(
            workers, initializer=_end_with, initargs=(os.getpid(),), env=dict.fromkeys(_THREADS, "1")
        )
        # the processes start with the first task; whatever the function itself raises later is the caller's
        pool.submit(int).result()
    # OSError, ImportError: the system offers no semaphores, as some containers do not
    except (BrokenProcessPool, OSError, ImportError) as error:
        raise ProcessLostError(f"No worker process can be started ({type(error).__name__}).") from error
    try:
        yield from _results(pool, function, tasks, _AHEAD_PER_WORKER * workers)
    except BrokenProcessPool as error:
        raise ProcessLostError(f"A worker process was lost ({type(error).__name__}).") from error


def _end_with(parent: int) -> None:
    """End this process once its parent is gone: loky's worker would wait for work forever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, name="headtohead-parent", daemon=True).start()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS and OpenMP to one thread inside the block; libraries are loaded first, so that all are held."""
    import importlib

    from threadpoolctl import threadpool_limits

    for name in ("scipy.linalg", "sklearn.linear_model"):
        importlib.import_module(name)
    with threadpool_limits(limits=1):
        yield


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold numpy's and scipy's BLAS to one thread inside the block, at a thousandth of the cost of looking for them.

    Libraries of OpenMP are left as they are: what runs inside must use none.
    """
    with _blas_libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _blas_libraries() -> ThreadpoolController:
    """Return what holds the two libraries, which are loaded first; looking through the process takes 3 ms."""
    import importlib

    from threadpoolctl import ThreadpoolController

    importlib.import_module("scipy.linalg")
    return ThreadpoolController()


def share_one_heap() -> bool:
    """Let threads that are started from now on take memory from one heap; return whether the C library can.

    By default glibc gives a thread a heap of its own, up to eight per core. A server that starts threads for each
    connection scatters small objects over all of them, and what it holds grows although nothing is kept: 2.7 % over
    10,000 DICOM associations, 1.1 % with one heap (`benchmarks/dicom_soak.py`). Large arrays lie outside of heaps.
    """
    try:
        adjust = ctypes.CDLL(None).mallopt
    # TypeError: Windows has no library without a name; AttributeError: another C library than glibc
    except (TypeError, OSError, AttributeError):
        return False
    return bool(adjust(_M_ARENA_MAX, 1))


def return_freed_memory() -> bool:
    """Give memory that was freed back to the system, and return whether the C library can.

    glibc keeps what was taken in small pieces: a fifth of what the process held after the audit of 2,000 images.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (TypeError, OSError, AttributeError):  # as above
        return False
    return bool(trim(0))


def _second_version(groups: Path, own: Path) -> Iterator[float]:
    """Yield the quotas of the own group and of those above it; in a container its own is the topmost."""
    lines = _text(own).splitlines()
    place = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    folder = groups / place
    for group in (folder, *folder.parents):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        if quota.isdigit() and period.strip().isdigit():
            yield int(quota) / int(period)
        if group == groups:
            return


def _first_version(groups: Path) -> Iterator[float]:
    quota, period = (_text(groups / "cpu" / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
    if quota.isdigit() and period.isdigit():  # -1 is no quota
        yield int(quota) / int(period)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux, or another version
        return ""
