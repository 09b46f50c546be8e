"""Images unlike the training images are far; a stated share of those alike is flagged."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.deploy.guard.distance import TrainingDistance, cross_fitted_distances, distance_limit

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(200, 40))


def test_the_limit_keeps_its_false_alarm_rate_on_new_images() -> None:
    labels, groups = np.arange(200) % 2, np.array([f"g{i}" for i in range(200)], dtype=object)
    limit, share = distance_limit(cross_fitted_distances(ROWS, labels, groups, 5, 0))
    assert share <= 0.02
    fitted = TrainingDistance.fit(ROWS, 5)
    new = np.random.default_rng(9).normal(size=(2000, 40))
    assert (fitted.of(new) > limit).mean() < 0.06
    assert (fitted.of(new + 6) > limit).all()


def test_distances_are_those_of_a_plain_search() -> None:
    fitted = TrainingDistance.fit(ROWS, 3)
    placed = (ROWS[:4] + 0.1 - fitted.mean) @ fitted.components.T
    plain = np.sort(np.linalg.norm(placed[:, None] - fitted.rows[None], axis=2), axis=1)[:, :3].mean(axis=1)
    np.testing.assert_allclose(fitted.of(ROWS[:4] + 0.1), plain)


def test_a_group_is_never_compared_with_itself() -> None:
    twins = np.repeat(ROWS[:60], 2, axis=0)
    groups = np.repeat(np.arange(60), 2).astype(str).astype(object)
    labels = np.repeat(np.arange(60) % 2, 2)
    assert cross_fitted_distances(twins, labels, groups, 1, 0).min() > 0.5
    alone = np.arange(120).astype(str).astype(object)
    assert cross_fitted_distances(twins, labels, alone, 1, 0).min() == pytest.approx(0, abs=1e-6)


def test_what_is_stored_gives_the_same_distances() -> None:
    fitted = TrainingDistance.fit(ROWS, 5)
    again = TrainingDistance.from_tensors(fitted.tensors(), 5)
    np.testing.assert_allclose(again.of(ROWS), fitted.of(ROWS), atol=1e-4)
