"""A finished cell on disk: one JSON file, whole or absent, floats round-trip to the last digit."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import RunFolderError
from headtohead.heads.base import FoldResult
from headtohead.training.records import EpochRecord, FitMetrics

__all__ = ["read_cell", "write_cell"]

Floats = npt.NDArray[np.float64]


def write_cell(path: Path, key: str, result: FoldResult) -> None:
    """Write a cell's result; `key` identifies what it was computed from."""
    content = {
        "key": key,
        "probabilities": result.probabilities.tolist(),
        "inner_probabilities": _with_gaps(result.inner_probabilities),
        "train": asdict(result.train),
        "inner": asdict(result.inner),
        "chosen": dict(result.chosen),
        "epochs": [asdict(line) for line in result.epochs],
    }
    write_atomic(path, json.dumps(content, allow_nan=False))


def read_cell(path: Path, key: str, k: int) -> FoldResult | None:
    """Return a finished cell, or None where there is none.

    Args:
        key: what it must have been computed from.
        k: number of classes.

    Raises:
        RunFolderError: the file is damaged, or was computed from something else.
    """
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        if content["key"] != key:
            raise RunFolderError(
                f"The cell {path} was computed from other folds or settings. "
                "Remove it, or choose another --out."
            )
        return FoldResult(
            np.asarray(content["probabilities"], dtype=np.float64).reshape(-1, k),
            _without_gaps(content["inner_probabilities"], k),
            FitMetrics(**content["train"]),
            FitMetrics(**content["inner"]),
            content["chosen"],
            tuple(EpochRecord(**line) for line in content["epochs"]),
        )
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"The cell {path} is damaged ({type(error).__name__}). Remove it and run again."
        ) from error


def _with_gaps(rows: Floats) -> list[list[float] | None]:
    return [None if np.isnan(row).any() else row.tolist() for row in rows]


def _without_gaps(rows: list[list[float] | None], k: int) -> Floats:
    gap = [float("nan")] * k
    return np.asarray([gap if row is None else row for row in rows], dtype=np.float64).reshape(-1, k)
