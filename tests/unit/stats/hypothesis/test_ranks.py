"""Ranks, critical difference and sources of variance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import CLASSES, frame_of, judge_frame

from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.metrics.fold_values import fold_values
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import build_prediction_table

Ints = npt.NDArray[np.int64]


def test_the_spread_over_groups_is_that_of_the_jackknife() -> None:
    label, group = np.arange(120) % 2, np.arange(120) // 2
    verdict = judge_frame(frame_of({"a": 1.5, "b": 1.0}, label, group))
    table = build_prediction_table(
        frame_of({"a": 1.5, "b": 1.0}, label, group), classes=CLASSES, positive="yes", contenders=None
    )
    weights = np.ones((60, 60)) - np.eye(60)
    each = [
        jackknife_variance(metric_values(table.of(name), weights, ["auroc"], CLASSES)["auroc"])
        for name in ("a", "b")
    ]
    split = verdict.details["variance"]
    assert split["sd_group"] == pytest.approx(math.sqrt(sum(each) / 2))
    values = [s.value for s in verdict.scores if s.metric == "auroc"]
    assert split["sd_contender"] == pytest.approx(np.std(np.asarray(values, dtype=float), ddof=1))
    assert split["sd_repeat"] is None
    inside = [[line[2] for line in fold_values(table, name, "auroc")] for name in ("a", "b")]
    assert split["sd_fold"] == pytest.approx(math.sqrt(np.mean([np.var(v, ddof=1) for v in inside])))
    assert fold_values(table, "a", "auroc_fold_mean") == fold_values(table, "a", "auroc")
