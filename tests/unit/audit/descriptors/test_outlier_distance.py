"""Distances to other groups against a plain loop, and blocks that weigh alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.audit.descriptors import outlier_distance as far
from headtohead.audit.descriptors.outlier_distance import (
    knn_distance_to_other_groups,
    pca_block,
    robust_z,
    whitened_pca,
)


def plainly(rows: Any, groups: Any, k: int) -> list[float]:
    """Return each row's distance to the k-th nearest first row of another group, one pair at a time."""
    names = sorted({str(g) for g in groups})
    first = {name: next(i for i, g in enumerate(groups) if str(g) == name) for name in names}
    found = []
    for row, own in zip(rows, groups, strict=True):
        gaps = sorted(float(np.linalg.norm(row - rows[first[n]])) for n in names if n != str(own))
        found.append(gaps[min(k, len(names) - 1) - 1])
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 6))
def test_distances_are_those_of_a_plain_loop(seed: int, n_groups: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, 10)]).astype(object)
    rows = rng.normal(size=(len(groups), 3))
    found = knn_distance_to_other_groups([rows[:, :1], rows[:, 1:]], groups, nearest=k)
    np.testing.assert_allclose(found, plainly(rows, groups, k), atol=1e-6)


def test_one_group_is_far_from_nobody_and_rows_beyond_one_piece_count() -> None:
    rows = np.random.default_rng(0).normal(size=(600, 2))
    assert not knn_distance_to_other_groups([rows], np.array(["one"] * 600, dtype=object)).any()
    groups = np.array(["a", *["b"] * 598, "c"], dtype=object)
    found = knn_distance_to_other_groups([rows], groups, nearest=1)
    gaps = [np.linalg.norm(rows[550] - rows[other]) for other in (0, 599)]
    assert found[550] == pytest.approx(min(gaps)), "of its own group even the nearest does not count"


def test_of_many_groups_some_are_drawn_and_the_seed_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far, "REFERENCE", 40)
    rows, groups = np.random.default_rng(1).normal(size=(200, 2)), np.arange(200).astype(object)
    first, again, other = (knn_distance_to_other_groups([rows], groups, seed=s) for s in (3, 3, 4))
    assert (first == again).all() and (first != other).any()
    assert (first >= np.array(plainly(rows, groups, 5)) - 1e-6).all(), "fewer neighbours are never nearer"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-50, 50))
def test_a_block_weighs_one_whatever_its_scale_and_place(seed: int, scale: float, shift: float) -> None:
    rows = np.random.default_rng(seed).normal(size=(30, 6))
    plain, moved = pca_block(rows, 3), pca_block(rows * scale + shift, 3)
    assert plain.shape == (30, 3) and plain.var(axis=0).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(np.abs(moved), np.abs(plain), atol=1e-5)
    assert (np.diff(plain.var(axis=0)) <= 1e-12).all(), "the first component varies most"


def test_all_components_keep_the_distances() -> None:
    rows = np.random.default_rng(2).normal(size=(20, 4))
    found = pca_block(rows, 9)
    gap, own = np.linalg.norm(rows[3] - rows[7]), np.linalg.norm(found[3] - found[7])
    assert own == pytest.approx(gap / np.sqrt(rows.var(axis=0).sum()))
    assert not pca_block(np.full((5, 3), 7.0)).any()


def test_whitened_distances_do_not_depend_on_the_scale_of_a_direction() -> None:
    rng = np.random.default_rng(3)
    rows, groups = rng.normal(size=(400, 4)), np.arange(400).astype(object)
    stretched = rows * np.array([1.0, 100.0, 1.0, 1.0])
    found = whitened_pca(stretched, groups)
    spread = found.var(axis=0)
    assert spread.sum() == pytest.approx(1.0)
    plain = pca_block(stretched).var(axis=0)
    assert spread.max() / spread.min() < 30 < plain.max() / plain.min()


def test_whitening_needs_two_groups_and_something_that_varies() -> None:
    rows = np.random.default_rng(4).normal(size=(10, 3))
    alone = np.array(["a"] * 10, dtype=object)
    assert (whitened_pca(rows, alone) == pca_block(rows, 50)).all()
    assert not whitened_pca(np.ones((10, 3)), np.arange(10).astype(object)).any()


def test_a_robust_z_ignores_outliers_and_what_is_no_number() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 1e9])
    assert robust_z(values)[:4] == pytest.approx(robust_z(np.array([1.0, 2.0, 3.0, 4.0, 1e3]))[:4])
    found = robust_z(np.array([1.0, 2.0, np.nan, 3.0]))
    assert found[[0, 1, 3]] == pytest.approx([-1 / 1.4826, 0.0, 1 / 1.4826]) and np.isnan(found[2])
    assert robust_z(np.array([5.0, 5.0, 5.0, 9.0])).tolist() == [0.0] * 4
    normal = np.random.default_rng(5).normal(3.0, 2.0, 20_000)
    assert robust_z(normal).std() == pytest.approx(1.0, abs=0.03)
