"""Bands of ROC and precision-recall curves: exact values, cover, no dependence on how many scores there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headtohead.core.tables.comparison import PrecisionRecallCurve, RocCurve
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.metrics.curve_bands import curves_with_bands
from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.resampled import ResampledPredictions


def curves(score: np.ndarray, label: np.ndarray, n_boot: int = 200) -> tuple[RocCurve, PrecisionRecallCurve]:
    frame = pd.DataFrame(
        {"sample": [f"s{i:05d}" for i in range(len(score))], "group": [f"g{i:05d}" for i in range(len(score))],
         "contender": "a", "label": [str(y) for y in label], "prob_0": 1 - score, "prob_1": score}
    )  # fmt: skip
    table = build_prediction_table(frame, classes=("0", "1"), positive="1")
    resampled = ResampledPredictions(table, make_resamples(table.n_groups, n_boot, 0), 0.95, 0)
    roc, recall = curves_with_bands(resampled)
    return roc["a"]["1"], recall["a"]["1"]


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    return 1 / (1 + np.exp(-(2 * label - 1 + rng.normal(size=n)))), label


def test_precision_at_each_recall_is_that_of_the_first_threshold_that_reaches_it() -> None:
    score, label = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), np.array([1, 0, 1, 1, 0, 0])
    recall = curves(score, label)[1]
    found = dict(zip(recall.recall, recall.precision, strict=True))
    assert found[0.32] == 1.0 and found[0.34] == pytest.approx(2 / 3, abs=1e-4)
    assert found[0.68] == found[1.0] == 0.75 and recall.prevalence == 0.5


def test_bands_hold_the_curve_and_cover_the_true_one() -> None:
    far, label = drawn(40_000, 99)
    truth, _ = curves(far, label, n_boot=1)
    at = np.array([0.1, 0.2, 0.3, 0.5])
    true = np.interp(at, truth.false_positive_rate, truth.true_positive_rate)
    covered = []
    for seed in range(40):
        roc, recall = curves(*drawn(120, seed))
        assert roc.band is not None and recall.band is not None
        low, high = (np.interp(at, roc.band.at, end) for end in (roc.band.low, roc.band.high))
        own = np.interp(at, roc.false_positive_rate, roc.true_positive_rate)
        assert (low <= own + 0.02).all() and (high >= own - 0.02).all()
        covered.append((low <= true) & (true <= high))
        assert all(
            lo <= p <= hi
            for lo, p, hi in zip(recall.band.low, recall.precision, recall.band.high, strict=True)
            if p is not None
        )
    assert 0.88 <= np.mean(covered) <= 1.0


def test_a_class_with_too_few_groups_has_a_curve_and_no_band() -> None:
    label = np.array([1] + [0] * 30)
    roc, recall = curves(np.linspace(0.9, 0.1, 31), label)
    assert recall.precision[0] == 1.0
    assert roc.band is not None, "two thirds of the resamples hold the one positive"
    alone = curves(np.linspace(0.9, 0.1, 31), label, n_boot=1)[0]
    assert alone.true_positive_rate[-1] == 1.0
