"""The audit's own statistics against independent implementations and worked figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import association
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from headtohead.audit.checks.labels import confident_errors, cramers_v
from headtohead.audit.checks.leakage import expected_leaked_fraction
from headtohead.audit.checks.sample_size import (
    auroc_error,
    conformal_minimum,
    smallest_accuracy_difference,
    smallest_auroc_difference,
    wilson_half_width,
)
from headtohead.audit.descriptors.outlier_distance import knn_distance_to_other_groups, pca_block, robust_z
from headtohead.audit.descriptors.shortcut_probes import make_classifier, out_of_fold, run_shortcut_probe
from headtohead.core.errors import InsufficientDataError, UndefinedMetricError
from headtohead.stats.intervals.auroc_bootstrap import auroc, bootstrap_auroc


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.booleans())
def test_auroc_equals_sklearn_with_ties_and_many_classes(seed: int, k: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(k), rng.integers(0, k, 40)])
    rows = rng.random((len(labels), k))
    rows = np.round(rows, 1) + 1e-3 if coarse else rows
    rows /= rows.sum(axis=1, keepdims=True)
    expected = roc_auc_score(labels, rows[:, 1]) if k == 2 else roc_auc_score(labels, rows, multi_class="ovr")
    assert auroc(rows, labels) == pytest.approx(expected, abs=1e-12)


def test_auroc_without_one_class_is_not_defined() -> None:
    with pytest.raises(UndefinedMetricError):
        auroc(np.full((3, 2), 0.5), np.zeros(3, dtype=np.int64))


def test_the_interval_resamples_groups_not_samples() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    score = np.clip(labels * 0.2 + rng.random(60) * 0.8, 0, 1)
    rows = np.column_stack([1 - score, score])
    alone = bootstrap_auroc(rows, labels, np.arange(60).astype(object))
    tripled = bootstrap_auroc(
        np.tile(rows, (3, 1)), np.tile(labels, 3), np.tile(np.arange(60), 3).astype(object)
    )
    naive = bootstrap_auroc(np.tile(rows, (3, 1)), np.tile(labels, 3), np.arange(180).astype(object))
    assert tripled.value == pytest.approx(alone.value)
    assert tripled.high - tripled.low == pytest.approx(alone.high - alone.low, rel=1e-9)
    assert naive.high - naive.low < 0.75 * (alone.high - alone.low)
    assert (tripled.n_samples, tripled.n_groups) == (180, 60)


@pytest.mark.slow
def test_the_interval_covers_chance_on_noise() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(200):
        labels = rng.permutation(np.arange(80) % 2)
        score = rng.random(80)
        found = bootstrap_auroc(
            np.column_stack([1 - score, score]), labels, np.arange(80).astype(object), seed=seed
        )
        held += found.low <= 0.5 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_a_probe_sees_what_is_there_and_nothing_in_noise() -> None:
    rng = np.random.default_rng(2)
    labels, groups = np.arange(100) % 2, np.arange(100).astype(object)
    noise = rng.random((100, 6))
    told = np.column_stack([noise, labels + 0.3 * rng.random(100)])
    assert run_shortcut_probe(told, labels, groups).interval.low > 0.9
    assert run_shortcut_probe(noise, labels, groups).interval.low < 0.5


def test_a_probe_never_trains_on_the_group_it_answers_for() -> None:
    """Each group has a secret feature value; only a leak between folds could use it."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(60), 3)
    labels = (rng.permutation(60) % 2)[groups]
    secret = np.eye(60)[groups]
    assert auroc(out_of_fold(secret, labels, groups.astype(object), kind="pixels"), labels) < 0.65
    leaked = out_of_fold(secret, labels, np.arange(180).astype(object), kind="pixels")
    assert auroc(leaked, labels) > 0.9


def test_a_probe_on_too_few_groups_says_so() -> None:
    with pytest.raises(InsufficientDataError, match="5 groups"):
        out_of_fold(np.zeros((6, 2)), np.array([0, 0, 0, 0, 0, 1]), np.arange(6).astype(object))


