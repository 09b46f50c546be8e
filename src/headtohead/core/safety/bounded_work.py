"""Bounds that all threads share: the memory that files being decoded claim together, and the time that each takes.

One file's memory is bounded by what its header may claim. Eight threads with such a file each would still take eight
times that, so a thread waits here until its claim fits beside those of the others.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from headtohead.core.safety.limits import limit

__all__ = ["GATE", "Clock", "MemoryGate", "TookTooLongError", "time_limit"]

SMALL = 8 << 20
"""Claims below this many bytes pass uncounted: eight threads of them are 64 MiB, and usual images cost no lock."""

LOOK_SECONDS = 0.5  # how often the watcher looks; the limit is minutes


class MemoryGate:
    """Lets claims pass as long as they fit together; one that is larger than all may be passes alone."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._used = 0
        self._own = threading.local()

    @property
    def used(self) -> int:
        """Bytes that all threads claim now."""
        return self._used

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Give back what the thread claims inside the block when it ends; an inner block belongs to the outer one."""
        if getattr(self._own, "is_open", False):
            yield
            return
        self._own.is_open, self._own.held = True, 0
        try:
            yield
        finally:
            self._own.is_open = False
            self._give_back()

    def claim(self, n_bytes: int) -> None:
        """Wait until so many bytes fit beside the claims of other threads; outside of a scope nothing is counted.

        A thread holds its largest claim. It gives back a smaller one before it waits for a larger, so that no two
        threads wait for each other.
        """
        if n_bytes <= SMALL or not getattr(self._own, "is_open", False) or n_bytes <= self._own.held:
            return
        most = limit("memory-bytes")
        wanted = min(n_bytes, most)
        self._give_back()
        with self._free:
            self._free.wait_for(lambda: self._used + wanted <= most or self._used == 0)
            self._used += wanted
        self._own.held = wanted

    def _give_back(self) -> None:
        if self._own.held:
            with self._free:
                self._used -= self._own.held
                self._free.notify_all()
            self._own.held = 0


GATE = MemoryGate()


class TookTooLongError(BaseException):
    """Raised inside a block that took longer than its limit; no `except Exception` of a library holds it up."""


@dataclass(eq=False, slots=True)
class Clock:
    """One block under a limit.

    Attributes:
        thread: that runs it. deadline: of `time.monotonic`. expired: whether the limit was passed.
    """

    thread: int
    deadline: float
    expired: bool = False


_running: set[Clock] = set()
_lock = threading.Lock()
_watcher: threading.Thread | None = None


@contextmanager
def time_limit(seconds: float) -> Iterator[Clock]:
    """Raise `TookTooLongError` inside the block once it has run so long.

    Python code is stopped between two of its instructions; a call into C ends first. What decoders written in C may do
    is bounded by the size that a file may claim.
    """
    clock = Clock(threading.get_ident(), time.monotonic() + seconds)
    with _lock:
        _running.add(clock)
        _start_watcher()
    try:
        yield clock
    finally:
        with _lock:
            _running.discard(clock)


def _start_watcher() -> None:
    """Start the thread that looks at the clocks, again where this process is the fork of another."""
    global _watcher
    if _watcher is None or not _watcher.is_alive():
        _watcher = threading.Thread(target=_watch, name="headtohead-time-limit", daemon=True)
        _watcher.start()


def _watch() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        with _lock:
            for clock in _running:
                if now > clock.deadline and not clock.expired:
                    clock.expired = True
                    # CPython's one way to raise in another thread; its id is an unsigned long.
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(clock.thread), ctypes.py_object(TookTooLongError)
                    )
