"""Calibration is learnt from out-of-fold predictions, never from what the model was fitted on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression
from tests.planting.trained_model import PROBE, data_folder, finished_run, trained

from headtohead.cli.app import main
from headtohead.core.errors import RunFolderError, UnknownNameError, UsageError
from headtohead.deploy.bundle.records import BundleCalibration
from headtohead.deploy.load import load_model
from headtohead.deploy.predict.calibrated import calibrate, calibrated, venn_abers
from headtohead.deploy.training.calibrate import (
    cross_fitted_calibration,
    fit_calibration,
    out_of_fold,
    out_of_fold_lines,
)
from headtohead.stats.calibration.recalibration import fit_temperature
from headtohead.stats.calibration.venn_abers import VennAbers
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


def by_definition(cell: InnerCell, score: float) -> float:
    """The merged Venn-Abers probability of one score, from scikit-learn's isotonic regression fitted twice."""
    found = []
    for label in (0, 1):
        x, y = np.append(cell.prob[:, 1], score), np.append(cell.label, label)
        found.append(float(IsotonicRegression(out_of_bounds="clip").fit(x, y).predict([score])[0]))
    return found[1] / (1 - found[0] + found[1])


def test_a_shipped_venn_abers_predictor_is_the_one_of_its_definition() -> None:
    lines = table()
    calibration, thresholds = fit_calibration(lines, CLASSES, method="venn-abers")
    assert (calibration.method, calibration.temperature) == ("venn-abers", 1.0)
    assert calibration.venn_abers is not None
    read_back = BundleCalibration.model_validate_json(calibration.model_dump_json())
    cell = out_of_fold(lines, CLASSES)
    at = np.concatenate([[0.0, 1.0], np.random.default_rng(3).random(60), cell.prob[::7, 1]])
    steps = read_back.venn_abers
    assert steps is not None
    told = venn_abers(np.stack([1 - at, at], axis=1), steps)[:, 1]
    between = slice(2, 62)
    logits = np.log(np.stack([1 - at[between], at[between]], axis=1))
    np.testing.assert_allclose(calibrated(logits, read_back)[:, 1], told[between], atol=1e-12)
    np.testing.assert_allclose(told, [by_definition(cell, score) for score in at], atol=1e-12)
    assert len(calibration.venn_abers.levels) < len(np.unique(cell.prob[:, 1]))
    assert told.min() > 0 and told.max() < 1
    assert all(0 <= one.value <= 1 for one in thresholds)


def test_venn_abers_counts_an_image_once_and_takes_two_classes() -> None:
    lines = pd.concat([table(), table().assign(repeat=1)], ignore_index=True)
    once, _ = fit_calibration(table(), CLASSES, method="venn-abers")
    twice, _ = fit_calibration(lines, CLASSES, method="venn-abers")
    assert once == twice
    assert once.n_lines == 120
    with pytest.raises(UsageError, match="and 3 classes; it is for two"):
        fit_calibration(lines, ("a", "b", "c"), method="venn-abers")
    with pytest.raises(UnknownNameError, match="temperature, venn-abers"):
        fit_calibration(lines, CLASSES, method="platt")


def test_a_model_trained_with_venn_abers_answers_by_it(tmp_path: Path) -> None:
    out = tmp_path / "model"
    words = [
        "train",
        "--from",
        str(finished_run()),
        "-c",
        PROBE,
        "--calibration",
        "venn-abers",
        "--out",
        str(out),
    ]
    assert main(words) == 0
    assert "inductive Venn-Abers predictor" in (out / "README.md").read_text()
    files = sorted(data_folder().glob("*/*.bmp"))[::9]
    plain, venn = load_model(trained()), load_model(out)
    cell = out_of_fold(
        out_of_fold_lines(pd.read_parquet(finished_run() / "predictions.parquet"), PROBE), CLASSES
    )
    prepared = [plain.prepare_bytes(str(path), path.read_bytes()) for path in files]
    logits = plain.runtime.forward(
        *(np.stack(x) for x in zip(*(one.inputs for one in prepared), strict=True))
    )
    expected = VennAbers(cell)(calibrate(logits, 1.0))[:, 1]
    told = [one.probabilities["yes"] for one in venn.predict(files)]
    np.testing.assert_allclose(told, expected, atol=1e-6)
    assert told != [one.probabilities["yes"] for one in plain.predict(files)]