def test_the_same_seed_gives_the_same_digits() -> None:
    rng = np.random.default_rng(4)
    rows, y = rng.random((60, 5)), rng.integers(0, 2, 60)
    first, again = (make_classifier(3).fit(rows, y).predict_proba(rows) for _ in range(2))
    assert np.array_equal(first, again)


def test_cramers_v_is_the_plain_one_for_many_cases_and_near_zero_by_chance() -> None:
    table = np.array([[4000, 1000], [2000, 3000]])
    assert cramers_v(table) == pytest.approx(association(table, method="cramer", correction=False), abs=2e-4)
    rng = np.random.default_rng(5)
    chance = [cramers_v(rng.multinomial(60, np.full(16, 1 / 16)).reshape(8, 2)) for _ in range(200)]
    assert np.mean(chance) < 0.1


def test_confident_errors_agree_with_cleanlab() -> None:
    cleanlab = pytest.importorskip("cleanlab.filter")
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 3, 300)
    rows = rng.dirichlet([1, 1, 1], 300) + 2.0 * np.eye(3)[labels]
    wrong = rng.choice(300, 15, replace=False)
    labels[wrong] = (labels[wrong] + 1) % 3
    rows /= rows.sum(axis=1, keepdims=True)
    own = confident_errors(rows, labels)
    theirs = cleanlab.find_label_issues(labels, rows, filter_by="confident_learning", n_jobs=1)
    assert set(own.tolist()) == set(np.flatnonzero(theirs).tolist())
    assert len(set(wrong.tolist()) & set(own.tolist())) >= 10


def test_copy_share_equals_simulation() -> None:
    sizes = [4, 3, 2, 2, 2] + [1] * 27
    groups = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(7)
    n, held = len(groups), round(0.2 * len(groups))
    shares = []
    for _ in range(4000):
        order = rng.permutation(n)
        shares.append(np.isin(groups[order[:held]], groups[order[held:]]).mean())
    assert expected_leaked_fraction(sizes) == pytest.approx(float(np.mean(shares)), abs=0.005)


def test_wilson_half_width_equals_statsmodels() -> None:
    low, high = proportion_confint(90, 100, method="wilson")
    assert wilson_half_width(0.9, 100) == pytest.approx((high - low) / 2)


def test_the_error_of_an_auroc_is_that_of_the_published_example() -> None:
    """Hanley and McNeil 1982, section on their example: area 0.893, 51 abnormal, 58 normal: SE 0.032."""
    assert auroc_error(0.893, 51, 58) == pytest.approx(0.032, abs=0.0006)


def test_the_smallest_accuracy_difference_has_the_power_it_claims() -> None:
    n, share = 400, 0.10
    x = smallest_accuracy_difference(share, n)
    rng = np.random.default_rng(8)
    b, c = rng.multinomial(n, [(share + x) / 2, (share - x) / 2, 1 - share], size=20_000)[:, :2].T
    z = (b - c) / np.sqrt(np.maximum(b + c, 1))
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.80, abs=0.03)


def test_more_groups_show_smaller_differences() -> None:
    small, large = (smallest_auroc_difference(0.9, n, n) for n in (50, 500))
    assert large < small
    assert [conformal_minimum(level) for level in (0.90, 0.95, 0.99)] == [9, 19, 99]


def test_a_stranger_stands_far_out_even_beside_its_own_copy() -> None:
    rng = np.random.default_rng(9)
    rows = np.vstack([rng.normal(size=(80, 10)), np.full((2, 10), 6.0)])
    groups = np.array([*range(80), "odd", "odd"], dtype=object)
    distance = knn_distance_to_other_groups([rows], groups)
    assert set(np.argsort(-distance)[:2].tolist()) == {80, 81}
    assert robust_z(np.log(distance))[80] > 3.5


def test_blocks_weigh_the_same() -> None:
    rng = np.random.default_rng(10)
    for scale in (1e-3, 1e3):
        assert pca_block(scale * rng.normal(size=(50, 30)), 5).var(axis=0).sum() == pytest.approx(1.0)
