"""Mean, standard deviation and maximum over places as sums over places."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from headtohead.explain.decomposition.pooling import (
    frozen_norm,
    max_contributions,
    mean_contributions,
    std_contributions,
)
from headtohead.explain.decomposition.split import Weighting

Way = Callable[[torch.Tensor, Weighting], torch.Tensor]


def parts() -> tuple[torch.Tensor, Weighting]:
    generator = torch.Generator().manual_seed(1)
    places = torch.randn(3, 5, 4, 6, generator=generator, dtype=torch.float64)
    weights = torch.randn(3, 2, 5, generator=generator, dtype=torch.float64)
    reference = torch.randn(3, 2, 5, generator=generator, dtype=torch.float64)
    return places, Weighting(weights, reference)


@pytest.mark.parametrize(
    ("way", "pool"),
    [
        (mean_contributions, lambda a: a.mean(dim=(2, 3))),
        (std_contributions, lambda a: a.flatten(2).std(dim=2)),
        (max_contributions, lambda a: a.amax(dim=(2, 3))),
    ],
)
def test_the_shares_sum_to_the_score(way: Way, pool: Callable[[torch.Tensor], torch.Tensor]) -> None:
    places, weighting = parts()
    found = way(places, weighting).sum(dim=(2, 3))
    expected = (weighting.weights * (pool(places)[:, None] - weighting.reference)).sum(-1)
    assert torch.allclose(found, expected, atol=1e-12)


def test_the_maximum_is_where_it_is() -> None:
    places = torch.zeros(1, 1, 3, 3)
    places[0, 0, 2, 1] = 4.0
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    found = max_contributions(places, Weighting(one, 0 * one))
    assert found[0, 0, 2, 1] == 4.0 and found.abs().sum() == 4.0


def test_a_constant_map_has_no_share_of_the_spread() -> None:
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    assert not std_contributions(torch.ones(1, 1, 3, 3), Weighting(one, 0 * one)).any()


@pytest.mark.parametrize("norm", [torch.nn.LayerNorm(5), torch.nn.RMSNorm(5), torch.nn.Identity()])
def test_a_normalisation_with_a_frozen_scale_gives_its_own_output(norm: torch.nn.Module) -> None:
    _, weighting = parts()
    generator = torch.Generator().manual_seed(2)
    norm = norm.double()
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.add_(torch.randn(5, generator=generator))
    x = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    frozen = frozen_norm(norm, x, weighting)
    assert frozen is not None
    inner, constant = frozen
    found = torch.einsum("btc,bc->bt", inner.weights, x) + constant
    expected = (weighting.weights * (norm(x)[:, None] - weighting.reference)).sum(-1)
    assert torch.allclose(found, expected.detach(), atol=1e-5)


def test_an_unknown_normalisation_is_refused() -> None:
    _, weighting = parts()
    assert frozen_norm(torch.nn.GroupNorm(1, 5), torch.zeros(3, 5), weighting) is None
