"""Calibration is learnt from out-of-fold predictions, never from what the model was fitted on."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from tests.planting.trained_model import PROBE, finished_run, trained

from headtohead.core.errors import RunFolderError
from headtohead.deploy.training.calibrate import (
    cross_fitted_calibration,
    fit_calibration,
    out_of_fold,
    out_of_fold_lines,
)
from headtohead.stats.calibration.recalibration import fit_temperature
from headtohead.stats.inner_predictions import InnerCell

CLASSES = ("no", "yes")


def table(n: int = 120, sharpness: float = 3.0) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, n)
    logit = (2 * label - 1) * 0.7 + rng.normal(0, 1, n)
    p = 1 / (1 + np.exp(-sharpness * logit))
    return pd.DataFrame(
        {
            "sample": [f"s{i:03d}" for i in range(n)], "group": [f"g{i // 2}" for i in range(n)], "repeat": 0,
            "fold": [(i // 2) % 4 for i in range(n)], "contender": "a", "label": [CLASSES[i] for i in label],
            "prob_no": 1 - p, "prob_yes": p,
        }
    )  # fmt: skip


def test_the_runs_out_of_fold_lines_are_what_train_calibrated_on() -> None:
    predictions = pd.read_parquet(finished_run() / "predictions.parquet")
    own = predictions[predictions["contender"] == PROBE]
    lines = out_of_fold_lines(predictions, PROBE)
    merged = lines.merge(own, on=["sample", "repeat", "fold"], suffixes=("", "_run"))
    assert len(merged) == len(own)
    assert (merged["prob_yes"] == merged["prob_yes_run"]).all()
    stored = json.loads((trained() / "calibration.json").read_text())
    assert stored["temperature"] == fit_temperature(out_of_fold(lines, CLASSES))
    assert stored["n_lines"] == len(own)


def test_an_overconfident_model_gets_a_temperature_above_one() -> None:
    calibration, thresholds = fit_calibration(table(), CLASSES)
    assert calibration.temperature > 1.5
    assert [t.name for t in thresholds][:2] == ["half", "youden"]
    assert calibration.quantiles is not None


def test_no_line_is_calibrated_with_its_own_fold() -> None:
    lines = table()
    cell = out_of_fold(lines, CLASSES)
    before = cross_fitted_calibration(lines, cell)
    own = (lines["fold"] == 1).to_numpy()
    flipped = InnerCell(np.where(own, 1 - cell.label, cell.label), cell.group, cell.prob)
    after = cross_fitted_calibration(lines, flipped)
    np.testing.assert_array_equal(before[own], after[own])  # its labels do not matter to itself …
    assert not np.allclose(before[~own], after[~own])  # … and do matter to the others


def test_a_single_split_is_divided_by_group() -> None:
    lines = table().assign(fold=0)
    cell = out_of_fold(lines, CLASSES)
    before = cross_fitted_calibration(lines, cell)
    odd = cell.group % 2 == 1
    after = cross_fitted_calibration(
        lines, InnerCell(np.where(odd, 1 - cell.label, cell.label), cell.group, cell.prob)
    )
    np.testing.assert_array_equal(before[odd], after[odd])


def test_few_groups_give_no_sets_but_the_reason() -> None:
    calibration, _ = fit_calibration(table(12), CLASSES)
    assert calibration.quantiles is None
    assert "at least 9 groups" in calibration.refused


def test_an_unknown_contender_is_named() -> None:
    with pytest.raises(RunFolderError, match="it compared a"):
        out_of_fold_lines(table(), "b")
