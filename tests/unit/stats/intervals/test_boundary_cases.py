"""Bounds where no resample varies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint
from tests.unit.stats.builders import lines_of_score, table_from

from headtohead.stats.intervals.boundary_cases import BoundaryInterval, boundary_interval
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.predictions import PredictionTable

LABEL = np.arange(60) % 2
PERFECT = table_from({"a": lines_of_score(np.where(LABEL == 1, 0.98, 0.02), LABEL)})
CONSTANT = table_from({"a": lines_of_score(np.full(60, 0.3), LABEL)})


def bound(table: PredictionTable, name: str, value: float, level: float = 0.95) -> BoundaryInterval | None:
    return boundary_interval(table, table.of("a")[0], METRICS[name], value, level)


def low(table: PredictionTable, name: str, level: float = 0.95) -> float:
    found = bound(table, name, 1.0, level)
    assert found is not None and found.high == 1
    return found.low


def test_a_perfect_auroc_has_the_binomial_bound_of_thirty_pairs() -> None:
    assert low(PERFECT, "auroc") == pytest.approx(0.025 ** (1 / 30))
    assert low(PERFECT, "partial_auroc") == pytest.approx(0.025 ** (1 / 3))
    zero = bound(PERFECT, "auroc", 0.0)
    assert zero is not None and zero.low == 0
    assert zero.high == pytest.approx(1 - 0.025 ** (1 / 30))


def test_a_perfect_count_has_its_value_at_the_joint_bounds_of_the_recalls() -> None:
    recall = proportion_confint(30, 30, alpha=0.025, method="wilson")[0]
    assert low(PERFECT, "balanced_accuracy") == pytest.approx(recall)
    assert low(PERFECT, "mcc") == pytest.approx(2 * recall - 1)  # both classes are as large
    assert low(PERFECT, "kappa") == pytest.approx(2 * recall - 1)


def test_a_perfect_share_has_wilsons_bound_with_one_trial_per_group() -> None:
    assert low(PERFECT, "accuracy") == pytest.approx(proportion_confint(60, 60, method="wilson")[0])
    for name in ("sensitivity_at_specificity_90", "specificity_at_sensitivity_90"):
        assert low(PERFECT, name) == pytest.approx(proportion_confint(30, 30, method="wilson")[0])


def test_no_loss_may_still_be_the_largest_loss_now_and_then() -> None:
    found = bound(PERFECT, "brier", 0.0)
    assert found is not None and found.low == 0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 60))
    assert bound(PERFECT, "brier", 0.1) is None


@pytest.mark.parametrize("name", ["auroc", "average_precision", "accuracy", "mcc", "brier"])
def test_a_higher_level_and_fewer_groups_widen_the_bound(name: str) -> None:
    label = LABEL[:20]
    small = table_from({"a": lines_of_score(np.where(label == 1, 0.98, 0.02), label)})
    value = 0.0 if name == "brier" else 1.0
    width = []
    for table, level in ((PERFECT, 0.95), (PERFECT, 0.99), (small, 0.95)):
        found = bound(table, name, value, level)
        assert found is not None
        width.append(found.high - found.low)
    assert 0 < width[0] < min(width[1:])


def test_a_constant_score_is_exact_and_says_so() -> None:
    found = bound(CONSTANT, "auroc", 0.5)
    assert found is not None and (found.low, found.high) == (0.5, 0.5)
    assert found.note.startswith("constant score")
    assert bound(PERFECT, "auroc", 0.5) is None
    assert bound(PERFECT, "log_loss", 0.02) is None


def test_a_score_constant_in_each_fold_ranks_nothing_within_folds_but_something_across_them() -> None:
    fold = np.arange(60) % 5
    lines = replace(lines_of_score(np.asarray(0.3 + 0.02 * fold, dtype=np.float64), LABEL), fold=fold)
    table = table_from({"a": lines})
    found = bound(table, "auroc", 0.5)
    assert found is not None and (found.low, found.high) == (0.5, 0.5)
    assert bound(table, "auroc_pooled", 0.5) is None
    assert bound(table, "accuracy", 0.5) != found
