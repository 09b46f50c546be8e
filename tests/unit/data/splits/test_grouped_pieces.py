"""Parts of groups are those of scikit-learn, sample by sample."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from headtohead.data.splits import grouped_pieces as module
from headtohead.data.splits.grouped_pieces import MOST_CLASSES, grouped_pieces


def drawn(seed: int, *, pure: bool) -> tuple[Any, Any, int]:
    """Return labels, groups and a number of parts."""
    rng = np.random.default_rng(seed)
    classes, n = int(rng.integers(2, MOST_CLASSES + 1)), int(rng.integers(60, 300))
    labels = rng.choice(classes, n, p=rng.dirichlet(np.full(classes, 3.0)))
    groups = np.unique(rng.integers(0, max(12, int(n * rng.uniform(0.1, 1.2))), n), return_inverse=True)[1]
    if pure:
        labels = labels[np.unique(groups, return_index=True)[1]][groups]
    return labels, groups, int(rng.integers(2, 11))


@pytest.mark.parametrize("pure", [True, False], ids=["groups of one class", "mixed groups"])
def test_parts_are_those_of_scikit_learn(pure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    compared, sklearns = 0, module._by_sklearn
    for seed in range(60):
        labels, groups, k = drawn(seed, pure=pure)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                wanted = sklearns(labels, groups, k, seed)
            except ValueError:
                continue
            used = list[int]()
            monkeypatch.setattr(
                module, "_by_sklearn", lambda *a, used=used: (used.append(1), sklearns(*a))[1]
            )
            found = grouped_pieces(labels, groups, k, seed)
        compared += not used
        assert len(found) == k
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(a, b)
    assert compared > 25, "most cases are computed here"


def test_ties_go_to_the_smallest_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rule of nearly equal values parts are others, so the comparison above would see it."""
    changed = 0
    for seed in range(20):
        labels, groups, k = drawn(seed, pure=True)
        if k > np.bincount(labels)[np.unique(labels)].min():
            continue
        right = grouped_pieces(labels, groups, k, seed)
        with monkeypatch.context() as patched:
            patched.setattr(module, "RELATIVE", -1.0)
            patched.setattr(module, "ABSOLUTE", -1.0)
            wrong = grouped_pieces(labels, groups, k, seed)
        changed += any(not np.array_equal(a, b) for a, b in zip(right, wrong, strict=True))
    assert changed


def test_many_groups_are_divided_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module, "_by_sklearn")
    labels = np.random.default_rng(0).integers(0, 2, 20_000)
    parts = grouped_pieces(labels, np.arange(20_000), 5, 0)
    assert [len(part) for part in parts] == [4000] * 5
    positives = [int(labels[part].sum()) for part in parts]
    assert max(positives) - min(positives) <= 1
