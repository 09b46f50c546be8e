"""A transformer on a feature map: places count, the class token sums up, and the seed alone decides its weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headtohead.training.network.map_transformer import FeatureMapTransformer


class Body(nn.Module):
    n_features = 6

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 6, 4, stride=4)

    def feature_map(self, x: Tensor) -> Tensor:
        found: Tensor = self.conv(x)
        return found

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        return [("conv", list(self.conv.parameters()))]


def made(**settings: Any) -> FeatureMapTransformer:
    return FeatureMapTransformer(
        Body(), 16, **{"width": 8, "depth": 1, "heads": 2, "seed": 3, **settings}
    ).eval()


X = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_the_first_features_are_the_mean_of_the_map() -> None:
    net = made()
    torch.testing.assert_close(net(X)[:, :6], Body().feature_map(X).mean(dim=(2, 3)))
    assert net(X).shape == (2, net.n_features) and net.n_features == 14


def test_images_do_not_see_each_other() -> None:
    net = made()
    torch.testing.assert_close(net(X)[1:], net(X[1:]), atol=1e-6, rtol=1e-5)


def test_a_map_that_is_moved_has_the_same_mean_and_another_summary() -> None:
    net = made()
    turned = X.flip(-1).flip(-2)
    body = Body()
    body.conv.weight.data = body.conv.weight.data.mean(dim=(2, 3), keepdim=True).expand(-1, -1, 4, 4).clone()
    net.backbone = body
    one, two = net(X), net(turned)
    torch.testing.assert_close(one[:, :6], two[:, :6], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(one[:, 6:], two[:, 6:], atol=1e-4)


def test_places_are_as_many_as_the_map_has_and_one_for_the_class() -> None:
    assert made().place.shape == (1, 17, 8) and made().token.shape == (1, 1, 8)
    with pytest.raises(RuntimeError):
        made()(torch.rand(1, 3, 32, 32))


def test_its_blocks_are_the_convolutions_alone_and_its_weights_come_from_the_seed() -> None:
    before = torch.random.get_rng_state()
    one, two, other = made(), made(), made(seed=4)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert [name for name, _ in one.blocks()] == ["conv"]
    mine = {name: p for name, p in one.named_parameters() if not name.startswith("backbone.")}
    theirs = dict(two.named_parameters())
    assert all(torch.equal(p, theirs[name]) for name, p in mine.items())
    assert not torch.equal(one.project.weight, other.project.weight)
