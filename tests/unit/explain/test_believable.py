"""Planted frauds fail the checks; an honest map passes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.explain.faithfulness.checks import judge, rank_correlation, sanity_words, top_cells

Floats = npt.NDArray[np.float64]
Explainer = Callable[["Case", int, int], Floats]
RUNS, IMAGES, SIDE = 40, 40, 8


class Case:
    """Images of one run whose score is linear in cells: what a head learned from labels, and from permuted ones."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.rng = rng
        self.images = rng.normal(size=(IMAGES, SIDE, SIDE)) ** 2
        learned = rng.normal(size=(SIDE, SIDE))
        # two halves of the training groups, all of it, and permuted labels
        noise = [0.5 * rng.normal(size=(SIDE, SIDE)) for _ in range(2)]
        self.heads = [learned, learned + noise[0], learned + noise[1], rng.normal(size=(SIDE, SIDE))]

    def drop(self, image: int, hidden: npt.NDArray[np.bool_]) -> float:
        """Return how much the score falls when cells are hidden by the image's mean."""
        x = self.images[image]
        return float((self.heads[0] * (x - x.mean()))[hidden].sum())

    def sanity(self, explain: Explainer) -> str:
        same, permuted, drops = [], [], []
        for image in range(IMAGES):
            maps = [explain(self, image, head) for head in range(4)]
            same.append(rank_correlation(maps[1], maps[2]))
            permuted.append(abs(rank_correlation(maps[0], maps[3])))
            top = top_cells(maps[0])
            random = self.rng.permutation(top.ravel()).reshape(top.shape)
            drops.append(self.drop(image, top) - self.drop(image, random))
        groups = [f"g{i // 2}" for i in range(IMAGES)]
        return sanity_words(judge(np.array(same) - permuted, groups), judge(np.array(drops), groups))


def honest(case: Case, image: int, head: int) -> Floats:
    x = case.images[image]
    return np.asarray(case.heads[head] * (x - x.mean()))


def edges(case: Case, image: int, head: int) -> Floats:
    rows, columns = np.gradient(case.images[image])
    return np.asarray(np.hypot(rows, columns))


def centred(case: Case, image: int, head: int) -> Floats:
    place = np.square(np.arange(SIDE) - (SIDE - 1) / 2)
    return np.asarray(np.exp(-np.add.outer(place, place) / 8))


def intensity(case: Case, image: int, head: int) -> Floats:
    return np.asarray(case.images[image])


def other_image(case: Case, image: int, head: int) -> Floats:
    """Return the honest map of another image, laid elsewhere, as two scans of other patients are."""
    return np.roll(honest(case, (image + 7) % IMAGES, head), (3, 2), axis=(0, 1))


def test_an_honest_map_passes() -> None:
    assert np.mean([Case(seed).sanity(honest) == "passed" for seed in range(RUNS)]) >= 0.95


@pytest.mark.parametrize("fraud", [edges, centred, intensity, other_image])
def test_a_fraud_fails(fraud: Explainer) -> None:
    assert np.mean([Case(seed).sanity(fraud).startswith("failed") for seed in range(RUNS)]) >= 0.95


def test_rank_correlation_is_spearmans() -> None:
    from scipy.stats import spearmanr

    a, b = np.random.default_rng(0).normal(size=(2, 5, 7))
    assert np.isclose(rank_correlation(a, b), spearmanr(a.ravel(), b.ravel()).statistic)
    assert rank_correlation(a, np.ones((5, 7))) == 0.0


def test_groups_widen_the_interval() -> None:
    values = np.repeat(np.random.default_rng(1).normal(0.2, 1.0, 20), 5)
    alone = judge(values, list(range(100)))
    together = judge(values, [i // 5 for i in range(100)])
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert together.n_groups == 20 and np.isclose(together.value, values.mean())
