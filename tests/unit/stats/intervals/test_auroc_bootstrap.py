"""The AUROC of one set of probabilities and its interval over groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from headtohead.core.errors import UndefinedMetricError
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


def test_the_draws_are_those_of_one_stream_of_the_seed() -> None:
    rng = np.random.default_rng(0)
    labels, groups = np.arange(90) % 3, (np.arange(90) // 2).astype(str)
    rows = rng.dirichlet([1, 1, 1], 90)
    found = bootstrap_auroc(rows, labels, groups, n_boot=50, seed=7)
    _, index = np.unique(groups, return_inverse=True)
    counts = np.random.default_rng(7).multinomial(45, np.full(45, 1 / 45), size=50)
    values = [auroc(np.repeat(rows, c[index], axis=0), np.repeat(labels, c[index])) for c in counts]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))
    assert found == bootstrap_auroc(rows, labels, groups, n_boot=50, seed=7)
    assert found.record()["method"] == "percentile bootstrap over 45 groups, 50 draws"
