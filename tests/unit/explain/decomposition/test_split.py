"""The algebra of decompositions: sums, multiples and flips keep the score that the parts add up to."""

from __future__ import annotations

import pytest
import torch

from headtohead.explain.decomposition.split import Decomposition, Weighting, merged


def parts(seed: int, *sides: int, **elsewhere: float) -> Decomposition:
    """Return a decomposition whose parts sum to its scores, of two images and three scores each."""
    generator = torch.Generator().manual_seed(seed)
    maps = tuple(
        torch.randn(2, 3, side, side + 1, generator=generator, dtype=torch.float64) for side in sides
    )
    rest = {name: torch.full((2, 3), value, dtype=torch.float64) for name, value in elsewhere.items()}
    one = Decomposition(maps, rest, torch.zeros(2, 3, dtype=torch.float64), notes=(f"note {seed}",))
    return Decomposition(maps, rest, one.total(), notes=one.notes)


def test_the_total_is_of_all_maps_and_all_that_has_no_place() -> None:
    one = parts(0, 2, 5, bias=1.5, before=-0.5)
    expected = one.maps[0].sum((2, 3)) + one.maps[1].sum((2, 3)) + 1.0
    assert torch.allclose(one.total(), expected)


def test_a_sum_joins_maps_of_one_grid_and_parts_of_one_name() -> None:
    one, other = parts(0, 2, 5, bias=1.5), parts(1, 5, 3, bias=0.5, before=2.0)
    both = one + other
    assert [found.shape[-2] for found in both.maps] == [2, 5, 3]
    assert torch.equal(both.maps[1], one.maps[1] + other.maps[0])
    assert set(both.elsewhere) == {"bias", "before"} and both.elsewhere["bias"][0, 0] == 2.0
    assert torch.allclose(both.total(), both.scores)
    assert torch.allclose(both.scores, one.scores + other.scores)
    assert both.notes == ("note 0", "note 1") and (one + one).notes == ("note 0",)
    assert one.elsewhere["bias"][0, 0] == 1.5, "the parts stay as they were"


@pytest.mark.parametrize("factor", [0.5, -2.0, 0.0])
def test_a_multiple_is_of_every_part(factor: float) -> None:
    one = parts(0, 3, bias=1.5)
    found = one.scaled(factor)
    assert torch.allclose(found.total(), factor * one.total())
    assert torch.allclose(found.scores, factor * one.scores)
    assert torch.equal(found.maps[0], factor * one.maps[0])


def test_a_flip_turns_left_and_right_alone() -> None:
    one = parts(0, 3, bias=1.5)
    norm = torch.zeros(2, 3, 4, dtype=torch.bool)
    norm[0, 1, 0] = True
    one = Decomposition(one.maps, one.elsewhere, one.scores, norm)
    found = one.flipped()
    assert torch.equal(found.maps[0][..., 0], one.maps[0][..., -1])
    assert torch.equal(found.maps[0][..., 0, :].flip(-1), one.maps[0][..., 0, :])
    assert found.high_norm is not None and found.high_norm[0, 1, -1] and found.high_norm.sum() == 1
    assert torch.allclose(found.total(), one.total())
    assert torch.equal(found.flipped().maps[0], one.maps[0])


def test_tokens_of_high_norm_survive_a_sum_with_a_network_that_has_none() -> None:
    norm = torch.ones(2, 3, 4, dtype=torch.bool)
    plain = parts(0, 3)
    marked = Decomposition(plain.maps, {}, plain.scores, norm)
    for both in (plain + marked, marked + plain):
        assert both.high_norm is norm
    assert (plain + plain).high_norm is None


def test_maps_are_merged_in_the_order_of_their_first_appearance() -> None:
    a, b = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 4, 4)
    found = merged([b, a, b, b])
    assert [int(one.shape[-1]) for one in found] == [4, 2] and float(found[0].mean()) == 3.0
    assert merged([]) == ()


def test_a_part_of_a_weighting_is_that_of_its_features() -> None:
    generator = torch.Generator().manual_seed(0)
    weights, reference = (torch.randn(2, 3, 7, generator=generator, dtype=torch.float64) for _ in range(2))
    whole = Weighting(weights, reference)
    assert torch.equal(whole.part(2, 5).weights, weights[..., 2:5])
    split = whole.part(0, 4).constant() + whole.part(4, 7).constant()
    assert torch.allclose(split, whole.constant())
    assert torch.allclose(whole.constant()[1, 2], weights[1, 2] @ reference[1, 2])
