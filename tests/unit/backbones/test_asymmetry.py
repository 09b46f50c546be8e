"""Features of what differs between two maps, against sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headtohead.backbones.features.asymmetry import asymmetry_features


def by_hand(here: torch.Tensor, there: torch.Tensor) -> np.ndarray:
    """Return the features with loops: the maps, means over the neighbours there are, and means of 4 x 4 regions."""
    found = []
    for a, b in zip(here.numpy().astype(float), there.numpy().astype(float), strict=True):
        parts = []
        for grain in (lambda x: x, neighbours, regions):
            gap = np.stack([np.abs(grain(one) - grain(other)) for one, other in zip(a, b, strict=True)])
            parts += [gap.mean(axis=(1, 2)), gap.max(axis=(1, 2))]
        found.append(np.concatenate(parts))
    return np.stack(found)


def neighbours(x: np.ndarray) -> np.ndarray:
    rows, columns = x.shape
    return np.array(
        [
            [x[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].mean() for j in range(columns)]
            for i in range(rows)
        ]
    )


def regions(x: np.ndarray) -> np.ndarray:
    rows, columns = x.shape[0] // 4, x.shape[1] // 4
    return np.asarray(x.reshape(4, rows, 4, columns).mean(axis=(1, 3)))


def test_three_grains_means_then_maxima() -> None:
    generator = torch.Generator().manual_seed(0)
    here, there = (torch.rand(2, 3, 8, 12, generator=generator) for _ in range(2))
    found = asymmetry_features(here, there)
    assert found.shape == (2, 18)
    assert found.numpy() == pytest.approx(by_hand(here, there), abs=1e-6)


def test_exchanging_the_sides_changes_nothing_and_equal_sides_are_zero() -> None:
    here, there = torch.rand(1, 2, 8, 8), torch.rand(1, 2, 8, 8)
    assert torch.equal(asymmetry_features(here, there), asymmetry_features(there, here))
    assert (asymmetry_features(here, here) == 0).all()


def test_the_edge_does_not_count_less_than_the_middle() -> None:
    """One place of a constant gap at a corner: its neighbours' mean is over the four that there are."""
    here = torch.zeros(1, 1, 4, 4)
    here[0, 0, 0, 0] = 1.0
    found = asymmetry_features(here, torch.zeros(1, 1, 4, 4))[0]
    assert found.tolist() == pytest.approx([1 / 16, 1, (1 / 4 + 2 / 6 + 1 / 9) / 16, 1 / 4, 1 / 16, 1])
