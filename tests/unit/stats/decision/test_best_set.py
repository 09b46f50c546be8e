"""Multiple comparison with the best: the set holds the best as often as it says."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from headtohead.stats.decision.best_set import best_candidates


def one_sided(means: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[tuple[str, str], float]:
    """Return (worse, better) -> p of a z test of two independent means with error 1."""
    found = {}
    for i, j in permutations(range(len(means)), 2):
        if means[j] > means[i]:
            found[str(i), str(j)] = float(stats.norm.sf((means[j] - means[i]) / np.sqrt(2)))
    return found


@pytest.mark.parametrize("truth", [[0.0, 0.0, 0.0, 0.0, 0.0], [0.0, -0.1, -1.0, -2.0], [0.0, 0.0, -4.0]])
def test_the_best_is_in_the_set(truth: list[float]) -> None:
    rng = np.random.default_rng(7)
    names = [str(i) for i in range(len(truth))]
    kept = [
        best_candidates(names, one_sided(np.array(truth) + rng.normal(size=len(truth))), 0.05)
        for _ in range(1000)
    ]
    assert np.mean(["0" in one for one in kept]) >= 0.94  # 0.95 less one and a half Monte Carlo errors


def test_far_worse_contenders_are_left_out_and_the_order_is_kept() -> None:
    found = one_sided(np.array([0.0, 9.0, 8.5, -5.0]))
    assert best_candidates("0123", found, 0.05) == ("1", "2")
    assert best_candidates("3210", found, 0.05) == ("2", "1")


def test_nothing_shown_leaves_all() -> None:
    assert best_candidates("ab", {}, 0.05) == ("a", "b")


def test_a_contender_is_left_out_at_alpha_over_the_number_of_others() -> None:
    """Of three contenders each is held against two others: 0.025 shows it, 0.026 does not; of two 0.05 does."""
    for p, kept in ((0.025, ("a", "b")), (0.026, ("a", "b", "c"))):
        assert best_candidates("abc", {("c", "a"): p}, 0.05) == kept
    assert best_candidates("ab", {("b", "a"): 0.05}, 0.05) == ("a",)
    assert best_candidates("ab", {("b", "a"): 0.051}, 0.05) == ("a", "b")
    assert best_candidates("a", {}, 0.05) == ("a",)
