"""Properties of the whole verdict: order, names, copies, direction, and what one group is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtohead.core.records import Score, Verdict
from headtohead.evaluate.verdict import compute_verdict
from headtohead.stats.hypothesis.corrected_ttest import correlated_bayes
from headtohead.stats.hypothesis.multiplicity import holm
from headtohead.stats.hypothesis.power import simulated_power
from headtohead.stats.intervals.proportions import mcnemar_exact, newcombe, wilson_interval
from headtohead.stats.intervals.resampling import concordance_bound, make_resamples
from headtohead.stats.metrics.lookup import default_metrics
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=60, deadline=None)


def predictions(seed: int, n_groups: int = 40) -> pd.DataFrame:
    """Return two contenders on groups of one to four samples; about one group in three holds both classes."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), rng.integers(1, 5, n_groups))
    n = len(group)
    label = np.where(rng.random(n) < 0.15, 1 - group % 2, group % 2)
    parts = []
    for name, lift in (("one", 1.6), ("two", 1.1)):
        score = lift * label + 0.7 * rng.normal(size=n_groups)[group] + rng.normal(size=n)
        p = 1 / (1 + np.exp(-(score - lift / 2)))
        parts.append(
            pd.DataFrame({"sample": [f"s{i:04d}" for i in range(n)], "group": [f"g{g:03d}" for g in group],
                          "fold": group % 4, "contender": name, "label": np.where(label == 1, "yes", "no"),
                          "prob_no": 1 - p, "prob_yes": p})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def judged(frame: pd.DataFrame, **more: object) -> Verdict:
    options: dict[str, object] = {
        "classes": ("no", "yes"), "positive": "yes", "n_boot": 100, "contenders": ["one", "two"],
    }  # fmt: skip
    return compute_verdict(frame, **(options | more))  # type: ignore[arg-type]


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
    frame = predictions(seed)
    mixed = frame.sample(frac=1, random_state=seed)
    assert judged(mixed) == judged(frame)


@FEW
@given(SEEDS)
def test_the_names_of_groups_samples_and_contenders_move_no_figure(seed: int) -> None:
    frame = predictions(seed)
    renamed = frame.assign(
        group=frame["group"].map(lambda g: f"patient {int(g[1:]) * 7919 % 1009}"),
        sample=frame["sample"].map(lambda s: f"{int(s[1:]) * 7907 % 9973}.png"),
        contender=frame["contender"].map({"one": "zeta", "two": "alpha"}),
    )
    found = judged(renamed, contenders=["zeta", "alpha"])
    assert figures(found) == pytest.approx(figures(judged(frame)), abs=1e-7)


@FEW
@given(SEEDS)
def test_calling_the_other_class_positive_mirrors_what_it_should(seed: int) -> None:
    frame = predictions(seed)
    one, other = judged(frame), judged(frame, classes=("no", "yes"), positive="no")
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
    frame = predictions(seed)
    more = pd.concat([frame.assign(sample=frame["sample"] + f"-{i}") for i in range(copies)])
    one, many = judged(frame), judged(more)
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
    frame = predictions(seed)
    again = frame.assign(sample=frame["sample"] + "-b", group=frame["group"] + "-b")
    once, twice = judged(frame).comparisons[0], judged(pd.concat([frame, again])).comparisons[0]
    assert once.low is not None and once.high is not None and twice.low is not None and twice.high is not None
    assert (twice.high - twice.low) < 0.8 * (once.high - once.low)


@FEW
@given(SEEDS)
def test_everything_in_one_group_is_refused_whatever_the_numbers(seed: int) -> None:
    verdict = judged(predictions(seed).assign(group="all"))
    assert [one.verdict for one in verdict.comparisons] == ["refused"]
    assert all(score.low is None and score.high is None for score in verdict.scores)
    assert "1 group" in verdict.sentence


@FEW
@given(SEEDS)
def test_fewer_than_ten_groups_are_refused(seed: int) -> None:
    assert judged(predictions(seed, n_groups=9)).comparisons[0].verdict == "refused"


@MANY
@given(SEEDS, st.sampled_from(default_metrics(("no", "yes"), True)))
def test_a_metric_of_drawn_groups_is_the_metric_of_their_copies(seed: int, name: str) -> None:
    """Weights stand for copies: a group drawn twice counts as the same lines written down twice."""
    if name in ("calibration_slope", "calibration_intercept", "ece", "ace"):
        return  # one Newton step from, and bins cut on, the data itself
    frame = predictions(seed, n_groups=15)
    mine = frame[frame["contender"] == "one"].reset_index(drop=True)
    group = mine["group"].str[1:].astype(int).to_numpy().astype(np.int64)
    prob = mine[["prob_no", "prob_yes"]].to_numpy()
    label = (mine["label"] == "yes").to_numpy().astype(np.int64)
    lines = ContenderPredictions(np.arange(len(mine)), group, label, mine["fold"].to_numpy(), prob)
    drawn = make_resamples(15, 3, seed).weights[:, 1]
    rows = np.repeat(np.arange(len(mine)), drawn[group].astype(int))
    classes = ("no", "yes")
    weighted = metric_values([lines], drawn[:, None], [name], classes)[name][0]
    taken = ContenderPredictions(np.arange(len(rows)), group[rows], label[rows], lines.fold[rows], prob[rows])
    copied = metric_values([taken], np.ones((15, 1)), [name], classes)[name][0]
    assert weighted == pytest.approx(copied, abs=1e-9, nan_ok=True)


# ---- monotone where theory says so ------------------------------------------------------------------


@MANY
@given(st.integers(1, 200), st.data())
def test_more_right_answers_raise_both_ends_of_a_share(total: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, total - 1))
    low, high = wilson_interval(right, total)
    better = wilson_interval(right + 1, total)
    assert 0 <= low <= right / total <= high <= 1
    assert better[0] > low and better[1] > high - 1e-12
    wider = wilson_interval(right, total, 0.99)
    assert wider[0] <= low and wider[1] >= high
    longer = wilson_interval(10 * right, 10 * total)
    assert longer[1] - longer[0] < high - low


