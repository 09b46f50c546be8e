"""From replicates to scores."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.stats.builders import resample, some_lines, table_from

from headtohead.core.records import Score
from headtohead.stats.intervals.score import make_score, why_undefined
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.predictions import ContenderPredictions
from headtohead.stats.resampled import ResampledPredictions

CLASSES = ("0", "1")


def resampled_lines(lines: ContenderPredictions) -> ResampledPredictions:
    return resample(table_from({"a": lines}), n_boot=200)


def score_of(resampled: ResampledPredictions, name: str, level: float = 0.95) -> Score:
    values = resampled.values(resampled.table.of("a"), [name])[name]
    metric = get_metric(name, resampled.table.classes)
    return make_score(resampled.table, "a", metric, values, resampled.resamples, level)


def test_a_score_has_its_sizes_its_level_and_its_method() -> None:
    score = score_of(resampled_lines(some_lines(n=80, n_groups=40)), "auroc", level=0.9)
    assert (score.n_samples, score.n_groups, score.level) == (80, 40, 0.9)
    assert "jackknife over groups" in score.method


def test_a_higher_level_widens_the_interval() -> None:
    resampled = resampled_lines(some_lines(n=80, n_groups=40))
    for name in ("auroc", "accuracy", "balanced_accuracy", "log_loss", "ece", "partial_auroc"):
        narrow, wide = (score_of(resampled, name, level) for level in (0.8, 0.99))
        assert narrow.low is not None and narrow.high is not None
        assert wide.low is not None and wide.high is not None
        assert wide.low <= narrow.low
        assert narrow.high <= wide.high
        assert wide.high - wide.low > narrow.high - narrow.low


def test_few_groups_are_warned_of_once() -> None:
    score = score_of(resampled_lines(some_lines(n=40, n_groups=8)), "accuracy")
    assert [w.code for w in score.warnings].count("few_groups") == 1
    assert "only 8 groups" in score.note
    many = score_of(resampled_lines(some_lines(n=120, n_groups=60, ties=False)), "accuracy")
    assert "few_groups" not in {w.code for w in many.warnings}


def test_one_group_has_no_interval_and_no_value() -> None:
    lines = some_lines(n=40)
    one = ContenderPredictions(lines.sample, np.zeros_like(lines.group), lines.label, lines.fold, lines.prob)
    score = score_of(resampled_lines(one), "accuracy")
    assert score.value is None
    assert "one group says nothing about others" in score.note


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ppv", "nothing is predicted positive"),
        ("npv", "nothing is predicted negative"),
        ("mcc", "only one class is ever predicted"),
        ("calibration_slope", "no finite slope fits"),
        ("f1", "denominator is 0"),
    ],
)
def test_the_reason_is_the_metrics_own(name: str, words: str) -> None:
    table = table_from({"a": some_lines()})
    assert words in why_undefined(table, get_metric(name, CLASSES), "a")


def test_a_missing_class_is_the_reason_before_any_other() -> None:
    lines = some_lines()
    none = ContenderPredictions(lines.sample, lines.group, np.zeros_like(lines.label), lines.fold, lines.prob)
    assert why_undefined(table_from({"a": none}), get_metric("ppv", CLASSES), "a") == "no sample of class 1"
