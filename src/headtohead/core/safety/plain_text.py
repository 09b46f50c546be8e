"""Text from data, made safe to show: what a terminal would obey becomes visible instead."""

from __future__ import annotations

import re
from typing import IO, Any

__all__ = ["PlainStream", "raw_stream", "visible"]

# Controls (C0 but tab and line feed, DEL, C1), line and paragraph separators, marks of writing direction, characters
# that are never shown (tags), and halves of surrogate pairs, which stand for bytes of file names that are no UTF-8.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    r"""Return a text with control characters and marks of direction written as escapes, as in JSON.

    A file name or a label may hold sequences that clear the screen, set the clipboard or turn the direction of writing
    (CWE-150). In JSON such an escape stands for the same character, so that what is printed stays readable.

    >>> visible("a\x1b[2Jb\u202ec\n")
    'a\\u001b[2Jb\\u202ec\n'
    """
    return (
        _OBEYED.sub(lambda found: _escaped(found[0]), text)
        if not text.isascii() or not text.isprintable()
        else text
    )


def _escaped(letter: str) -> str:
    code = ord(letter)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


class PlainStream:
    """A text stream through which nothing passes that a terminal would obey.

    Args:
        stream: where the text goes; everything but writing is the stream's own.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.raw = stream

    def write(self, text: str) -> int:
        """Write a text; line ends of Windows stay."""
        self.raw.write("\r\n".join(visible(part) for part in text.split("\r\n")))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def raw_stream(stream: Any) -> Any:
    """Return the stream below a `PlainStream`, for a console that filters its texts itself and writes colours."""
    return stream.raw if isinstance(stream, PlainStream) else stream