@MANY
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_symmetric_and_falls_with_the_imbalance(b: int, c: int) -> None:
    exact, mid = mcnemar_exact(b, c)
    assert mcnemar_exact(c, b) == pytest.approx((exact, mid))
    assert 0 < mid <= exact <= 1
    few, more = sorted((b, c))
    if few:
        assert mcnemar_exact(few - 1, more + 1)[0] <= exact + 1e-12


@MANY
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(after >= before for before, after in zip(p, adjusted, strict=True))
    assert max(adjusted) <= 1
    ordered = [adjusted[i] for i in np.argsort(p, kind="stable")]
    assert ordered == sorted(ordered)
    assert min(adjusted) == pytest.approx(min(1.0, len(p) * min(p)))


@MANY
@given(st.integers(1, 300))
def test_more_pairs_raise_the_bound_of_a_perfect_auroc(pairs: int) -> None:
    assert 0 < concordance_bound(pairs, 0.95) < concordance_bound(pairs + 1, 0.95) < 1
    assert concordance_bound(pairs, 0.99) < concordance_bound(pairs, 0.95)


@MANY
@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_the_interval_of_a_difference_holds_it_and_turns_round(n: int, m: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    low, high = newcombe(a, n, b, m)
    assert -1 - 1e-12 <= low <= a / n - b / m <= high <= 1 + 1e-12
    assert newcombe(b, m, a, n) == pytest.approx((-high, -low))


@MANY
@given(SEEDS)
def test_a_wider_region_of_equivalence_is_more_probable(seed: int) -> None:
    x = np.random.default_rng(seed).normal(0.01, 0.03, 10)
    shares = [correlated_bayes(x, 0.25, rope) for rope in (0.005, 0.02, 0.08)]
    within = [one["equivalent"] for one in shares if one is not None]
    assert len(within) == 3
    assert within == sorted(within)


@FEW
@given(SEEDS)
def test_power_grows_with_the_groups_and_with_the_difference(seed: int) -> None:
    pulls = np.random.default_rng(seed).normal(size=200)
    pulls -= pulls.mean()

    def power(gap: float, n: int) -> float:
        return simulated_power(pulls, gap, n, 0.95, np.random.default_rng(0))

    assert power(0.2, 50) <= power(0.2, 400) + 0.05
    assert power(0.05, 200) <= power(0.4, 200) + 0.05
