"""What a server may be asked for: where it listens, who may ask, and how much."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from headtohead.core.errors import UsageError
from headtohead.core.tables.score import Record

__all__ = ["MIB", "ServeSettings", "is_loopback", "read_token"]

MIB = 1 << 20
MIN_TOKEN_CHARACTERS = 16  # 16 random characters are about 96 bits: out of reach of guessing over a network


class ServeSettings(Record):
    """The settings of a server.

    Attributes:
        host: address to listen on. Anything but loopback needs a token file.
        port: TCP port; 0 lets the system choose.
        token_file: file whose first line is the token that clients send as `Authorization: Bearer …`.
        allow_hosts: further names by which clients may address the server (the `Host` header).
        max_bytes: of one request's body, counted as they arrive.
        max_files: images in one request.
        max_pixels: height x width that an image's header may claim.
        max_memory: bytes of all uploads held at one time.
        max_requests: requests that carry images and are answered at one time.
        max_queue: images that may wait for one model; the next is refused with 429.
        max_batch: images that one model takes at a time, if they already wait.
        upload_seconds: time to send a body.
        answer_seconds: time from the last byte of a body to the answer.
        header_seconds: time to send the head of a request.
        shutdown_seconds: time that requests in progress have to end after SIGTERM.
        watch_seconds: how often the files of a bundle are looked at for changes.
        keep_alive_seconds: how long an idle connection stays open.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    token_file: Path | None = None
    allow_hosts: tuple[str, ...] = ()
    max_bytes: int = Field(default=64 * MIB, ge=1)
    max_files: int = Field(default=64, ge=1)
    max_pixels: int = Field(default=64_000_000, ge=1)
    max_memory: int = Field(default=512 * MIB, ge=1)
    max_requests: int = Field(default=128, ge=1)
    max_queue: int = Field(default=256, ge=1)
    max_batch: int = Field(default=16, ge=1, le=256)
    upload_seconds: float = Field(default=30, gt=0)
    answer_seconds: float = Field(default=60, gt=0)
    header_seconds: float = Field(default=10, gt=0)
    shutdown_seconds: float = Field(default=30, gt=0)
    watch_seconds: float = Field(default=2, gt=0)
    keep_alive_seconds: int = Field(default=5, ge=1)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not is_loopback(self.host) and self.token_file is None:
            raise ValueError(
                f"host {self.host} can be reached from other machines, and no token file was given; give "
                "--token-file FILE (its first line is the token), or listen on 127.0.0.1"
            )
        if self.max_files > self.max_queue:
            raise ValueError(
                f"max_files is {self.max_files} and max_queue {self.max_queue}: a full request could never wait; "
                "give max_queue >= max_files"
            )
        return self


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def read_token(path: Path) -> str:
    """Return the token that a file holds in its first line.

    Raises:
        UsageError: the file cannot be read, or its token is too short or holds spaces.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The token file {path} cannot be read ({type(error).__name__}); expected a text file with the token "
            "in its first line."
        ) from None
    token = lines[0].strip() if lines else ""
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"The token in {path} has {len(token)} characters; expected at least {MIN_TOKEN_CHARACTERS} printable "
            "ASCII characters without spaces. Make one with: python -c 'import secrets; "
            "print(secrets.token_urlsafe(32))'"
        )
    return token
