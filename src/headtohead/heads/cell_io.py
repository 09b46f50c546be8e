"""A finished cell on disk: one JSON file, whole or absent; floats round-trip to the last digit."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import RunFolderError
from headtohead.core.run_folder import FORMAT
from headtohead.heads.base import FoldResult
from headtohead.training.records import EpochRecord, FitMetrics, Floats

__all__ = ["read_cell", "write_cell"]


def write_cell(path: Path, key: str, result: FoldResult) -> None:
    """Write the result of a cell.

    Args:
        path: where to.
        key: identifies what the result was computed from.
        result: of one contender on one fold.
    """
    content = {
        "format": FORMAT,
        "key": key,
        "probabilities": result.probabilities.tolist(),
        "inner_probabilities": _nan_rows_to_none(result.inner_probabilities),
        "train": asdict(result.train),
        "inner": asdict(result.inner),
        "chosen": dict(result.chosen),
        "epochs": [asdict(epoch) for epoch in result.epochs],
    }
    write_atomic(path, json.dumps(content, allow_nan=False))  # JSON has no NaN; such rows are None by now


def read_cell(path: Path, key: str, k: int) -> FoldResult | None:
    """Return the result of a finished cell, or None where there is none.

    Args:
        path: of the cell's file.
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
                f"The cell {path} was computed from other folds or settings, or by another version of fitting. "
                "Remove it, or choose another --out."
            )
        return FoldResult(
            np.asarray(content["probabilities"], dtype=np.float64).reshape(-1, k),  # (0, k) of no rows
            _none_to_nan_rows(content["inner_probabilities"], k),
            FitMetrics(**content["train"]),
            FitMetrics(**content["inner"]),
            content["chosen"],
            tuple(EpochRecord(**epoch) for epoch in content["epochs"]),
        )
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"The cell {path} is damaged ({type(error).__name__}). Remove it and run again."
        ) from error


def _nan_rows_to_none(rows: Floats) -> list[list[float] | None]:
    return [None if np.isnan(row).any() else row.tolist() for row in rows]


def _none_to_nan_rows(rows: list[list[float] | None], k: int) -> Floats:
    missing = [float("nan")] * k
    return np.asarray([missing if row is None else row for row in rows], dtype=np.float64).reshape(-1, k)
