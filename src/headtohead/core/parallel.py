"""Threads: a bounded, ordered map over them, and linear algebra held to one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from headtohead.core.errors import UsageError

__all__ = ["cores", "ordered_map", "single_threaded_blas"]

T = TypeVar("T")
R = TypeVar("R")

_AHEAD_PER_WORKER = 4  # keeps every thread busy while one item is slow, and memory bounded


def cores() -> int:
    """Return how many computations run side by side: OMP_NUM_THREADS, else the cores of this process."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isascii() and stated.isdigit() and int(stated) > 0:
        return int(stated)
    # A container or a batch job may have fewer cores than the machine.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    return _results(function, items, workers, most)


def _results(function: Callable[[T], R], items: Iterable[T], workers: int, most: int) -> Iterator[R]:
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # whoever stops early leaves no thread behind


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS and OpenMP to one thread inside the block; libraries are loaded first, so that all are held."""
    import importlib

    from threadpoolctl import threadpool_limits

    for name in ("scipy.linalg", "sklearn.linear_model"):
        importlib.import_module(name)
    with threadpool_limits(limits=1):
        yield
