"""Read an upload into memory: multipart bodies, parsed as they arrive; nothing is ever written to disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from headtohead.serve.intake.memory import Account
from headtohead.serve.problems import ProblemError
from headtohead.serve.settings import ServeSettings

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["UploadedFile", "display_name", "read_body", "read_files"]

FIELD = b"file"
MAX_NAME = 255  # characters; as long as a file name may be on common systems
MAX_BOUNDARY = 70  # RFC 2046, 5.1.1


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file of an upload.

    Attributes:
        name: what the client calls it, without folders; goes back to the client, and nowhere else.
        content: the whole file.
    """

    name: str
    content: bytes


async def read_files(request: Request, settings: ServeSettings, account: Account) -> list[UploadedFile]:
    """Read the files of a `multipart/form-data` body, in order.

    Raises:
        ProblemError: 415 not multipart; 400 malformed; 413 too many bytes; 422 no file, too many, or
            parts that are no file; 408 too slow; 429 no memory for it now.
    """
    parser = _parser(request.headers.get("content-type"), settings)
    async for chunk in _chunks(request, settings, account):
        parser.feed(chunk)
    return parser.finish()


async def read_body(request: Request, settings: ServeSettings, account: Account) -> bytes:
    """Read a whole body into memory.

    Raises:
        ProblemError: 413 too many bytes; 408 too slow; 429 no memory for it now.
    """
    return b"".join([chunk async for chunk in _chunks(request, settings, account)])


def display_name(raw: bytes) -> str:
    r"""Return a file's name without folders, control characters and excess length.

    >>> display_name(b"C:\\scans\\a\tb.dcm"), display_name(b"../../etc/passwd"), display_name(b"")
    ('ab.dcm', 'passwd', 'unnamed')
    """
    text = raw.decode("utf-8", "replace")
    text = PureWindowsPath(PurePosixPath(text).name).name  # whole paths come with either separator
    text = "".join(c for c in text if c.isprintable()).strip()
    return text[:MAX_NAME] or "unnamed"


async def _chunks(request: Request, settings: ServeSettings, account: Account) -> AsyncIterator[bytes]:
    """Yield a body as it arrives, within the limits on bytes, memory and time."""
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and (len(stated) > 18 or int(stated) > settings.max_bytes):
        raise _too_large(settings)
    n_bytes = 0
    stream = request.stream().__aiter__()
    # Of the whole body: a byte now and then does not move it.
    deadline = asyncio.get_running_loop().time() + settings.upload_seconds
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ProblemError(
                408,
                f"The body did not arrive within {settings.upload_seconds:g} s; send it again, or fewer files.",
                # The rest of the body is not read, so no further request can follow on the connection.
                {"Connection": "close"},
            ) from None
        n_bytes += len(chunk)
        if n_bytes > settings.max_bytes:
            raise _too_large(settings)
        account.take(len(chunk))
        yield chunk


def _too_large(settings: ServeSettings) -> ProblemError:
    return ProblemError(
        413,
        f"The body is larger than {settings.max_bytes:,} bytes; send fewer or smaller files, or raise the limit "
        "of the server (--max-mb).",
        {"Connection": "close"},
    )


def _parser(content_type: str | None, settings: ServeSettings) -> _PartParser:
    from python_multipart.multipart import parse_options_header

    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data":
        raise ProblemError(
            415,
            "Expected a body of type multipart/form-data with one or more parts named `file`; for example "
            "curl -F file=@scan.dcm.",
        )
    if not 1 <= len(boundary) <= MAX_BOUNDARY:
        raise ProblemError(
            400, f"The multipart boundary has {len(boundary)} characters; expected 1 to {MAX_BOUNDARY}."
        )
    return _PartParser(boundary, settings.max_files)


@dataclass(slots=True)
class _UploadPart:
    field_name: bytes = b""
    file_name: bytes | None = None
    chunks: list[bytes] = field(default_factory=list)


class _PartParser:
    """Collects the parts of one body."""

    def __init__(self, boundary: bytes, max_files: int) -> None:
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import MultipartParser

        self._max_files = max_files
        self._parts: list[_UploadPart] = []
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._ended = False
        self._failure = FormParserError
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self._parts[-1].chunks.append(data[start:end]),
            # A header may be cut by the end of a chunk and then comes in pieces.
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._check_part,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)

    def feed(self, chunk: bytes) -> None:
        if not chunk:
            return
        try:
            self._parser.write(chunk)
        except (self._failure, ValueError, IndexError, AssertionError):
            raise _malformed("it breaks the rules of RFC 7578") from None

    def finish(self) -> list[UploadedFile]:
        if not self._ended:
            raise _malformed("it ends before its closing boundary")
        if not self._parts:
            raise ProblemError(422, "The body holds no file; send at least one part named `file`.")
        return [
            UploadedFile(display_name(part.file_name or b""), b"".join(part.chunks)) for part in self._parts
        ]

    def _begin(self) -> None:
        if len(self._parts) >= self._max_files:
            raise ProblemError(
                422, f"The body holds more than {self._max_files} files; send the rest in another request."
            )
        self._parts.append(_UploadPart())

    def _end(self) -> None:
        self._ended = True

    def _header_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        name, value = (bytes(part) for part in self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() == b"content-disposition":
            # latin-1 keeps every byte for `display_name`
            _, options = parse_options_header(value.decode("latin-1"))
            self._parts[-1].field_name = options.get(b"name", b"")
            self._parts[-1].file_name = options.get(b"filename")

    def _check_part(self) -> None:
        part = self._parts[-1]
        if part.field_name != FIELD or part.file_name is None:
            raise ProblemError(
                422,
                "The body holds a part that is not an upload named `file`; expected only parts "
                '`Content-Disposition: form-data; name="file"; filename="…"`. Options go into the address.',
            )


def _malformed(why: str) -> ProblemError:
    return ProblemError(400, f"The multipart body cannot be read: {why}.", {"Connection": "close"})
