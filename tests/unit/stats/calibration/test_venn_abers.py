"""Venn-Abers prediction against two isotonic fits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from headtohead.stats.calibration.venn_abers import VennAbers
from headtohead.stats.inner_predictions import InnerCell

Floats = npt.NDArray[np.float64]


def inner_cell(score: Floats, label: npt.NDArray[np.int64]) -> InnerCell:
    return InnerCell(label, np.arange(len(label)), np.stack([1 - score, score], axis=1))


def by_sklearn(score: Floats, label: npt.NDArray[np.int64], at: float, supposed: int) -> float:
    """Return the isotonic fit at `at` with (at, supposed) among the lines, straight from the 2014 paper."""
    fit = IsotonicRegression(y_min=0, y_max=1).fit(np.append(score, at), np.append(label, supposed))
    return float(fit.predict([at])[0])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=1, max_size=25),
    st.lists(st.integers(-1, 26), min_size=1, max_size=12),
)
def test_the_pair_equals_two_isotonic_fits(rows: list[tuple[int, int]], asked: list[int]) -> None:
    score = np.array([s for s, _ in rows]) / 12
    label = np.array([y for _, y in rows])
    at = np.array(asked) / 24
    low, high = VennAbers(inner_cell(score, label)).pair(at)
    for i, place in enumerate(at):
        assert low[i] == pytest.approx(by_sklearn(score, label, place, 0), abs=1e-9)
        assert high[i] == pytest.approx(by_sklearn(score, label, place, 1), abs=1e-9)
    assert (low < high).all()


def overconfident(n: int, seed: int, sharpen: float = 3.0) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Return overconfident scores, labels and the true probabilities."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 1.5, n)
    truth = 1 / (1 + np.exp(-odds))
    return 1 / (1 + np.exp(-sharpen * odds)), (rng.random(n) < truth).astype(np.int64), truth


def test_it_mends_overconfidence_and_never_claims_certainty() -> None:
    inner, labels, _ = overconfident(2000, 0)
    score, label, truth = overconfident(2000, 1)
    after = VennAbers(inner_cell(inner, labels))(np.stack([1 - score, score], axis=1))
    assert after.sum(axis=1) == pytest.approx(np.ones(2000))
    assert after.min() > 0
    assert after.max() < 1
    assert np.abs(after[:, 1] - truth).mean() < 0.35 * np.abs(score - truth).mean()
    loss = -np.log(after[np.arange(2000), label]).mean()
    assert loss < -np.log(np.stack([1 - score, score], axis=1)[np.arange(2000), label]).mean()


def test_the_pair_brackets_and_narrows_with_the_lines() -> None:
    """One of the two is calibrated, so their mean frequencies bracket the share of positives."""
    score, label, _ = overconfident(3000, 2)
    widths = []
    for n in (60, 1500):
        pairs = []
        for seed in range(12):
            inner, labels, _ = overconfident(n, 100 + seed)
            pairs.append([p.mean() for p in VennAbers(inner_cell(inner, labels)).pair(score)])
        low, high = np.mean(pairs, axis=0)
        assert low < label.mean() < high
        widths.append(high - low)
    assert widths[1] < 0.3 * widths[0]


def test_swapped_labels_swap_the_probabilities() -> None:
    """Planted: 0 and 1 confused between the two fits."""
    inner, labels, _ = overconfident(300, 4)
    at = np.linspace(0.01, 0.99, 25)
    low, high = VennAbers(inner_cell(inner, labels)).pair(at)
    turned_low, turned_high = VennAbers(inner_cell(1 - inner, 1 - labels)).pair(1 - at)
    assert turned_low == pytest.approx(1 - high)
    assert turned_high == pytest.approx(1 - low)
