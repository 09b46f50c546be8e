"""Paired comparisons: which groups count as events, and whose p-value the rule looks at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import frame_of, judge_frame

from headtohead.stats.hypothesis.multiplicity import holm

Ints = npt.NDArray[np.int64]


def test_events_are_groups_of_the_rarer_class_and_not_its_images() -> None:
    """Forty positive images of five patients: no winner, however far apart the two lie."""
    label = np.concatenate([np.ones(40), np.zeros(200)]).astype(np.int64)
    group = np.concatenate([np.arange(40) // 8, 5 + np.arange(200) // 2])
    first = judge_frame(frame_of({"a": 6.0, "b": 0.3}, label, group)).comparisons[0]
    assert (first.verdict, first.details.reason) == ("cannot_tell", "events")
    assert "only 5 groups hold the rarer class" in first.sentence
    as_images = judge_frame(frame_of({"a": 6.0, "b": 0.3}, label, np.arange(240))).comparisons[0]
    assert (as_images.verdict, as_images.winner) == ("better", "a")


def test_the_rule_looks_at_the_p_that_was_adjusted_over_all_pairs() -> None:
    label, group = np.arange(160) % 2, np.arange(160)
    frame = frame_of({"a": 2.2, "b": 1.5, "c": 1.6, "d": 1.4, "e": 1.5}, label, group, seed=5)
    frame = frame.drop(columns="fold")  # models as fitted, so that the pairs lie on both sides of the level
    found = judge_frame(frame).comparisons
    raw = [one.details.p_value or 0.0 for one in found]
    assert [one.details.p_holm for one in found] == pytest.approx(holm(raw))
    caught = [one for one in found if (one.details.p_value or 0.0) < 0.05 < (one.details.p_holm or 0.0)]
    assert caught, "the case is made so that the adjustment decides"
    assert all(one.verdict != "better" and "after adjusting for 10" in one.sentence for one in caught)


def test_power_is_that_of_the_pair_and_counts_groups() -> None:
    label, group = np.arange(160) % 2, np.arange(160)
    frame = frame_of({"a": 2.2, "b": 1.5}, label, group, seed=5).drop(columns="fold")
    comparison = judge_frame(frame).comparisons[0]
    power = comparison.details.power
    assert power is not None and comparison.difference is not None
    assert power.power == 0.8 and power.assumed_difference >= abs(comparison.difference)
    if power.groups_needed is not None:
        assert power.more_groups == max(0, power.groups_needed - 160)
    assert power.detectable_difference is not None and power.detectable_difference > 0


def test_discordant_samples_are_counted_in_each_repeat() -> None:
    label, group = np.arange(160) % 2, np.arange(160)
    frame = frame_of({"a": 2.2, "b": 1.5}, label, group, seed=5)
    comparison = judge_frame(frame).comparisons[0]
    right = {
        name: (part.set_index("sample")["prob_yes"] > 0.5) == (part.set_index("sample")["label"] == "yes")
        for name, part in frame.groupby("contender")
    }
    (counts,) = comparison.details.discordant
    assert counts.only_a == int((right["a"] & ~right["b"]).sum())
    assert counts.only_b == int((right["b"] & ~right["a"]).sum())
