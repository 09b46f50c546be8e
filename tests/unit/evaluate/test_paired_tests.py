"""Tests of a pair: against naive re-implementations, and on planted errors of unit, sign and pairing."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from headtohead.stats.hypothesis.corrected_ttest import corrected_t, correlated_bayes, fold_differences
from headtohead.stats.hypothesis.mcnemar import clustered_mcnemar, mcnemar_tests
from headtohead.stats.hypothesis.multiplicity import holm
from headtohead.stats.hypothesis.paired_difference import mover_interval, paired_differences
from headtohead.stats.hypothesis.permutation import permutation_test
from headtohead.stats.hypothesis.power import groups_needed, simulated_power
from headtohead.stats.intervals.degrees_of_freedom import degrees_of_freedom
from headtohead.stats.intervals.delong import (
    auroc_components,
    auroc_test,
    covariance,
    logit_interval,
    placements,
)
from headtohead.stats.intervals.proportions import fisher_exact, mcnemar_exact
from headtohead.stats.intervals.resampling import (
    bca,
    expanded_percentile,
    make_resamples,
    percentile,
    wilson_clustered,
)
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.intervals.score_uncertainty import score_uncertainty
from headtohead.stats.metrics.confusion_matrix import predicted_labels
from headtohead.stats.metrics.fold_values import fold_values
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

Floats = npt.NDArray[np.float64]
CLASSES = ("no", "yes")


def study(
    n: int = 120, per_group: int = 1, seed: int = 0, gap: float = 0.0, strength: float = 1.2
) -> tuple[ContenderPredictions, ContenderPredictions]:
    """Return two contenders on the same lines, the first `gap` more separated."""
    rng = np.random.default_rng(seed)
    n_groups = n // per_group
    group = np.repeat(np.arange(n_groups), per_group)
    label = (np.arange(n_groups) % 2)[group]
    shared = rng.normal(size=n_groups)[group]
    made = []
    for lift in (strength + gap, strength):
        score = lift * label + shared + 0.7 * rng.normal(size=n)
        p = 1 / (1 + np.exp(-(score - lift / 2)))
        made.append(
            ContenderPredictions(np.arange(n), group, label, np.arange(n) % 5, np.stack([1 - p, p], axis=1))
        )
    return made[0], made[1]


def naive_delong(a: ContenderPredictions, b: ContenderPredictions) -> float:
    """Return the variance of the difference, straight from the 1988 paper's double sums."""
    kernels = []
    for lines in (a, b):
        x, y = lines.prob[lines.label == 1, 1], lines.prob[lines.label == 0, 1]
        kernels.append((x[:, None] > y) + 0.5 * (x[:, None] == y))
    m, n = kernels[0].shape
    v10, v01 = [k.mean(axis=1) for k in kernels], [k.mean(axis=0) for k in kernels]
    s10, s01 = np.cov(np.stack(v10)), np.cov(np.stack(v01))
    s = s10 / m + s01 / n
    return float(s[0, 0] + s[1, 1] - 2 * s[0, 1])


def naive_obuchowski(lines: ContenderPredictions) -> float:
    """Return the clustered variance of one AUROC as Obuchowski 1997 writes it, group by group."""
    x, y = lines.prob[lines.label == 1, 1], lines.prob[lines.label == 0, 1]
    kernel = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    area, m, n = kernel.mean(), len(x), len(y)
    gx, gy = lines.group[lines.label == 1], lines.group[lines.label == 0]
    s10 = s01 = s11 = 0.0
    groups = sorted(set(lines.group))
    for g in groups:
        up = kernel.mean(axis=1)[gx == g].sum() - (gx == g).sum() * area
        down = kernel.mean(axis=0)[gy == g].sum() - (gy == g).sum() * area
        s10, s01, s11 = s10 + up**2, s01 + down**2, s11 + up * down
    i10, i01, i = len(set(gx)), len(set(gy)), len(groups)
    s10 *= i10 / ((i10 - 1) * m)
    s01 *= i01 / ((i01 - 1) * n)
    s11 *= i / (i - 1)
    return float(s10 / m + s01 / n + 2 * s11 / (m * n))


