"""Properties of the whole verdict: order, names, copies, direction, and what one group is worth."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.planting.verdicts import judge
from tests.unit.stats.builders import property_frame

from headtohead.core.records import Score, Verdict
from headtohead.stats.intervals.proportions import newcombe

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=60, deadline=None)


def judge_property(frame: pd.DataFrame, **more: object) -> Verdict:
    options: dict[str, object] = {
        "classes": ("no", "yes"), "positive": "yes", "n_boot": 100, "contenders": ["one", "two"],
    }  # fmt: skip
    return judge(frame, **(options | more))


def figures(verdict: Verdict, *, without: tuple[str, ...] = ()) -> list[float]:
    """Return scores, ends and tests that rest on no draw (the bootstrap's draws follow the groups' order)."""
    drawn = {"ece", "ace", "partial_auroc", "sensitivity_at_specificity_90", "specificity_at_sensitivity_90"}
    found: list[float | None] = []
    for score in verdict.scores:
        found.append(score.value)
        if score.metric not in drawn:
            found += [score.low, score.high]
    for one in verdict.comparisons:
        found += [one.difference, one.low, one.high]
        skip = {"cluster_bootstrap", "permutation", *without}
        found += [t.p_value for name, t in one.tests.items() if name not in skip]
    return [-9.0 if value is None else value for value in found]


def width(score: Score) -> float:
    assert score.low is not None
    assert score.high is not None
    return score.high - score.low


@FEW
@given(SEEDS)
def test_the_order_of_the_lines_moves_no_digit(seed: int) -> None:
    frame = property_frame(seed)
    mixed = frame.sample(frac=1, random_state=seed)
    assert judge_property(mixed) == judge_property(frame)


@FEW
@given(SEEDS)
def test_the_names_of_groups_samples_and_contenders_move_no_figure(seed: int) -> None:
    frame = property_frame(seed)
    renamed = frame.assign(
        group=frame["group"].map(lambda g: f"patient {int(g[1:]) * 7919 % 1009}"),
        sample=frame["sample"].map(lambda s: f"{int(s[1:]) * 7907 % 9973}.png"),
        contender=frame["contender"].map({"one": "zeta", "two": "alpha"}),
    )
    found = judge_property(renamed, contenders=["zeta", "alpha"])
    assert figures(found) == pytest.approx(figures(judge_property(frame)), abs=1e-7)


@FEW
@given(SEEDS)
def test_calling_the_other_class_positive_mirrors_what_it_should(seed: int) -> None:
    frame = property_frame(seed)
    one, other = judge_property(frame), judge_property(frame, classes=("no", "yes"), positive="no")
    ours = {(s.contender, s.metric): s for s in one.scores}
    theirs = {(s.contender, s.metric): s for s in other.scores}
    for who in ("one", "two"):
        for mine, yours in (
            ("auroc", "auroc"),
            ("brier", "brier"),
            ("sensitivity", "specificity"),
            ("ppv", "npv"),
        ):
            a, b = ours[who, mine], theirs[who, yours]
            assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-9), mine
    assert one.comparisons[0].low == pytest.approx(other.comparisons[0].low, abs=1e-9)


@FEW
@given(SEEDS, st.integers(2, 4))
def test_copies_inside_every_group_change_no_figure_that_takes_groups_as_units(
    seed: int, copies: int
) -> None:
    """Each image again and again in its own group; a test that takes images as units is fooled."""
    frame = property_frame(seed)
    more = pd.concat([frame.assign(sample=frame["sample"] + f"-{i}") for i in range(copies)])
    one, many = judge_property(frame), judge_property(more)
    plain = ("auroc", "brier", "log_loss", "average_precision", "mcc", "f1")
    for first, second in zip(one.scores, many.scores, strict=True):
        if first.metric in plain:
            assert (second.value, second.low, second.high) == pytest.approx(
                (first.value, first.low, first.high), abs=1e-6
            ), first.metric
        if first.metric == "accuracy":
            # a share's effective size is never above its samples; where errors within groups happen to lie more
            # evenly than chance would have it, copies lift that bound, never further than their number
            assert width(first) / copies**0.5 - 0.01 <= width(second) <= width(first) + 1e-9
    left, right = one.comparisons[0], many.comparisons[0]
    assert (right.low, right.high) == pytest.approx((left.low, left.high), abs=1e-6)
    for name in ("interval", "obuchowski", "mcnemar_clustered", "nadeau_bengio"):
        assert right.tests[name].p_value == pytest.approx(left.tests[name].p_value, abs=1e-6), name
    fooled = (left.tests["delong"].statistic or 0) ** 2 * copies
    assert (right.tests["delong"].statistic or 0) ** 2 == pytest.approx(fooled, rel=0.1)


@FEW
@given(SEEDS)
def test_the_same_groups_again_under_other_names_narrow_every_interval(seed: int) -> None:
    """What a copy counted as a new patient does: planted, so that the property above is not empty."""
    frame = property_frame(seed)
    again = frame.assign(sample=frame["sample"] + "-b", group=frame["group"] + "-b")
    once, twice = (
        judge_property(frame).comparisons[0],
        judge_property(pd.concat([frame, again])).comparisons[0],
    )
    assert once.low is not None and once.high is not None and twice.low is not None and twice.high is not None
    assert (twice.high - twice.low) < 0.8 * (once.high - once.low)


@FEW
@given(SEEDS)
def test_everything_in_one_group_is_refused_whatever_the_numbers(seed: int) -> None:
    verdict = judge_property(property_frame(seed).assign(group="all"))
    assert [one.verdict for one in verdict.comparisons] == ["refused"]
    assert all(score.low is None and score.high is None for score in verdict.scores)
    assert "1 group" in verdict.sentence


@FEW
@given(SEEDS)
def test_fewer_than_ten_groups_are_refused(seed: int) -> None:
    assert judge_property(property_frame(seed, n_groups=9)).comparisons[0].verdict == "refused"


# ---- monotone where theory says so ------------------------------------------------------------------


@MANY
@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_the_interval_of_a_difference_holds_it_and_turns_round(n: int, m: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    low, high = newcombe(a, n, b, m)
    assert -1 - 1e-12 <= low <= a / n - b / m <= high <= 1 + 1e-12
    assert newcombe(b, m, a, n) == pytest.approx((-high, -low))
