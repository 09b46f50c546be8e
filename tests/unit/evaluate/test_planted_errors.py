"""Each statistic beside its plausible errors: a swap, a count off by one, an image where a group should be.

The right number comes from a plain loop, from scipy or from a case small enough to count by hand.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from headtohead.core.errors import InsufficientDataError
from headtohead.core.records import Verdict
from headtohead.evaluate.verdict import compute_verdict
from headtohead.stats.calibration.recalibration import isotonic, platt, temperature
from headtohead.stats.decision.conformal import conformal_threshold
from headtohead.stats.decision.operating_points import RULES, choose_threshold
from headtohead.stats.hypothesis.corrected_ttest import fold_values
from headtohead.stats.hypothesis.mcnemar import discordance, mcnemar_tests
from headtohead.stats.hypothesis.multiplicity import holm
from headtohead.stats.hypothesis.permutation import permutation_test
from headtohead.stats.hypothesis.power import detectable_difference, groups_for_width, influence
from headtohead.stats.inner_predictions import InnerCell
from headtohead.stats.intervals.degrees_of_freedom import effective_degrees
from headtohead.stats.intervals.resampling import make_resamples, two_sided_p
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.metrics.roc_curves import roc_points
from headtohead.stats.predictions import ContenderPredictions, build_prediction_table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CLASSES = ("no", "yes")


def lines_of(score: Floats, label: Ints, group: Ints | None = None) -> ContenderPredictions:
    n = len(label)
    prob = np.stack([1 - score, score], axis=1)
    return ContenderPredictions(
        np.arange(n), np.arange(n) if group is None else group, label, np.zeros(n, dtype=np.int64), prob
    )


def cell_of(score: Floats, label: Ints, group: Ints | None = None) -> InnerCell:
    lines = lines_of(score, label, group)
    return InnerCell(lines.label, lines.group, lines.prob)


# ---- resampling -------------------------------------------------------------------------------------


def test_a_resample_draws_as_many_groups_as_there_are_and_the_jackknife_one_less() -> None:
    made = make_resamples(30, 4000, 1)
    boot, jack = made.bootstrap(made.weights.T), made.jackknife(made.weights.T)
    assert (boot.sum(axis=1) == 30).all()
    assert (jack.sum(axis=1) == 29).all() and (jack.sum(axis=0) == 29).all()
    assert boot.var(axis=0).mean() == pytest.approx(
        1 - 1 / 30, rel=0.03
    )  # a multinomial draw, with replacement
    assert (boot == 0).mean() == pytest.approx((1 - 1 / 30) ** 30, rel=0.03)


def test_the_variance_of_a_mean_is_that_of_its_groups_and_not_of_its_images() -> None:
    """Five equal images in each group: the spread of 40 groups, over 39."""
    x = np.random.default_rng(0).normal(size=40)
    made = make_resamples(40, 3000, 0)
    values = (made.weights.T @ x) / made.weights.sum(axis=0)
    honest = x.var(ddof=1) / 40
    assert jackknife_variance(made.jackknife(values)) == pytest.approx(honest, rel=1e-9)
    assert made.bootstrap(values).var() == pytest.approx(honest * 39 / 40, rel=0.1)
    as_images = np.repeat(x, 5).var(ddof=1) / 200
    assert as_images < 0.25 * honest
    assert influence(made.jackknife(values)) == pytest.approx(x - x.mean())


def test_a_tie_with_no_difference_counts_for_both_tails() -> None:
    """Of 99 replicates 4 lie below and 10 on 0: the smaller tail holds 14, and the data make 15 of 100."""
    boot = np.array([-1.0] * 4 + [0.0] * 10 + [1.0] * 85)
    assert two_sided_p(boot) == pytest.approx(2 * 15 / 100)
    assert two_sided_p(-boot) == pytest.approx(2 * 15 / 100)
    assert two_sided_p(np.zeros(99)) == 1.0


# ---- pairs ------------------------------------------------------------------------------------------


def test_who_alone_is_right_is_not_swapped() -> None:
    right_a, right_b = np.array([1, 1, 1, 1, 0, 0], dtype=bool), np.array([1, 0, 0, 0, 1, 0], dtype=bool)
    assert discordance(right_a, right_b) == (3, 1)
    label = np.ones(6, dtype=np.int64)
    a, b = lines_of(right_a * 0.8 + 0.1, label), lines_of(right_b * 0.8 + 0.1, label)
    _, table = mcnemar_tests([a], [b], [(right_a.astype(np.int64), right_b.astype(np.int64))], 6)
    assert (table[0]["only_a"], table[0]["only_b"]) == (3, 1)


def test_swaps_of_whole_groups_are_all_ways_of_swapping_them() -> None:
    """Six groups of four: the share of all 64 ways, and far from the share when each image is swapped alone."""
    right = np.array([[1, 1, 1, 1]] * 5 + [[0, 0, 0, 0]]).ravel()
    group = np.repeat(np.arange(6), 4)
    label = np.ones(24, dtype=np.int64)
    a, b = lines_of(right * 0.8 + 0.1, label, group), lines_of((1 - right) * 0.8 + 0.1, label, group)
    lead = np.bincount(group, weights=2.0 * right - 1)
    ways = np.array([abs(np.dot(signs, lead)) for signs in itertools.product((-1, 1), repeat=6)])
    exact = float((ways >= abs(lead.sum()) - 1e-9).mean())
    found = permutation_test([a], [b], METRICS["accuracy"], CLASSES, 6, n_permutations=4000)
    assert exact == pytest.approx(14 / 64)
    assert found.p_value == pytest.approx(exact, abs=0.03)
    one_by_one = stats.binomtest(20, 24).pvalue
    assert one_by_one < 0.01 < found.p_value - 0.1  # type: ignore[operator]


def test_a_swap_of_ranks_does_not_depend_on_the_scale_of_one_contender() -> None:
    rng = np.random.default_rng(0)
    label = np.arange(80) % 2
    score = 1 / (1 + np.exp(-(label + rng.normal(size=80))))
    a, b = lines_of(score, label), lines_of(1 / (1 + np.exp(-(0.5 * label + rng.normal(size=80)))), label)
    squeezed = lines_of(0.4 + 0.01 * score, label)
    found = [permutation_test([x], [b], METRICS["auroc"], CLASSES, 80).p_value for x in (a, squeezed)]
    assert found[0] == found[1]


# ---- how far a variance is known, and what it would take -------------------------------------------


def test_degrees_of_freedom_are_welchs_for_even_pulls() -> None:
    """Two classes of 10 and 30 even groups whose variances are 0.09 and 0.01: Welch 1947."""
    parts = [np.full(10, 0.09 / 10), np.full(30, 0.01 / 30)]
    expected = (0.09 + 0.01) ** 2 / (0.09**2 / 9 + 0.01**2 / 29)
    assert effective_degrees(parts) == pytest.approx(expected)
    assert abs(expected - 39) > 20  # planted: all groups in one part
    assert effective_degrees([np.full(40, 1.0)]) == pytest.approx(39)


def test_what_it_would_take_turns_on_the_square() -> None:
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert detectable_difference(0.02) == pytest.approx(z * 0.02)
    assert groups_for_width(199, 0.04473, 0.02) == math.ceil(199 * (0.04473 / 0.02) ** 2)
    assert groups_for_width(50, 0.05, 0.05) == 50


# ---- where a threshold lies -------------------------------------------------------------------------


def test_an_operating_point_that_just_keeps_its_promise_counts() -> None:
    """Ten of each class: one false alarm in ten is a specificity of exactly 0.9, and nine of ten found is 0.9."""
    label = np.repeat([0, 1], 10)
    score = np.array([5, 6, 7, 8, 9, 10, 11, 12, 13, 50, 20, 51, 52, 53, 54, 55, 56, 57, 58, 59]) / 100
    names = ["sensitivity_at_specificity_90", "specificity_at_sensitivity_90"]
    found = metric_values([lines_of(score, label)], np.ones((20, 1)), names, CLASSES)
    assert found[names[0]][0] == pytest.approx(1.0)  # strictly above 0.9 it would be 0.9
    assert found[names[1]][0] == pytest.approx(1.0)  # strictly above 0.9 it would be 0.9
    rules = {rule.name: rule for rule in RULES}
    kept = choose_threshold(rules["sensitivity_90"], cell_of(score, label))
    assert (score[label == 1] >= kept).mean() == pytest.approx(0.9)
    assert 0.50 < kept < 0.51
    other = choose_threshold(rules["specificity_90"], cell_of(score, label))
    assert (score[label == 0] < other).mean() == pytest.approx(0.9)
    assert 0.13 < other < 0.20


def test_the_points_of_a_curve_are_scikit_learns() -> None:
    from sklearn.metrics import roc_curve

    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 90)
    score = np.round(0.4 * label + rng.random(90), 1)
    false, true, cut = roc_points(score, label == 1)
    theirs = roc_curve(label, score, drop_intermediate=False)
    np.testing.assert_allclose(false, theirs[0])
    np.testing.assert_allclose(true, theirs[1])
    np.testing.assert_allclose(cut[1:], theirs[2][1:])


# ---- a probability made better ----------------------------------------------------------------------


def test_platts_targets_keep_away_from_0_and_1() -> None:
    """Platt 1999: (n+ + 1)/(n+ + 2) and 1/(n- + 2); on separated scores plain labels would run off to 0 and 1."""
    label = np.repeat([0, 1], [6, 10])
    score = np.repeat([0.3, 0.7], [6, 10])
    mapped = platt(cell_of(score, label))(np.array([[0.7, 0.3], [0.3, 0.7]]))
    assert mapped[:, 1] == pytest.approx([1 / 8, 11 / 12], abs=1e-6)
    assert mapped.sum(axis=1) == pytest.approx([1, 1])


def test_a_temperature_undoes_the_sharpening_it_was_fitted_on() -> None:
    """Logits three times too large are divided by about three, not multiplied."""
    rng = np.random.default_rng(1)
    logit = rng.normal(size=20_000) * 1.5
    label = (rng.random(20_000) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    sharp = 1 / (1 + np.exp(-3 * logit))
    mapped = temperature(cell_of(sharp, label))(np.array([[0.1, 0.9]]))
    expected = 1 / (1 + (1 / 9) ** (1 / 3))
    assert mapped[0, 1] == pytest.approx(expected, abs=0.01)


def test_isotonic_steps_are_the_means_of_pooled_neighbours() -> None:
    """Labels 0 1 0 1 1 1 by rising score: the violators 1 and 0 are pooled to 1/2; ends drawn in to 1/8."""
    label = np.array([0, 1, 0, 1, 1, 1])
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    mapped = isotonic(cell_of(score, label))(np.stack([1 - score, score], axis=1))
    assert mapped[:, 1] == pytest.approx([1 / 8, 0.5, 0.5, 7 / 8, 7 / 8, 7 / 8])


# ---- sets that keep a promise -----------------------------------------------------------------------


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
def test_the_sets_keep_their_promise_on_new_groups(alpha: float) -> None:
    rng = np.random.default_rng(0)
    kept = []
    for _ in range(400):
        score = rng.beta(2, 5, size=41)
        cut = conformal_threshold(cell_of(1 - score[:40], np.ones(40, dtype=np.int64)), 1, alpha)
        kept.append(score[40] <= cut)
    assert 1 - alpha - 0.04 < np.mean(kept) < 1 - alpha + 0.06


# ---- the verdict ------------------------------------------------------------------------------------


def frame_of(lifts: dict[str, float], label: Ints, group: Ints, seed: int = 0) -> pd.DataFrame:
    """Return contenders whose classes lie `lift` apart, on the same samples and four folds of whole groups."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, lift in lifts.items():
        p = 1 / (1 + np.exp(-(lift * (label - 0.5) + rng.normal(size=len(label)))))
        parts.append(
            pd.DataFrame({"sample": [f"s{i:04d}" for i in range(len(label))], "group": [f"g{g:03d}" for g in group],
                          "fold": group % 4, "contender": name, "label": np.where(label == 1, "yes", "no"),
                          "prob_no": 1 - p, "prob_yes": p})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def judged(frame: pd.DataFrame) -> Verdict:
    return compute_verdict(frame, classes=CLASSES, positive="yes", n_boot=100)


def test_events_are_groups_of_the_rarer_class_and_not_its_images() -> None:
    """Forty positive images of five patients: no winner, however far apart the two lie."""
    label = np.concatenate([np.ones(40), np.zeros(200)]).astype(np.int64)
    group = np.concatenate([np.arange(40) // 8, 5 + np.arange(200) // 2])
    first = judged(frame_of({"a": 6.0, "b": 0.3}, label, group)).comparisons[0]
    assert (first.verdict, first.details.reason) == ("cannot_tell", "events")
    assert "only 5 groups hold the rarer class" in first.sentence
    as_images = judged(frame_of({"a": 6.0, "b": 0.3}, label, np.arange(240))).comparisons[0]
    assert (as_images.verdict, as_images.winner) == ("better", "a")


def test_the_rule_looks_at_the_p_that_was_adjusted_over_all_pairs() -> None:
    label, group = np.arange(160) % 2, np.arange(160)
    frame = frame_of({"a": 2.2, "b": 1.5, "c": 1.6, "d": 1.4, "e": 1.5}, label, group, seed=5)
    found = judged(frame).comparisons
    raw = [one.details.p_value or 0.0 for one in found]
    assert [one.details.p_holm for one in found] == pytest.approx(holm(raw))
    caught = [one for one in found if (one.details.p_value or 0.0) < 0.05 < (one.details.p_holm or 0.0)]
    assert caught, "the case is made so that the adjustment decides"
    assert all(one.verdict != "better" and "after adjusting for 10" in one.sentence for one in caught)


def test_the_spread_over_groups_is_that_of_the_jackknife() -> None:
    label, group = np.arange(120) % 2, np.arange(120) // 2
    verdict = judged(frame_of({"a": 1.5, "b": 1.0}, label, group))
    table = build_prediction_table(
        frame_of({"a": 1.5, "b": 1.0}, label, group), classes=CLASSES, positive="yes", contenders=None
    )
    weights = np.ones((60, 60)) - np.eye(60)
    each = [
        jackknife_variance(metric_values(table.of(name), weights, ["auroc"], CLASSES)["auroc"])
        for name in ("a", "b")
    ]
    split = verdict.details.model_dump()["variance"]
    assert split["sd_group"] == pytest.approx(math.sqrt(sum(each) / 2))
    values = [s.value for s in verdict.scores if s.metric == "auroc"]
    assert split["sd_contender"] == pytest.approx(np.std(np.asarray(values, dtype=float), ddof=1))
    assert split["sd_repeat"] is None
    inside = [[line[2] for line in fold_values(table, name, "auroc")] for name in ("a", "b")]
    assert split["sd_fold"] == pytest.approx(math.sqrt(np.mean([np.var(v, ddof=1) for v in inside])))
    assert fold_values(table, "a", "auroc_fold_mean") == fold_values(table, "a", "auroc")
