"""`.xz` files, with a bound on the memory that their dictionary asks for."""

from __future__ import annotations

import io
import lzma
from typing import IO, Any

__all__ = ["MAX_DICTIONARY", "XzStream"]

MAX_DICTIONARY = 128 << 20
"""Bytes of an LZMA dictionary; `xz -9` and 7-Zip's strongest usual setting take 64 MiB."""


class XzStream(io.RawIOBase):
    """What an `.xz` file unpacks to, with a bound on the dictionary, which `lzma.LZMAFile` does not take."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpacker = self._fresh()

    @staticmethod
    def _fresh() -> lzma.LZMADecompressor:
        # the limit is on all that liblzma asks for, the dictionary and its own state
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * MAX_DICTIONARY)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill a buffer, and return how many bytes were put there; 0 at the end."""
        while True:
            packed = b""
            if self._unpacker.eof:  # a file may hold several streams, with padding between them
                packed = self._unpacker.unused_data.lstrip(b"\0") or self._file.read(1 << 16).lstrip(b"\0")
                if not packed:
                    return 0
                self._unpacker = self._fresh()
            elif self._unpacker.needs_input:
                packed = self._file.read(1 << 16)
                if not packed:
                    raise EOFError("the compressed file ends early")
            found = self._unpacker.decompress(packed, len(target))
            if found:
                target[: len(found)] = found
                return len(found)
