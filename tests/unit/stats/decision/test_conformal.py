"""Conformal sets by groups, and risk against coverage."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import cell_of, lines_of_score, resample, some_lines, table_from

from headtohead.core.errors import InsufficientDataError
from headtohead.stats.decision.conformal import (
    conformal_sets,
    conformal_threshold,
    fewest_groups,
    risk_coverage,
)
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions
from headtohead.stats.predictions import ContenderPredictions

Floats = npt.NDArray[np.float64]


Ints = npt.NDArray[np.int64]


def test_the_conformal_quantile_is_the_right_order_statistic() -> None:
    """Of 20 scores at error rate 0.1 the 19th smallest: (1 - 0.1)(20 + 1) = 18.9, where 0.9 of 20 would be 18."""
    score = np.arange(1, 21) / 100
    cell = cell_of(1 - score, np.ones(20, dtype=np.int64))
    assert conformal_threshold(cell, 1, 0.1) == pytest.approx(0.19)
    cell = cell_of(1 - score[:19], np.ones(19, dtype=np.int64))
    assert conformal_threshold(cell, 1, 0.1) == pytest.approx(0.18)
    with pytest.raises(InsufficientDataError, match="at least 9 groups"):
        conformal_threshold(cell_of(1 - score[:8], np.ones(8, dtype=np.int64)), 1, 0.1)


def test_many_images_of_one_group_have_one_vote() -> None:
    """A group of 100 easy images among 19: it must not drown the others."""
    score = np.concatenate([np.full(100, 0.01), np.arange(2, 20) / 100])
    group = np.concatenate([np.zeros(100, dtype=np.int64), np.arange(1, 19)])
    label = np.ones(118, dtype=np.int64)
    assert conformal_threshold(cell_of(1 - score, label, group), 1, 0.1) == pytest.approx(0.18)
    as_images = conformal_threshold(cell_of(1 - score, label), 1, 0.1)
    assert as_images < 0.1
    assert conformal_threshold(cell_of(1 - score, label, group), 1, 0.1) > 2 * as_images - 0.01


@pytest.mark.parametrize("alpha", [0.1, 0.2])
def test_the_sets_cover_new_groups_as_often_as_stated(alpha: float) -> None:
    rng = np.random.default_rng(0)
    kept = []
    for _ in range(400):
        score = rng.beta(2, 5, size=41)
        cut = conformal_threshold(cell_of(1 - score[:40], np.ones(40, dtype=np.int64)), 1, alpha)
        kept.append(score[40] <= cut)
    assert 1 - alpha - 0.04 < np.mean(kept) < 1 - alpha + 0.06


def test_the_fewest_groups_are_those_whose_smallest_error_rate_is_alpha() -> None:
    assert [fewest_groups(alpha) for alpha in (0.1, 0.05, 0.01)] == [9, 19, 99]
    assert 1 / (fewest_groups(0.1) + 1) <= 0.1 < 1 / fewest_groups(0.1)
    with pytest.raises(InsufficientDataError, match="at least 9 groups"):
        conformal_threshold(cell_of(np.linspace(0, 1, 8), np.ones(8, dtype=np.int64)), 1, 0.1)


def test_sets_without_inner_lines_are_refused_and_say_so() -> None:
    lines = some_lines(n=60)
    resampled = resample(table_from({"a": lines}))
    sets = conformal_sets(resampled, InnerPredictions({}, ("a",)))
    assert sets.contenders["a"].refused == "no inner predictions to learn the sets from"
    assert sets.contenders["a"].coverage is None


def test_risk_falls_with_the_share_of_lines_that_are_answered() -> None:
    resampled = resample(table_from({"a": some_lines(n=200, ties=False)}))
    curve = risk_coverage(resampled, "a")
    kept, risk = [p.kept for p in curve.points], [p.risk.value for p in curve.points]
    assert kept == sorted(kept)
    assert kept[-1] == 1
    lines = resampled.table.of("a")[0]
    wrong = (lines.prob[:, 1] >= 0.5) != lines.label
    assert risk[-1] == pytest.approx(wrong.mean())
    assert risk[0] is not None and risk[-1] is not None and risk[0] < risk[-1]
    order = np.argsort(-lines.prob.max(axis=1))
    assert curve.area == pytest.approx(np.mean([wrong[order[:i]].mean() for i in range(1, 201)]))


def test_of_equally_confident_lines_the_area_is_the_mean_over_their_orders() -> None:
    score = np.array([0.9, 0.9, 0.1, 0.7, 0.7, 0.3, 0.6])
    label = np.array([1, 0, 0, 1, 1, 1, 0])
    curve = risk_coverage(resample(table_from({"a": lines_of_score(score, label)})), "a")
    wrong = (score >= 0.5) != label
    confidence = np.maximum(score, 1 - score).round(9)
    orders = [o for o in map(list, itertools.permutations(range(7))) if (np.diff(confidence[o]) <= 0).all()]
    assert len(orders) == 36  # three ties of confidence 0.9, three of 0.7
    areas = [(np.cumsum(wrong[order]) / np.arange(1, 8)).mean() for order in orders]
    assert curve.area == pytest.approx(np.mean(areas))


def test_coverage_and_size_of_the_sets_are_those_of_each_line_by_hand() -> None:
    lines = some_lines(n=240, n_groups=120, ties=False, seed=3)
    folds = lines.group % 2
    test = ContenderPredictions(lines.sample, lines.group, lines.label, folds, lines.prob)
    cells = {
        ("a", 0, fold): InnerCell(
            test.label[folds != fold], test.group[folds != fold], test.prob[folds != fold]
        )
        for fold in (0, 1)
    }
    found = conformal_sets(resample(table_from({"a": test})), InnerPredictions(cells, ()), alpha=0.2)
    sets = []
    for fold, row in zip(folds, test.prob, strict=True):
        cuts = [conformal_threshold(cells["a", 0, int(fold)], c, 0.2) for c in (0, 1)]
        sets.append({c for c in (0, 1) if 1 - row[c] <= cuts[c] + 1e-12})
    held = np.array([truth in one for truth, one in zip(test.label, sets, strict=True)])
    size = np.array([len(one) for one in sets])
    assert len(set(size)) > 1
    result = found.contenders["a"]
    assert result.coverage is not None and result.coverage.value == pytest.approx(held.mean())
    assert result.singletons is not None and result.singletons.value == pytest.approx((size == 1).mean())
    assert result.singletons_right is not None
    assert result.singletons_right.value == pytest.approx(held[size == 1].mean())
    assert result.empty is not None and result.empty.value == pytest.approx((size == 0).mean())
    assert result.mean_size is not None and result.mean_size.value == pytest.approx(size.mean())
    assert result.by_class is not None
    assert {name: one.value for name, one in result.by_class.items()} == pytest.approx(
        {str(c): held[test.label == c].mean() for c in (0, 1)}
    )
