"""Power of a pair: the difference that would have been shown, and the groups that a stated difference takes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.planting.verdicts import judge
from tests.unit.stats.builders import CLASSES, frame_of, resample

from headtohead.core.tables.details import PowerAnalysis
from headtohead.stats.prediction_builder import build_prediction_table

LABEL, GROUP = np.arange(160) % 2, np.arange(160)


def powers(
    lifts: dict[str, float], label: Any = LABEL, group: Any = GROUP, **more: Any
) -> list[PowerAnalysis]:
    """Return the power of each pair of models as fitted."""
    frame = frame_of(lifts, label, group, seed=5).drop(columns="fold")
    found = judge(frame, classes=CLASSES, positive="yes", n_boot=100, **more).comparisons
    told = [one.details.power for one in found]
    assert None not in told
    return [one for one in told if one is not None]


@pytest.mark.parametrize(
    ("lifts", "n_pairs"), [({"a": 2.2, "b": 1.5}, 1), ({"a": 2.2, "b": 1.5, "c": 1.0}, 3)]
)
def test_the_detectable_difference_is_at_the_level_that_the_pairs_leave(
    lifts: dict[str, float], n_pairs: int
) -> None:
    table = build_prediction_table(
        frame_of(lifts, LABEL, GROUP, seed=5).drop(columns="fold"), classes=CLASSES, positive="yes"
    )
    resampled = resample(table)
    boot = [
        resampled.resamples.bootstrap(resampled.values(table.of(name), ["auroc"])["auroc"]) for name in lifts
    ]
    expected = [
        (stats.norm.ppf(1 - 0.05 / n_pairs / 2) + stats.norm.ppf(0.8)) * np.std(boot[i] - boot[j], ddof=1)
        for i in range(len(boot))
        for j in range(i + 1, len(boot))
    ]
    assert sorted(one.detectable_difference or 0 for one in powers(lifts)) == pytest.approx(sorted(expected))


def test_a_pair_that_was_stated_keeps_the_full_level() -> None:
    lifts = {"a": 2.2, "b": 1.5, "c": 1.0}
    plain, stated = powers(lifts)[0], powers(lifts, primary=("a", "b"))[0]
    z = stats.norm.ppf
    ratio = (z(0.975) + z(0.8)) / (z(1 - 0.05 / 6) + z(0.8))
    assert plain.detectable_difference is not None and stated.detectable_difference is not None
    assert stated.detectable_difference / plain.detectable_difference == pytest.approx(ratio)
    assert "for 1 pair(s)" in stated.method and "for 3 pair(s)" in plain.method


def test_smaller_differences_take_more_groups_and_none_takes_fewer_than_the_rule_asks_for() -> None:
    small, large, huge = (powers({"a": 2.2, "b": 1.5}, matters=matters)[0] for matters in (0.04, 0.08, 0.5))
    assert small.fewest_groups and small.most_groups and large.fewest_groups and large.most_groups
    assert small.fewest_groups < small.most_groups
    assert small.fewest_groups / large.fewest_groups == pytest.approx(4, rel=0.25)
    assert (huge.fewest_groups, huge.most_groups) == (30, 30)
    assert (small.matters, small.power) == (0.04, 0.8)


def test_a_rare_class_asks_for_as_many_groups_as_hold_ten_of_it() -> None:
    label = (np.arange(160) < 16).astype(np.int64)
    huge = powers({"a": 2.2, "b": 1.5}, label, matters=0.5)[0]
    assert huge.fewest_groups == math.ceil(10 / (16 / 160))


def test_only_the_first_pair_has_a_sample_size_and_only_where_a_difference_was_stated() -> None:
    first, *others = powers({"a": 2.2, "b": 1.5, "c": 1.0}, matters=0.05)
    assert first.fewest_groups is not None
    assert all((one.fewest_groups, one.most_groups) == (None, None) for one in others)
    assert powers({"a": 2.2, "b": 1.5})[0].fewest_groups is None


def test_where_one_group_outweighs_the_others_no_number_is_told() -> None:
    for size, told in ((30, True), (60, False)):  # of about 160: a fifth is 32
        group = np.concatenate([np.zeros(size, dtype=np.int64), np.arange(1, 161 - size)])
        assert (powers({"a": 2.2, "b": 1.5}, group=group, matters=0.1)[0].fewest_groups is not None) == told
