"""Files that are written whole or not at all."""

from __future__ import annotations

import io
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from headtohead.core.errors import RunFolderError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_writable", "write_atomic", "write_json", "write_streamed", "write_table"]


def check_writable(target: Path, *, folder: bool = False) -> Path:
    """Return the target if a file or folder of that name can be written, before any long work.

    Nothing is made: the nearest folder that exists is looked at.

    Args:
        target: where to. folder: it is to be a folder, not a file.

    Raises:
        RunFolderError: it cannot, and why.
    """
    found = target
    while not found.exists() and found != found.parent:
        found = found.parent
    if found == target and folder != found.is_dir() and found.exists():
        there, wanted = ("file", "folder") if folder else ("folder", "file")
        raise RunFolderError(
            f"Cannot write to {target}: it is a {there}, and a {wanted} is expected. Choose another --out."
        )
    if found != target and not found.is_dir():
        raise RunFolderError(
            f"Cannot write to {target}: {found} is a file, not a folder. Choose another --out."
        )
    if not os.access(found, os.W_OK):
        raise RunFolderError(
            f"Cannot write to {target}: {found} is read-only, or not yours. Choose another --out."
        )
    return target


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and the file is
    renamed over the old one. A file that already holds just these bytes is left alone.

    Args:
        path: where to; missing parent folders are made.
        content: bytes, or text to be stored as UTF-8.
    """
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return
    write_streamed(path, lambda stream: stream.write(data))


def write_streamed(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file as `write_atomic` does, without its whole content in memory.

    Args:
        path: where to; missing parent folders are made.
        write: puts the content into the stream that it is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _replace(path, write)
    except OSError as error:
        if error.errno is not None:
            error.filename = str(path)  # the user knows this name, not that of the temporary file
        raise


def _replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write to a temporary file beside the path, and rename it."""
    # Not `mkstemp`, which leaves a file for its owner alone: the user's umask decides who may read it.
    short = os.fsdecode(os.fsencode(path.name)[:100])  # a name may have 255 bytes
    temporary = path.parent / f".{short}.{secrets.token_hex(8)}"
    # O_EXCL: a link of that name, which could lead elsewhere, is not followed.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            # A rename may reach the disk before the bytes do: a power cut would leave an empty file.
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:  # Ctrl-C too
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON (sorted keys are not forced; floats round-trip; no NaN)."""
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet without its index."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_atomic(path, buffer.getvalue())
