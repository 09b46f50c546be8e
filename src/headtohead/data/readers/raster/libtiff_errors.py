"""Capture libtiff's error messages and raise them as `UnreadableError`.

libtiff prints its errors on stderr and still returns some damaged pages as if they were whole (a fax page with
unknown codes). So its error handler is replaced while a TIFF file is read, and restored afterwards. Where
Pillow's libtiff cannot be reached, nothing is changed.

Source: TIFFSetErrorHandler of libtiff 4 (TIFFError(3)): handler(module, format, va_list).
"""

from __future__ import annotations

import ctypes
import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headtohead.core.errors import UnreadableError

__all__ = ["capture_libtiff_errors"]

_LONGEST = 160  # characters of one message
_MAX_MESSAGES = 20  # of one file; the first says why
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


class _ErrorHandler:
    """libtiff's error handler while any thread reads; collects messages per thread."""

    def __init__(self, set_handler: Any, format_message: Any) -> None:
        self._set, self._format = set_handler, format_message
        self._lock = threading.Lock()
        self._messages: dict[int, list[str]] = {}
        self._handler = _Handler(self._on_error)
        self._before: int | None = None

    def _on_error(self, module: bytes | None, template: bytes | None, values: int | None) -> None:
        messages = self._messages.get(threading.get_ident())
        if messages is None or len(messages) >= _MAX_MESSAGES:
            return
        buffer = ctypes.create_string_buffer(_LONGEST)
        self._format(buffer, ctypes.c_size_t(_LONGEST), template, ctypes.c_void_p(values))
        text = b"%s: %s" % (module or b"libtiff", buffer.value)
        messages.append("".join(c for c in text.decode("ascii", "replace") if c.isprintable()))

    @contextmanager
    def collecting(self) -> Iterator[list[str]]:
        thread = threading.get_ident()
        messages: list[str] = []
        with self._lock:
            if not self._messages:
                self._before = self._set(ctypes.cast(self._handler, ctypes.c_void_p))
            self._messages[thread] = messages
        try:
            yield messages
        finally:
            with self._lock:
                del self._messages[thread]
                if not self._messages:
                    self._set(self._before)


@functools.lru_cache(maxsize=1)
def _error_handler() -> _ErrorHandler | None:
    """Return the handler of Pillow's own libtiff; None where it cannot be reached."""
    import PIL._imaging

    if sys.platform == "win32" or sys.maxsize < 1 << 32:
        return None
    try:
        set_handler = ctypes.CDLL(str(PIL._imaging.__file__)).TIFFSetErrorHandler
        format_message = ctypes.CDLL(None).vsnprintf
    except (OSError, AttributeError):
        return None
    set_handler.restype, set_handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    return _ErrorHandler(set_handler, format_message)


_CREATION = threading.Lock()


@contextmanager
def capture_libtiff_errors() -> Iterator[None]:
    """Capture libtiff's errors inside the block and refuse what it could not decode.

    Raises:
        UnreadableError: the block's own, with libtiff's first message added, or that of an image which came
            back in spite of errors in its coded data.
    """
    with _CREATION:
        handler = _error_handler()
    if handler is None:
        yield
        return
    with handler.collecting() as messages:
        try:
            yield
        except UnreadableError as error:
            raise UnreadableError(
                f"{error}; libtiff says {messages[0]!r}" if messages else str(error)
            ) from None
    # libtiff's decoders are called LZWDecode, Fax3Decode1D, …; other functions complain of tags
    broken = [text for text in messages if "Decode" in text.partition(":")[0]]
    if broken:
        raise UnreadableError(f"its pixel data are damaged: libtiff says {broken[0]!r}")
