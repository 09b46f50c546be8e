"""Blocks of weights: every column once, as floats, and the sums that one product would give."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.stats.hypothesis.permutation import permutation_test
from headtohead.stats.intervals.resampling import draw_groups, make_resamples
from headtohead.stats.metrics import weight_blocks as module
from headtohead.stats.metrics.lookup import default_metrics, get_metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.metrics.weight_blocks import weight_blocks, weighted_sums
from headtohead.stats.predictions import ContenderPredictions

CLASSES = ("no", "yes")


def lines(seed: int, n: int = 120) -> ContenderPredictions:
    rng = np.random.default_rng(seed)
    label = (np.arange(n) % 3 == 0).astype(np.int64)
    p = (1 / (1 + np.exp(-(label + rng.normal(size=n))))).round(2)
    which = np.arange(n)
    return ContenderPredictions(
        which, which // 2, label, np.zeros(n, dtype=np.int64), np.stack([1 - p, p], axis=1)
    )


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CELLS_PER_BLOCK", 1)


@pytest.mark.usefixtures("small_blocks")
def test_blocks_hold_every_column_once_as_floats() -> None:
    weights = make_resamples(10, 200, 0).weights
    blocks = list(weight_blocks(weights))
    assert [block.shape[1] for block in blocks] == [64, 64, 64, 19]
    assert all(block.dtype == np.float64 for block in blocks)
    assert (np.concatenate(blocks, axis=1) == weights).all()
    counts = np.arange(20.0).reshape(10, 2)
    assert (weighted_sums(counts, weights) == counts.T @ weights.astype(float)).all()


def test_metrics_and_permutations_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, names = make_resamples(60, 150, 0).weights, default_metrics(CLASSES, folds=False)

    def both() -> tuple[dict[str, list[float]], object]:
        values = {
            name: found.tolist() for name, found in metric_values([lines(0)], weights, names, CLASSES).items()
        }
        return values, permutation_test([lines(0)], [lines(1)], get_metric("auroc", CLASSES), CLASSES, 60)

    whole = both()
    monkeypatch.setattr(module, "_CELLS_PER_BLOCK", 1)
    in_blocks = both()
    assert in_blocks[1] == whole[1]
    for name, values in whole[0].items():
        assert in_blocks[0][name] == pytest.approx(values, abs=1e-12, nan_ok=True), name


def test_many_groups_are_drawn_with_replacement_like_few() -> None:
    n = 6000
    counts = draw_groups(n, 70, np.random.default_rng(0)).astype(float)
    assert (counts.sum(axis=0) == n).all()
    # Each count is binomial(n, 1/n): mean 1, variance 1 - 1/n; 420,000 draws know the variance to 0.3 %.
    assert counts.var() == pytest.approx(1 - 1 / n, abs=0.01)
    assert np.corrcoef(counts[:, 0], counts[:, 1])[0, 1] == pytest.approx(0, abs=0.05)
