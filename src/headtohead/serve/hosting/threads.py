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
        lasting: whether they wait for the next job; otherwise they end when there is none, and with them what
            libraries keep for each thread.
    """

    def __init__(self, n: int, name: str, *, lasting: bool = True) -> None:
        self._n, self._name, self._lasting = n, name, lasting
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._alive = self._unfinished = 0

    @property
    def busy(self) -> bool:
        """Whether a job waits or is in progress."""
        return self._unfinished > 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a function called in one of the threads.

        Raises:
            RuntimeError: after `shutdown`.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("these threads have been shut down")
            self._unfinished += 1
            self._jobs.put((future, lambda: fn(*args, **kwargs)))
            while self._alive < self._n:
                threading.Thread(target=self._work, name=f"{self._name}-{self._alive}", daemon=True).start()
                self._alive += 1
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
            for _ in range(self._alive):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            _do(job, self._finished)
            del job  # or the last upload would be held until the next one comes

    def _next(self) -> Job[Any] | None:
        """Return a job, or None where the thread is to end."""
        if self._lasting:
            return self._jobs.get()
        with self._lock:  # so that no job comes between the look and the end
            try:
                return self._jobs.get_nowait()
            except Empty:
                self._alive -= 1
                return None

    def _finished(self) -> None:
        with self._lock:
            self._unfinished -= 1


def _do(job: Job[T], finished: Callable[[], None]) -> None:
    """Do a job; it is no longer counted when its result is there."""
    future, call = job
    if not future.set_running_or_notify_cancel():
        finished()
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is the future's, whatever it is
        finished()
        future.set_exception(error)
    else:
        finished()
        future.set_result(result)
