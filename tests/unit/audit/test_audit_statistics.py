"""The audit's own statistics against independent implementations and worked figures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats.contingency import association

from headtohead.audit.checks.labels import confident_errors, cramers_v
from headtohead.audit.checks.leakage import expected_leaked_fraction
from headtohead.audit.descriptors.outlier_distance import knn_distance_to_other_groups, pca_block, robust_z
from headtohead.audit.descriptors.shortcut_probes import make_classifier, out_of_fold, run_shortcut_probe
from headtohead.core.errors import InsufficientDataError
from headtohead.stats.intervals.auroc_bootstrap import auroc


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


def test_features_that_never_vary_know_the_class_frequencies_alone() -> None:
    labels = np.arange(40) % 2
    groups = np.array([f"g{i}" for i in range(40)], dtype=object)
    for kind in ("thumbnail", "facts"):
        rows = out_of_fold(np.full((40, 5), 7.0), labels, groups, kind=kind)
        assert np.allclose(rows, 0.5, atol=0.05) and np.allclose(rows.sum(axis=1), 1.0)
