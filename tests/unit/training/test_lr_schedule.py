"""The rate over the steps and over the depth: shares of the peak, their ends, their order, restarts."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.training.lr_schedule import cycle_of, depth_factor, rate_factor


@given(st.integers(1, 300), st.floats(0, 0.99))
def test_the_rate_rises_in_even_steps_and_falls_to_nothing(total: int, warmup: float) -> None:
    shares = [rate_factor(step, total, warmup) for step in range(total)]
    rising = math.floor(total * warmup)
    assert all(0 < share <= 1 for share in shares)
    assert shares[:rising] == pytest.approx([(i + 1) / rising for i in range(rising)])
    assert shares[rising] == 1.0, "the peak is the first step after the rise"
    assert all(a > b for a, b in itertools.pairwise(shares[rising:]))
    n = total - rising
    assert shares[-1] == pytest.approx((1 + math.cos(math.pi * (n - 1) / n)) / 2)


def test_the_fall_is_half_a_cosine_that_is_symmetric_about_its_middle() -> None:
    shares = [rate_factor(step, 100, 0.0) for step in range(100)]
    assert shares[50] == pytest.approx(0.5)
    for step in range(1, 50):
        assert shares[50 - step] + shares[50 + step] == pytest.approx(1.0)
    assert shares[25] == pytest.approx((1 + math.sqrt(0.5)) / 2)


@given(st.integers(1, 60), st.integers(1, 60))
def test_cycles_part_the_epochs_as_evenly_as_whole_epochs_allow(epochs: int, cycles: int) -> None:
    if cycles > epochs:
        return
    spans = list(dict.fromkeys(cycle_of(epoch, epochs, cycles) for epoch in range(epochs)))
    assert len(spans) == cycles and spans[0][0] == 0 and spans[-1][1] == epochs
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    lengths = [end - first for first, end in spans]
    assert max(lengths) - min(lengths) <= 1
    for epoch in range(epochs):
        first, end = cycle_of(epoch, epochs, cycles)
        assert first <= epoch < end


@pytest.mark.parametrize("decay", [0.5, 0.75, 1.0])
def test_a_network_of_one_block_learns_at_the_share_of_a_top_block(decay: float) -> None:
    assert depth_factor(0, 1, decay) == pytest.approx(decay)


@given(st.integers(2, 60), st.floats(0.3, 1.0))
def test_deeper_blocks_never_learn_faster(n_blocks: int, decay: float) -> None:
    shares = [depth_factor(block, n_blocks, decay) for block in range(n_blocks)]
    assert all(a <= b for a, b in itertools.pairwise(shares))
    assert shares[0] == pytest.approx(decay**12) and shares[-1] == pytest.approx(decay)