def mixed(lines: ContenderPredictions, seed: int = 3) -> ContenderPredictions:
    """Return the lines in groups that hold both classes."""
    group = np.random.default_rng(seed).integers(0, 25, len(lines.label))
    return ContenderPredictions(lines.sample, group, lines.label, lines.fold, lines.prob)


def test_delong_equals_the_papers_double_sums() -> None:
    a, b = study(gap=0.4)
    pulls = [auroc_components([lines], 120, by_group=False) for lines in (a, b)]
    found = auroc_test(*pulls)
    assert found is not None
    assert found[2] ** 2 == pytest.approx(naive_delong(a, b), rel=1e-10)
    assert found[0] == pytest.approx(
        (pulls[0].value - pulls[1].value) / math.sqrt(naive_delong(a, b)), rel=1e-10
    )


def test_obuchowski_equals_the_papers_sums_on_mixed_groups() -> None:
    lines = mixed(study()[0])
    pulls = auroc_components([lines], 25, by_group=True)
    assert covariance(pulls, pulls) == pytest.approx(naive_obuchowski(lines), rel=1e-10)


def test_groups_of_one_make_obuchowski_delong() -> None:
    a, _ = study()
    alone, grouped = auroc_components([a], 120, by_group=False), auroc_components([a], 120, by_group=True)
    assert covariance(alone, alone) == pytest.approx(covariance(grouped, grouped), rel=1e-12)


def test_copies_fool_the_test_that_takes_images_as_units_and_not_the_other() -> None:
    """Planted error: every sample twice. The grouped variance stays, the naive one halves."""
    a, _ = study(n=80)
    twice = ContenderPredictions(
        np.arange(160),
        np.repeat(a.group, 2),
        np.repeat(a.label, 2),
        np.repeat(a.fold, 2),
        np.repeat(a.prob, 2, 0),
    )
    honest = auroc_components([a], 80, by_group=True)
    grouped = auroc_components([twice], 80, by_group=True)
    naive = auroc_components([twice], 160, by_group=False)
    assert covariance(grouped, grouped) == pytest.approx(covariance(honest, honest), rel=1e-10)
    assert covariance(naive, naive) < 0.55 * covariance(honest, honest)


def test_mean_over_repeats_has_the_variance_of_the_mean() -> None:
    a, b = study(gap=0.2)
    both = auroc_components([a, b], 120, by_group=True)
    one, two = auroc_components([a], 120, by_group=True), auroc_components([b], 120, by_group=True)
    expected = (covariance(one, one) + covariance(two, two) + 2 * covariance(one, two)) / 4
    assert covariance(both, both) == pytest.approx(expected, rel=1e-10)


def test_placements_with_ties_average_to_the_area() -> None:
    score, positive = np.array([1.0, 2, 2, 3, 2]), np.array([False, False, True, True, True])
    placed = placements(score, positive)
    assert placed[positive].mean() == pytest.approx(placed[~positive].mean())
    assert placed.tolist() == pytest.approx([1.0, 2 / 3, 0.75, 1.0, 0.75])


def test_logit_interval_stays_inside_and_narrows_to_the_plain_one() -> None:
    low, high = logit_interval(0.98, 0.03**2, 0.95)
    assert 0 < low < 0.98 < high < 1
    close = logit_interval(0.7, 1e-8, 0.95)
    assert close == pytest.approx((0.7 - 1.96e-4, 0.7 + 1.96e-4), abs=1e-6)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (3, 3), (1, 7), (12, 5), (0, 9)])
def test_mcnemar_exact_is_a_binomial_test(b: int, c: int) -> None:
    p, mid = mcnemar_exact(b, c)
    assert p == pytest.approx(stats.binomtest(b, b + c).pvalue if b + c else 1.0)
    assert mid <= p
    assert mcnemar_exact(c, b) == pytest.approx((p, mid))


@pytest.mark.parametrize(
    ("a", "n", "b", "m"), [(35, 36, 43, 50), (0, 5, 5, 5), (7, 12, 7, 12), (1, 40, 9, 41)]
)
def test_fisher_is_scipys(a: int, n: int, b: int, m: int) -> None:
    assert fisher_exact(a, n, b, m)[0] == pytest.approx(
        stats.fisher_exact(np.array([[a, n - a], [b, m - b]])).pvalue
    )


