"""In which order images are seen: everything once, classes evenly where asked, from seeds alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.training.data_loader import Augmenter
from headtohead.training.sampler import epoch_augmentation, epoch_order, plain_order, step_seed

LABELS = np.arange(50, dtype=np.int64) % 2


@given(st.integers(2, 200), st.integers(2, 40), st.integers(0, 5))
def test_an_epoch_shows_every_image_once_in_batches_of_at_least_two(n: int, batch: int, epoch: int) -> None:
    cuts = epoch_order(np.zeros(n, np.int64), batch, 3, epoch, balanced=False)
    assert sorted(np.concatenate(cuts).tolist()) == list(range(n))
    assert all(2 <= len(cut) <= batch + 1 for cut in cuts) and all(len(cut) == batch for cut in cuts[:-1])
    # a last image alone joins the batch before it, where there is one
    assert len(cuts) == -(-n // batch) - (n % batch == 1 and n > batch)


def test_the_order_is_that_of_seed_and_epoch_and_no_other() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return list(np.concatenate(epoch_order(LABELS, 8, seed, epoch, balanced=False)))

    assert order(1, 2) == order(1, 2)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)}) == 6
    assert order(0, 0) != list(range(50))


def test_a_single_image_is_a_batch_of_its_own() -> None:
    assert [cut.tolist() for cut in epoch_order(LABELS[:1], 8, 0, 0, balanced=False)] == [[0]]


def test_balanced_orders_draw_a_rare_class_as_often_as_a_common_one() -> None:
    labels = np.repeat(np.arange(3), [180, 15, 5])
    drawn = np.concatenate(
        [labels[np.concatenate(epoch_order(labels, 16, 0, epoch, balanced=True))] for epoch in range(30)]
    )
    assert len(drawn) == 30 * 200, "as many images an epoch as without"
    shares = np.bincount(drawn) / len(drawn)
    np.testing.assert_allclose(shares, [1 / 3] * 3, atol=4 * np.sqrt(2 / 9 / len(drawn)))
    plain = labels[np.concatenate(epoch_order(labels, 16, 0, 0, balanced=False))]
    assert np.bincount(plain).tolist() == [180, 15, 5]


@given(st.integers(0, 100), st.integers(1, 30))
def test_plain_orders_count_up(n: int, batch: int) -> None:
    cuts = plain_order(n, batch)
    assert [place for cut in cuts for place in cut.tolist()] == list(range(n))
    assert all(len(cut) == batch for cut in cuts[:-1]) and len(cuts) == -(-n // batch)


def source(numbers: list[int]) -> Any:
    return SimpleNamespace(number=lambda index: numbers[index])


def test_what_is_drawn_for_an_image_follows_the_image_and_not_its_place() -> None:
    def noisy(rng: np.random.Generator, pixels: Any) -> Any:
        return pixels + rng.normal(size=pixels.shape)

    noise = Augmenter("noise", noisy, flips=False)
    pixels = np.zeros((4, 4), np.float32)

    def drawn(numbers: list[int], indices: list[int], place: int, seed: int = 0, epoch: int = 0) -> Any:
        change = epoch_augmentation(source(numbers), np.array(indices), noise, seed, epoch)
        return change(place, pixels)

    first = drawn([11, 22], [0, 1], 0)
    assert np.array_equal(first, drawn([22, 11], [0, 1], 1)), "the list was sorted otherwise"
    assert np.array_equal(first, drawn([33, 11], [1], 0)), "the part is another"
    for other in (
        drawn([11, 22], [0, 1], 1),
        drawn([11, 22], [0, 1], 0, seed=1),
        drawn([11, 22], [0, 1], 0, epoch=1),
    ):
        assert not np.array_equal(first, other)


def test_seeds_of_steps_do_not_repeat_within_a_training() -> None:
    seeds = {step_seed(seed, epoch, step) for seed in range(3) for epoch in range(10) for step in range(10)}
    assert len(seeds) == 300 and all(0 <= seed < 2**32 for seed in seeds)
    assert step_seed(0, 1, 2) == step_seed(0, 1, 2)


def test_streams_of_order_and_change_are_apart() -> None:
    """The same seed and epoch serve both: with one stream the order would say what is drawn."""
    order = np.random.default_rng([0, 1, 0]).permutation(50)
    assert np.concatenate(epoch_order(LABELS, 8, 0, 0, balanced=False)).tolist() == order.tolist()
    seen: list[float] = []
    probe = Augmenter("probe", lambda rng, pixels: seen.append(rng.random()) or pixels, flips=False)  # type: ignore[func-returns-value]
    epoch_augmentation(source([0]), np.array([0]), probe, 0, 0)(0, np.zeros((1, 1), np.float32))
    assert seen == [np.random.default_rng([0, 2, 0, 0]).random()]
    assert seen[0] != pytest.approx(np.random.default_rng([0, 1, 0, 0]).random())
