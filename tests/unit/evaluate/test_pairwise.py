"""Paired comparisons: which groups count as events, and whose p-value the rule looks at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from tests.planting.verdicts import judge
from tests.unit.stats.builders import frame_of, judge_frame

from headtohead.core.records import Comparison
from headtohead.stats.hypothesis.multiplicity import holm

Ints = npt.NDArray[np.int64]


def test_events_are_groups_of_the_rarer_class_and_not_its_images() -> None:
    """Forty positive images of five patients: no winner, however far apart the two lie."""
    label = np.concatenate([np.ones(40), np.zeros(200)]).astype(np.int64)
    group = np.concatenate([np.arange(40) // 8, 5 + np.arange(200) // 2])
    first = judge_frame(frame_of({"a": 6.0, "b": 0.3}, label, group)).comparisons[0]
    assert (first.verdict, first.details.reason) == ("cannot_tell", "events")
    assert (
        "only 5 groups of class yes (at least 10 are needed), though the interval excludes 0"
        in first.sentence
    )
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
    assert (power.power, power.matters, power.fewest_groups) == (0.8, None, None)
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


def test_a_handful_of_groups_makes_no_winner() -> None:
    """Three groups hold most images and b fails there, so that the difference rests on three numbers."""
    group = np.concatenate([np.repeat(np.arange(3), 80), 3 + np.arange(60)])
    label = np.arange(300) % 2
    frame = frame_of({"a": 3.0, "b": 3.0}, label, group).drop(columns="fold")
    failed = (frame["contender"] == "b") & frame["group"].isin(["g000", "g001", "g002"])
    frame.loc[failed, ["prob_no", "prob_yes"]] = 0.5
    first = judge_frame(frame).comparisons[0]
    assert first.low is not None and first.details.degrees is not None
    assert first.low > 0 and first.details.degrees < 10
    assert (first.verdict, first.details.reason) == ("cannot_tell", "degrees")
    assert "a handful of groups decides the difference" in first.sentence


def test_a_rare_third_class_does_not_veto_a_metric_that_does_not_rest_on_it() -> None:
    rng = np.random.default_rng(3)
    label = np.repeat([0, 1, 2], [150, 150, 8])
    parts = []
    for name, strength in (("a", 4.0), ("b", 0.8)):
        logits = strength * np.eye(3)[label] + rng.normal(size=(308, 3))
        prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        columns = {f"prob_{c}": prob[:, i] for i, c in enumerate("xyz")}
        names = [f"s{i:03d}" for i in range(308)]
        labels = np.array(list("xyz"))[label]
        parts.append(
            pd.DataFrame({"sample": names, "group": names, "contender": name, "label": labels, **columns})
        )
    frame = pd.concat(parts, ignore_index=True)

    def first(metric: str) -> Comparison:
        return judge(frame, classes=("x", "y", "z"), metric=metric, n_boot=100).comparisons[0]

    for metric in ("accuracy", "kappa", "mcc", "brier", "sensitivity_x"):
        assert first(metric).winner == "a", metric
    for metric in ("auroc", "balanced_accuracy", "sensitivity_z"):
        assert (first(metric).verdict, first(metric).details.reason) == ("cannot_tell", "events"), metric
    assert "only 8 cases of class z (at least 10 are needed)" in first("auroc").sentence


def test_equivalence_is_adjusted_over_the_pairs() -> None:
    label, group = np.arange(400) % 2, np.arange(400)
    frame = frame_of({"a": 2.0, "b": 2.0, "c": 2.0}, label, group).drop(columns="fold")
    found = judge(frame, classes=("no", "yes"), positive="yes", n_boot=100, rope=0.06).comparisons
    alone = judge(
        frame[frame.contender != "c"], classes=("no", "yes"), positive="yes", n_boot=100, rope=0.06
    ).comparisons[0]
    same = next(c for c in found if {c.a, c.b} == {"a", "b"})
    assert alone.details.p_equivalence is not None and same.details.p_equivalence is not None
    assert same.details.p_equivalence >= alone.details.p_equivalence
    assert all((c.verdict == "equivalent") == ((c.details.p_equivalence or 0) <= 0.05) for c in found)


def test_a_copy_of_the_best_may_be_the_best_too() -> None:
    frame = frame_of({"a": 2.6, "c": 0.5}, np.arange(240) % 2, np.arange(240)).drop(columns="fold")
    copy = frame[frame["contender"] == "a"].assign(contender="b")
    found = judge_frame(pd.concat([frame, copy], ignore_index=True))
    best = found.details.best
    assert best is not None
    assert (set(best.candidates), best.excluded) == ({"a", "b"}, ("c",))
    assert "The best may be a or b; with 95 % confidence, c is not" in found.sentence
    assert "Its predictions are those of b." in found.sentence and "cannot tell" not in found.sentence