def test_clustered_mcnemar_counts_a_group_of_copies_once() -> None:
    once = clustered_mcnemar(np.array([1.0, 1, 1, 1, 1, -1]))
    copied = clustered_mcnemar(4 * np.array([1.0, 1, 1, 1, 1, -1]))
    assert once is not None
    assert copied == pytest.approx(once)
    as_samples = clustered_mcnemar(np.repeat([1.0, 1, 1, 1, 1, -1], 4))
    assert as_samples is not None
    assert as_samples[0] == pytest.approx(4 * once[0])


def test_mcnemar_tests_turn_round_with_the_contenders() -> None:
    a, b = study(n=200, gap=0.8)
    called = [(predicted_labels(a, None), predicted_labels(b, None))]
    forth, counts = mcnemar_tests([a], [b], called, 200)
    back, swapped = mcnemar_tests([b], [a], [(called[0][1], called[0][0])], 200)
    assert counts[0]["only_a"] == swapped[0]["only_b"] > 0
    for name in forth:
        assert forth[name].p_value == pytest.approx(back[name].p_value)


def test_corrected_t_is_wider_than_students_and_equals_the_formula() -> None:
    x = np.random.default_rng(0).normal(0.02, 0.03, 15)
    found = corrected_t(x, 0.25)
    assert found is not None
    plain = stats.ttest_1samp(x, 0)
    assert found[0] == pytest.approx(plain.statistic * math.sqrt((1 / 15) / (1 / 15 + 0.25)))
    assert found[1] > plain.pvalue
    assert corrected_t(np.zeros(5), 0.25) is None
    assert corrected_t(x[:1], 0.25) is None


def test_bayes_shares_sum_to_one_and_follow_the_integral() -> None:
    x = np.random.default_rng(1).normal(0.01, 0.02, 10)
    found = correlated_bayes(x, 0.25, 0.01)
    assert found is not None
    assert sum(found.values()) == pytest.approx(1)
    scale = math.sqrt((0.1 + 0.25) * x.var(ddof=1))
    draws = stats.t(9, x.mean(), scale).rvs(200_000, random_state=0)
    assert found["equivalent"] == pytest.approx((np.abs(draws) < 0.01).mean(), abs=0.005)
    turned = correlated_bayes(-x, 0.25, 0.01)
    assert turned is not None
    assert turned["a_better"] == pytest.approx(found["b_better"])


def test_holm_is_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).uniform(0, 0.2, 9)
    np.testing.assert_allclose(holm(list(p)), multipletests(p, method="holm")[1])


def test_permutation_agrees_with_delong_and_is_uniform_for_equals() -> None:
    a, b = study(n=160, gap=0.6, seed=4)
    pulls = [auroc_components([lines], 160, by_group=True) for lines in (a, b)]
    closed = auroc_test(*pulls)
    found = permutation_test([a], [b], METRICS["auroc"], CLASSES, 160, n_permutations=2000)
    assert closed is not None
    assert found.p_value == pytest.approx(closed[1], abs=0.03)
    p = []
    for seed in range(60):
        x, y = study(n=60, seed=100 + seed)
        p.append(
            permutation_test([x], [y], METRICS["auroc"], CLASSES, 60, n_permutations=200, seed=seed).p_value
        )
    assert stats.kstest(np.asarray(p, dtype=float), "uniform").pvalue > 0.001


def test_permutation_of_identical_contenders_finds_nothing() -> None:
    a, _ = study()
    found = permutation_test([a], [a], METRICS["accuracy"], CLASSES, 120)
    assert (found.statistic, found.p_value) == (0.0, 1.0)


def test_permutation_by_group_equals_swapping_by_hand() -> None:
    a, b = study(n=40, per_group=2, gap=0.5)
    found = permutation_test([a], [b], METRICS["accuracy"], CLASSES, 20, n_permutations=4000, seed=1)
    right = [(predicted_labels(x, None) == x.label).astype(float) for x in (a, b)]
    lead = np.bincount(a.group, weights=right[0] - right[1])
    signs = np.random.default_rng(9).choice([-1, 1], size=(20_000, 20))
    expected = (np.abs((signs * lead).sum(axis=1)) >= abs(lead.sum()) - 1e-9).mean()
    assert found.statistic == pytest.approx(lead.sum() / 40)
    assert found.p_value == pytest.approx(expected, abs=0.03)


