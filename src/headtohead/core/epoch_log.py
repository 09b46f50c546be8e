"""The lines of `metrics.jsonl`: one per epoch of a training; rewritten whole, so that no kill doubles or loses one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic

__all__ = ["read_epoch_log", "write_epoch_log"]


def read_epoch_log(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file, none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def write_epoch_log(path: Path, training: str, lines: Sequence[Mapping[str, Any]]) -> None:
    """Make `lines` the only ones of `training` in the file; those of others stay as they are.

    Args:
        lines: one per epoch, in order.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "metrics.jsonl"
    >>> write_epoch_log(path, "main", [{"epoch": 1}])
    >>> write_epoch_log(path, "main", [{"epoch": 1}, {"epoch": 2}])
    >>> read_epoch_log(path)
    [{'training': 'main', 'epoch': 1}, {'training': 'main', 'epoch': 2}]
    """
    others = [line for line in read_epoch_log(path) if line["training"] != training]
    own = [{"training": training, **line} for line in lines]
    write_atomic(path, "".join(json.dumps(line) + "\n" for line in [*others, *own]))
