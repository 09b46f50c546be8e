"""Two images in one: the labels' shares are those of the pixels, whatever the box loses at an edge."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from headtohead.training.mixup import cut_box, mixup_or_cutmix

N, SIDE = 8, 16


def constant() -> tuple[torch.Tensor, torch.Tensor]:
    """Return images that are each filled with their own number, and the labels, which are those numbers."""
    numbers = torch.arange(N, dtype=torch.float32)
    return numbers[:, None, None, None].expand(N, 3, SIDE, SIDE).clone(), torch.arange(N)


def test_nothing_is_mixed_and_nothing_is_drawn_without_either() -> None:
    inputs, targets = constant()
    rng = np.random.default_rng(0)
    out, pairs = mixup_or_cutmix(inputs, targets, 0.0, 0.0, rng)
    assert out is inputs and pairs == [(1.0, targets)]
    assert rng.random() == np.random.default_rng(0).random()


@given(st.integers(0, 1000), st.floats(0.1, 4.0))
def test_mixup_adds_pixels_in_the_shares_of_the_labels(seed: int, alpha: float) -> None:
    inputs, targets = constant()
    out, ((share, own), (rest, other)) = mixup_or_cutmix(
        inputs, targets, alpha, 0.0, np.random.default_rng(seed)
    )
    assert share + rest == 1 and 0 <= share <= 1 and torch.equal(own, targets)
    expected = share * own.float() + rest * other.float()
    torch.testing.assert_close(out[:, 0, 0, 0], expected, atol=1e-5, rtol=0)
    assert sorted(other.tolist()) == list(range(N)), "each image is lent once"


@given(st.integers(0, 1000), st.floats(0.2, 4.0))
def test_cutmix_gives_each_label_the_share_of_pixels_that_it_has(seed: int, alpha: float) -> None:
    inputs, targets = constant()
    before = inputs.clone()
    out, ((share, own), (rest, other)) = mixup_or_cutmix(
        inputs, targets, 0.0, alpha, np.random.default_rng(seed)
    )
    assert torch.equal(inputs, before), "the batch itself is not written into"
    for image, mine, lent in zip(out, own.tolist(), other.tolist(), strict=True):
        assert set(image.unique().tolist()) <= {float(mine), float(lent)}
        if mine != lent:
            assert abs(float((image == mine).float().mean()) - share) < 1e-6
    assert abs(share + rest - 1) < 1e-12


def test_with_both_each_is_taken_in_half_of_the_calls() -> None:
    inputs, targets = constant()
    cut = 0
    for seed in range(200):
        out, _ = mixup_or_cutmix(inputs, targets, 1.0, 1.0, np.random.default_rng(seed))
        whole = all(len(image.unique()) == 1 for image in out)  # mixed images are even, cut ones are patched
        cut += not whole
    assert 70 < cut < 130


@given(st.integers(0, 500), st.integers(1, 40), st.integers(1, 40), st.floats(0, 1))
def test_boxes_lie_inside_and_are_no_larger_than_their_share(
    seed: int, height: int, width: int, share: float
) -> None:
    top, left, bottom, right = cut_box(height, width, share, np.random.default_rng(seed))
    assert 0 <= top <= bottom <= height and 0 <= left <= right <= width
    side = np.sqrt(1 - share)
    assert bottom - top <= round(height * side) and right - left <= round(width * side)


def test_boxes_cover_the_share_that_was_drawn_where_no_edge_cuts_them() -> None:
    shares = []
    for seed in range(400):
        top, left, bottom, right = cut_box(100, 100, 0.99, np.random.default_rng(seed))
        if top > 0 and left > 0 and bottom < 100 and right < 100:
            shares.append((bottom - top) * (right - left) / 1e4)
    assert len(shares) > 200 and set(shares) == {0.01}


def test_boxes_follow_the_sides_of_an_image_that_is_not_square() -> None:
    inputs = torch.arange(N, dtype=torch.float32)[:, None, None, None].expand(N, 1, 4, 40).clone()
    widest = 0
    for seed in range(60):
        out, ((share, own), _) = mixup_or_cutmix(
            inputs, torch.arange(N), 0.0, 1.0, np.random.default_rng(seed)
        )
        for image, mine in zip(out, own.tolist(), strict=True):
            changed = image[0] != mine
            if changed.any():
                assert abs(float((~changed).float().mean()) - share) < 1e-6
                widest = max(widest, int(changed.any(dim=0).nonzero().max()))
    assert widest > 20, "columns beyond the height are reached"
