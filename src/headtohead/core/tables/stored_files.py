"""Files of a run folder as they come back, perhaps from another hospital: bounded, checked, and refused by name."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from headtohead.core.config import RunConfig, parse_config
from headtohead.core.errors import ManifestError, RunFolderError
from headtohead.core.safety.limits import limit, raise_hint

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_as", "read_config", "read_frame", "read_json_file", "read_settings"]

RecordT = TypeVar("RecordT", bound=BaseModel)
UNREADABLE = (OSError, ValueError, RecursionError, MemoryError)
"""What damaged text raises on its way through decoding and parsing; UnicodeDecodeError is a ValueError."""

MAX_CONFIG = 256 << 10  # the longest study.toml of the tests takes 3 KB
MAX_DOTS = 500  # a TOML key of n parts takes n squared, and no setting has more than three


def read_json_file(path: Path) -> dict[str, Any]:
    """Return the table in one of the JSON files that headtohead writes.

    Raises:
        RunFolderError: it cannot be read, is too large, or holds something else than a table.
    """
    try:
        if path.stat().st_size > limit("record-bytes"):
            raise ValueError(f"it has {path.stat().st_size:,} bytes; {raise_hint('record-bytes')}")
        found = json.loads(path.read_text(encoding="utf-8"))
    except UNREADABLE as error:
        raise _damaged(path, error) from error
    if not isinstance(found, dict):
        raise RunFolderError(f"{path} holds a {type(found).__name__}; expected a table. It is damaged.")
    return found


def read_as(record: type[RecordT], content: Any, path: Path) -> RecordT:
    """Return the content of a file as a record.

    Raises:
        RunFolderError: it does not have the record's fields.
    """
    try:
        return record.model_validate(content)
    except (ValidationError, RecursionError) as error:
        first = (
            error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "nested too deep"}
        )
        place = ".".join(map(str, first["loc"]))
        raise RunFolderError(
            f"{path} is not what headtohead writes: {place or 'its top'}: {first['msg']}. It is damaged, was "
            "changed, or comes from another version."
        ) from error


def read_config(path: Path) -> RunConfig:
    """Return the configuration in a `study.toml`.

    Raises:
        RunFolderError: it cannot be read, or is no configuration.
    """
    try:
        return parse_config(_config_text(path))
    except (*UNREADABLE, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path, error) from error


def read_settings(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of a `study.toml` for people, less the folders that its paths name, and its settings.

    Raises:
        RunFolderError: it cannot be read.
    """
    try:
        text = _config_text(path)
        settings = tomllib.loads(text)
    except UNREADABLE as error:
        raise _damaged(path, error) from error
    lines = []
    for line in text.splitlines():
        name = line.partition(" = ")[0]
        if name in ("data", "groups") and isinstance(place := settings.get(name), str):
            last = re.split(r"[\\/]", place.rstrip("/"))[-1]
            line = f"{name} = {json.dumps(last, ensure_ascii=False)}"
        lines.append(re.sub(r"(?<=path:)[^,()?\"]*[\\/]", "", line))
    return "\n".join(lines) + "\n", settings


def _config_text(path: Path) -> str:
    if path.stat().st_size > MAX_CONFIG:
        raise ValueError(f"it has {path.stat().st_size:,} bytes; expected at most {MAX_CONFIG:,}")
    text = path.read_text(encoding="utf-8")
    if any(line.count(".") > MAX_DOTS for line in text.splitlines()):
        raise ValueError(f"a line has more than {MAX_DOTS} dots")
    return text


def read_frame(path: Path) -> pd.DataFrame:
    """Return one of the tables of a run folder.

    Raises:
        RunFolderError: it is no Parquet file, or claims more than the limits.
    """
    from headtohead.core.tables.parquet import read_parquet_frame

    try:
        return read_parquet_frame(path.name, path.read_bytes())
    except (ManifestError, *UNREADABLE) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> RunFolderError:
    reason = "the memory is used up" if isinstance(error, MemoryError) else " ".join(str(error).split())[:200]
    return RunFolderError(
        f"{path} cannot be read: {reason or type(error).__name__}. It is damaged, or was changed."
    )
