"""The map of features: the first two components, whichever product they are computed from."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headtohead.studies.report_images import feature_map


@pytest.mark.parametrize(("n", "d"), [(40, 90), (90, 40), (40, 40), (9, 4)])
def test_components_are_those_of_the_whole_decomposition(n: int, d: int) -> None:
    rng = np.random.default_rng(n)
    rows = (rng.normal(size=(n, 3)) @ rng.normal(size=(3, d)) * 2 + rng.normal(size=(n, d))).astype(
        np.float32
    )
    rows[:, -1] = rows[0, 0]  # a feature that never changes
    found = mapped(rows)["points"]
    z = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    z /= np.where(z.std(axis=0) > 1e-6, z.std(axis=0), 1.0)
    _, strengths, axes = np.linalg.svd(z, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    np.testing.assert_allclose(np.array([found[str(i)] for i in range(n)]), z @ axes.T, atol=0.006)
    shares = (strengths**2 / (strengths**2).sum())[:2]
    np.testing.assert_allclose(mapped(rows)["explained"], shares, atol=1e-4)


def test_features_that_are_all_alike_have_no_spread() -> None:
    found = mapped(np.ones((5, 9), np.float32))
    assert found["explained"] == [0.0, 0.0] and set(map(tuple, found["points"].values())) == {(0.0, 0.0)}


def test_features_are_held_once_in_double_precision() -> None:
    """Of 50,000 rows each copy takes half a gigabyte; the planted defect held four at a time."""
    rows = np.random.default_rng(0).normal(size=(4000, 512)).astype(np.float32)
    tracemalloc.start()
    mapped(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * rows.size * 8


def mapped(rows: Any) -> Any:
    samples = [SimpleNamespace(id=str(i)) for i in range(len(rows))]
    dataset: Any = SimpleNamespace(samples=samples, groups=lambda: [str(i) for i in range(len(rows))])
    return feature_map([("a", rows)], dataset, ["0"])["a"]
