"""Permutation of contenders within groups."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from tests.unit.stats.builders import CLASSES, correlated_pair, lines_of_score

from headtohead.stats.hypothesis.permutation import permutation_test
from headtohead.stats.intervals.delong import (
    auroc_components,
    auroc_test,
)
from headtohead.stats.metrics.confusion_matrix import predicted_labels
from headtohead.stats.metrics.registry import METRICS


def test_permutation_agrees_with_delong_and_is_uniform_for_equals() -> None:
    a, b = correlated_pair(n=160, gap=0.6, seed=4)
    components = [auroc_components([lines], 160, by_group=True) for lines in (a, b)]
    closed = auroc_test(*components)
    found = permutation_test([a], [b], METRICS["auroc"], CLASSES, 160, n_permutations=2000)
    assert closed is not None
    assert found.p_value == pytest.approx(closed[1], abs=0.03)
    p = []
    for seed in range(60):
        x, y = correlated_pair(n=60, seed=100 + seed)
        p.append(
            permutation_test([x], [y], METRICS["auroc"], CLASSES, 60, n_permutations=200, seed=seed).p_value
        )
    assert stats.kstest(np.asarray(p, dtype=float), "uniform").pvalue > 0.001


def test_permutation_of_identical_contenders_finds_nothing() -> None:
    a, _ = correlated_pair()
    found = permutation_test([a], [a], METRICS["accuracy"], CLASSES, 120)
    assert (found.statistic, found.p_value) == (0.0, 1.0)


def test_permutation_by_group_equals_swapping_by_hand() -> None:
    a, b = correlated_pair(n=40, per_group=2, gap=0.5)
    found = permutation_test([a], [b], METRICS["accuracy"], CLASSES, 20, n_permutations=4000, seed=1)
    right = [(predicted_labels(x, None) == x.label).astype(float) for x in (a, b)]
    lead = np.bincount(a.group, weights=right[0] - right[1])
    signs = np.random.default_rng(9).choice([-1, 1], size=(20_000, 20))
    expected = (np.abs((signs * lead).sum(axis=1)) >= abs(lead.sum()) - 1e-9).mean()
    assert found.statistic == pytest.approx(lead.sum() / 40)
    assert found.p_value == pytest.approx(expected, abs=0.03)


Floats = npt.NDArray[np.float64]


Ints = npt.NDArray[np.int64]


def test_swaps_of_whole_groups_are_all_ways_of_swapping_them() -> None:
    """Six groups of four: the share of all 64 ways, and far from the share when each image is swapped alone."""
    right = np.array([[1, 1, 1, 1]] * 5 + [[0, 0, 0, 0]]).ravel()
    group = np.repeat(np.arange(6), 4)
    label = np.ones(24, dtype=np.int64)
    a, b = (
        lines_of_score(right * 0.8 + 0.1, label, group),
        lines_of_score((1 - right) * 0.8 + 0.1, label, group),
    )
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
    a, b = (
        lines_of_score(score, label),
        lines_of_score(1 / (1 + np.exp(-(0.5 * label + rng.normal(size=80)))), label),
    )
    squeezed = lines_of_score(0.4 + 0.01 * score, label)
    found = [permutation_test([x], [b], METRICS["auroc"], CLASSES, 80).p_value for x in (a, squeezed)]
    assert found[0] == found[1]
