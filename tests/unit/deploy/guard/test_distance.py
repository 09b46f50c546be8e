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


def test_one_image_far_off_is_farther_than_all() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(60, 8))
    known = TrainingDistance.fit(rows, 5)
    assert known.of(np.full((1, 8), 40.0))[0] > known.of(rows).max()


def test_the_scale_and_place_of_a_feature_do_not_matter() -> None:
    """Whitened: a feature in other units, or with another zero, gives the same distances."""
    rng = np.random.default_rng(4)
    rows, new = rng.normal(size=(80, 5)), rng.normal(size=(7, 5))
    scale, shift = np.array([1, 10, 0.1, 3, 1000.0]), np.arange(5.0)
    plain = TrainingDistance.fit(rows, 3).of(new)
    moved = TrainingDistance.fit(rows * scale + shift, 3).of(new * scale + shift)
    np.testing.assert_allclose(plain, moved, rtol=1e-6)


def test_features_without_spread_are_left_out() -> None:
    rng = np.random.default_rng(5)
    rows = np.hstack([rng.normal(size=(30, 3)), np.full((30, 4), 7.0)])
    known = TrainingDistance.fit(rows, 3)
    assert known.components.shape[0] == 3
    assert np.isfinite(known.of(rows)).all()


def test_few_images_have_half_as_many_directions() -> None:
    rows = np.random.default_rng(6).normal(size=(10, 50))
    assert TrainingDistance.fit(rows, 3).components.shape[0] == 5
    assert TrainingDistance.fit(rows[:1], 3).of(rows).tolist() == [0.0] * 10, "one image says nothing"


def test_a_sample_stands_for_very_many_images() -> None:
    rows = np.random.default_rng(7).normal(size=(2500, 3))
    known = TrainingDistance.fit(rows, 5, seed=1)
    assert len(known.rows) == 2000
    np.testing.assert_array_equal(known.rows, TrainingDistance.fit(rows, 5, seed=1).rows)
    assert not np.array_equal(known.rows, TrainingDistance.fit(rows, 5, seed=2).rows)


def test_the_limit_is_a_distance_that_occurred_and_no_more_than_the_share_lies_above() -> None:
    distances = np.arange(100.0)
    for share in (0.0, 0.02, 0.05, 0.5):
        limit, above = distance_limit(distances, share)
        assert limit in distances and above <= share
        assert above == np.mean(distances > limit)
    assert distance_limit(np.array([1.0, np.nan, 3.0]), 0.0) == (3.0, 0.0), (
        "what was not held out does not count"
    )