def test_bca_and_percentile_are_scipys() -> None:
    data = np.random.default_rng(2).exponential(size=60)
    resamples = make_resamples(60, 8000, 0)
    values = (resamples.weights.T @ data) / resamples.weights.sum(axis=0)
    boot = resamples.bootstrap(values)
    ends = bca(float(values[0]), boot, resamples.jackknife(values), 0.95)
    theirs = stats.bootstrap((data,), np.mean, n_resamples=8000, method="BCa", rng=np.random.default_rng(5))
    assert ends == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)
    plain = stats.bootstrap(
        (data,), np.mean, n_resamples=8000, method="percentile", rng=np.random.default_rng(5)
    )
    assert percentile(boot, 0.95) == pytest.approx(tuple(plain.confidence_interval), abs=0.02)
    wide = expanded_percentile(boot, 0.95, 60)
    assert wide[0] < percentile(boot, 0.95)[0] < percentile(boot, 0.95)[1] < wide[1]


def test_blocks_of_groups_give_the_same_acceleration_on_average() -> None:
    data = np.random.default_rng(3).exponential(size=1200)
    resamples = make_resamples(1200, 4, 0)
    values = (resamples.weights.T @ data) / resamples.weights.sum(axis=0)
    blocks = resamples.jackknife(values)
    full = (data.sum() - data) / 1199
    skew = [((v.mean() - v) ** 3).sum() / (6 * ((v.mean() - v) ** 2).sum() ** 1.5) for v in (blocks, full)]
    assert len(blocks) == 400
    assert skew[0] == pytest.approx(skew[1], rel=0.25)


def test_wilson_widens_with_the_design_effect_and_never_below_the_samples() -> None:
    plain = wilson_clustered(0.8, 1000, 1000, 0.8 * 0.2 / 1000, 0.95)
    from statsmodels.stats.proportion import proportion_confint

    assert plain == pytest.approx(proportion_confint(800, 1000, method="wilson"), abs=2e-4)
    clustered = wilson_clustered(0.8, 1000, 100, 5 * 0.8 * 0.2 / 1000, 0.95)
    assert clustered == pytest.approx(proportion_confint(160, 200, method="wilson"), abs=2e-3)
    lucky = wilson_clustered(0.8, 1000, 1000, 0.1 * 0.8 * 0.2 / 1000, 0.95)
    assert lucky == pytest.approx(plain)


def test_power_by_simulation_agrees_with_the_formula() -> None:
    pulls = np.random.default_rng(0).normal(0, 1, 300)
    pulls -= pulls.mean()
    needed = groups_needed(pulls, 0.25, 300)
    expected = ((1.96 + 0.8416) * pulls.std(ddof=1) / 0.25) ** 2
    assert needed == pytest.approx(expected, rel=0.2)
    assert needed is not None
    assert simulated_power(pulls, 0.25, needed, 0.95, np.random.default_rng(3)) == pytest.approx(
        0.8, abs=0.07
    )
    assert groups_needed(pulls, 0.0, 300) is None
    smaller = groups_needed(pulls, 0.125, 300)
    assert smaller is not None
    assert smaller == pytest.approx(4 * expected, rel=0.2)


def test_fold_values_are_the_metric_inside_each_fold() -> None:
    a, b = study(n=100, gap=0.5)
    names = np.array([f"s{i:03d}" for i in range(100)])
    table = PredictionTable(
        CLASSES, names, names, a.group, a.label, ("a", "b"), (0,), {("a", 0): a, ("b", 0): b}, True
    )  # fmt: skip
    found = fold_values(table, "a", "auroc")
    for _repeat, fold, value, n in found:
        part = a.take(a.fold == fold)
        assert n == 20
        assert value == pytest.approx(
            metric_values([part], np.ones((100, 1)), ["auroc"], CLASSES)["auroc"][0]
        )
    differences = fold_differences(table, found, fold_values(table, "b", "auroc"))
    assert differences.test_to_train == pytest.approx(0.25)
    assert len(differences.values) == 5


