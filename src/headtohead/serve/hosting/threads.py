"""Threads that do not keep the process alive: a decoder that hangs must not outlive the server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

__all__ = ["DaemonThreads"]

P = ParamSpec("P")
T = TypeVar("T")
Job = tuple[Future[T], Callable[[], T]]


class DaemonThreads(Executor):
    """An executor whose threads end with the process.

    Python waits at exit for every thread of a `ThreadPoolExecutor`, also for one that never returns, so that a server
    with a hanging decoder would have to be killed.

    Args:
        n: threads, started with the first job.
        name: prefix of their names.
    """

    def __init__(self, n: int, name: str) -> None:
        self._n, self._name = n, name
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a function called in one of the threads.

        Raises:
            RuntimeError: after `shutdown`.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("these threads have been shut down")
            if not self._started:
                self._started = True
                for number in range(self._n):
                    threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True).start()
            self._jobs.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = True) -> None:
        """End the threads after what they do now; never waited for, and what has not begun is cancelled.

        Args:
            wait: without effect, as is `cancel_futures`; both are those of every executor.
            cancel_futures: see `wait`.
        """
        del wait, cancel_futures
        with self._lock:
            self._closed = True
            while True:
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    break
                if job is not None:
                    job[0].cancel()
            for _ in range(self._n if self._started else 0):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            _do(job)
            del job  # or the last upload would be held until the next one comes


def _do(job: Job[T]) -> None:
    future, call = job
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is the future's, whatever it is
        future.set_exception(error)
    else:
        future.set_result(result)
