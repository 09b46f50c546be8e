"""What libtiff says about a damaged file: made the reason of the refusal, and not printed.

libtiff prints its errors on stderr, and of some it makes no more: a fax page with unknown code words comes
back as if it were whole. Its error handler can be set by anyone who shares the process, so it is set while a
TIFF file is read and put back afterwards. Where Pillow keeps its libtiff out of reach, nothing is changed.

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

_LONGEST = 160
_MOST = 20
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


class _Ear:
    """Holds libtiff's error handler while anyone reads, and keeps apart what each thread is told."""

    def __init__(self, set_handler: Any, say: Any) -> None:
        self._set, self._say = set_handler, say
        self._lock = threading.Lock()
        self._heard: dict[int, list[str]] = {}
        self._handler = _Handler(self._hear)
        self._before: int | None = None

    def _hear(self, module: bytes | None, form: bytes | None, values: int | None) -> None:
        heard = self._heard.get(threading.get_ident())
        if heard is None or len(heard) >= _MOST:
            return
        buffer = ctypes.create_string_buffer(_LONGEST)
        self._say(buffer, ctypes.c_size_t(_LONGEST), form, ctypes.c_void_p(values))
        words = b"%s: %s" % (module or b"libtiff", buffer.value)
        heard.append("".join(c for c in words.decode("ascii", "replace") if c.isprintable()))

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        me = threading.get_ident()
        heard: list[str] = []
        with self._lock:
            if not self._heard:
                self._before = self._set(ctypes.cast(self._handler, ctypes.c_void_p))
            self._heard[me] = heard
        try:
            yield heard
        finally:
            with self._lock:
                del self._heard[me]
                if not self._heard:
                    self._set(self._before)


@functools.lru_cache(maxsize=1)
def _ear() -> _Ear | None:
    """Return the ear at Pillow's own libtiff; None where it is not within reach."""
    import PIL._imaging

    if sys.platform == "win32" or sys.maxsize < 1 << 32:
        return None
    try:
        set_handler = ctypes.CDLL(str(PIL._imaging.__file__)).TIFFSetErrorHandler
        say = ctypes.CDLL(None).vsnprintf
    except (OSError, AttributeError):
        return None
    set_handler.restype, set_handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    return _Ear(set_handler, say)


_MAKING = threading.Lock()


@contextmanager
def capture_libtiff_errors() -> Iterator[None]:
    """Silence libtiff inside the block; refuse what it could not decode, in its own words.

    Raises:
        UnreadableError: the block's own, with libtiff's first words added, or that of an image which came
            back in spite of errors in its coded data.
    """
    with _MAKING:
        ear = _ear()
    if ear is None:
        yield
        return
    with ear.listening() as heard:
        try:
            yield
        except UnreadableError as error:
            raise UnreadableError(f"{error}; libtiff says {heard[0]!r}" if heard else str(error)) from None
    broken = [words for words in heard if "Decode" in words.partition(":")[0]]
    if broken:
        raise UnreadableError(f"its pixel data are damaged: libtiff says {broken[0]!r}")
