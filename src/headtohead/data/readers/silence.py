"""Mute warnings and log messages of the decoding libraries.

Pillow, pydicom, nibabel and tifffile warn and log about odd files, at times quoting values (a patient's
name among them). What matters of it is in the history or in the error; the rest must reach neither
the terminal nor a log file.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["suppress_library_output"]

_LOGGERS = ("pydicom", "pylibjpeg", "openjpeg", "rle", "nibabel", "nibabel.global", "PIL", "tifffile")


class _OutputMute:
    """Reference count of muted blocks: the first sets filters and loggers, the last restores them.

    `warnings.catch_warnings` alone is not safe in threads: two that overlap restore each other's
    filters. The lock is held only while counting, so decoding runs in parallel. In that window a
    warning of another thread is lost too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._filters = warnings.catch_warnings()
        self._loggers: list[tuple[logging.Logger, bool, list[logging.Handler]]] = []

    def enter(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
                self._mute()

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._filters.__exit__(None, None, None)
                for logger, propagate, handlers in self._loggers:
                    logger.propagate, logger.handlers = propagate, handlers

    def _mute(self) -> None:
        """Stop records of these loggers and all below them from going anywhere."""
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        self._loggers = [(logger, logger.propagate, logger.handlers) for logger in loggers]
        for logger in loggers:
            logger.propagate, logger.handlers = False, [logging.NullHandler()]


_MUTE = _OutputMute()


@contextmanager
def suppress_library_output() -> Iterator[None]:
    """Mute warnings and the libraries' loggers inside the block; safe in threads and when nested."""
    _MUTE.enter()
    try:
        yield
    finally:
        _MUTE.leave()
