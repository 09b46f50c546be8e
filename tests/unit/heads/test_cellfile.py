"""A cell on disk comes back to the last digit, and a foreign or damaged one is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headtohead.core.errors import RunFolderError
from headtohead.heads.base import FoldResult
from headtohead.heads.cell_io import read_cell, write_cell
from headtohead.training.records import EpochRecord, FitMetrics


def result() -> FoldResult:
    rng = np.random.default_rng(0)
    p = rng.random(7)
    inner = np.column_stack([p, 1 - p])
    inner[2] = np.nan
    test = np.array([[1 / 3, 2 / 3], [0.1 + 0.2, 0.7]])
    line = EpochRecord(1, 0.7, 0.5, None, None, 1e-3)
    return FoldResult(test, inner, FitMetrics(0.9, 0.1), FitMetrics(None, None), {"C": 0.1}, (line,))


def test_round_trip_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "cells" / "r0f0.json"
    write_cell(path, "key", result())
    back = read_cell(path, "key", 2)
    assert back is not None
    np.testing.assert_array_equal(back.probabilities, result().probabilities)
    np.testing.assert_array_equal(back.inner_probabilities, result().inner_probabilities)
    assert (back.train, back.inner, dict(back.chosen), back.epochs) == (
        result().train,
        result().inner,
        {"C": 0.1},
        result().epochs,
    )


def test_absent_is_none(tmp_path: Path) -> None:
    assert read_cell(tmp_path / "r0f0.json", "key", 2) is None


def test_another_key_is_refused(tmp_path: Path) -> None:
    write_cell(tmp_path / "c.json", "key", result())
    with pytest.raises(RunFolderError, match="other folds or settings"):
        read_cell(tmp_path / "c.json", "other", 2)


def test_a_damaged_cell_is_refused(tmp_path: Path) -> None:
    write_cell(tmp_path / "c.json", "key", result())
    whole = (tmp_path / "c.json").read_text()
    (tmp_path / "c.json").write_text(whole[: len(whole) // 2])
    with pytest.raises(RunFolderError, match="damaged"):
        read_cell(tmp_path / "c.json", "key", 2)