def _table(group: npt.NDArray[np.int64], label: npt.NDArray[np.int64], prob: Floats) -> PredictionTable:
    n = len(group)
    lines = ContenderPredictions(
        np.arange(n), group, label, np.zeros(n, dtype=np.int64), np.stack([1 - prob, prob], axis=1)
    )
    names = np.array([f"s{i:04d}" for i in range(n)])
    groups = np.array([f"g{g:04d}" for g in np.unique(group)])
    return PredictionTable(CLASSES, names, groups, group, label, ("a",), (0,), {("a", 0): lines}, False)


def test_balanced_accuracy_keeps_room_where_a_class_is_never_recognised() -> None:
    """Planted: no positive of ten is found. A single standard error would be 0 on that side."""
    label = np.array([1] * 10 + [0] * 90)
    table = _table(np.arange(100), label, np.where(np.arange(100) < 95, 0.2, 0.8))
    resamples = make_resamples(100, 50, 0)
    values = metric_values(table.of("a"), resamples.weights, ["balanced_accuracy"], CLASSES)[
        "balanced_accuracy"
    ]
    ends = score_uncertainty(table, "a", METRICS["balanced_accuracy"], values, resamples).ends(0.95)
    assert ends is not None
    assert values[0] == pytest.approx((0 + 85 / 90) / 2)
    assert ends[1] - values[0] > wilson_clustered(0.0, 10, 10, 0.0, 0.95)[1] / 2 - 1e-9
    assert values[0] - ends[0] < 0.06


def test_degrees_of_freedom_follow_the_rarer_class() -> None:
    rng = np.random.default_rng(0)
    for positives, low, high in ((8, 3, 15), (60, 50, 119)):
        label = (np.arange(120) < positives).astype(np.int64)
        table = _table(np.arange(120), label, 1 / (1 + np.exp(-(label + rng.normal(size=120)))))
        resamples = make_resamples(120, 10, 0)
        values = metric_values(table.of("a"), resamples.weights, ["auroc", "accuracy"], CLASSES)
        degrees = degrees_of_freedom(table, METRICS["auroc"], resamples.jackknife(values["auroc"]))
        assert low <= degrees <= high
        assert degrees_of_freedom(table, METRICS["brier"], np.tile([0.1, 0.3], 60)) == pytest.approx(119)


def test_the_wider_of_two_intervals_counts_for_a_difference() -> None:
    a, b = study(n=80, gap=0.4)
    names = np.array([f"s{i:03d}" for i in range(80)])
    table = PredictionTable(
        CLASSES, names, names, a.group, a.label, ("a", "b"), (0,), {("a", 0): a, ("b", 0): b}, True
    )
    resamples = make_resamples(80, 50, 0)
    values = {
        name: metric_values(table.of(name), resamples.weights, ["auroc"], CLASSES)["auroc"]
        for name in ("a", "b")
    }
    found = paired_differences(table, [("a", "b")], METRICS["auroc"], values, resamples, 0.95)[0]
    jack = resamples.jackknife(values["a"] - values["b"])
    t = stats.t.ppf(0.975, degrees_of_freedom(table, METRICS["auroc"], jack))
    half = t * math.sqrt(jackknife_variance(jack))
    ends = [
        score_uncertainty(table, name, METRICS["auroc"], values[name], resamples).ends(0.95)
        for name in ("a", "b")
    ]
    correlation = np.corrcoef(resamples.jackknife(values["a"]), resamples.jackknife(values["b"]))[0, 1]
    assert ends[0] is not None
    assert ends[1] is not None
    recovered = mover_interval(values["a"][0], ends[0], values["b"][0], ends[1], correlation)
    assert found.value is not None
    assert found.low == pytest.approx(min(recovered[0], found.value - half))
    assert found.high == pytest.approx(max(recovered[1], found.value + half))
    touching = paired_differences(table, [("a", "b")], METRICS["auroc"], values, resamples, 1 - found.p)[0]
    assert min(abs(touching.low or 0), abs(touching.high or 0)) == pytest.approx(0, abs=1e-6)
