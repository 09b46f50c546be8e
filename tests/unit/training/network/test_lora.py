"""Low-rank adapters: on linear layers, else on pointwise convolutions; no effect at first; from their seed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from headtohead.core.errors import NoEffectError
from headtohead.training.network.classifier import Classifier
from headtohead.training.network.lora import add_adapters

pytest.importorskip("peft")
X = torch.rand(2, 4, 6, 6, generator=torch.Generator().manual_seed(0))


class Body(nn.Module):
    def __init__(self, *, linear: bool, pointwise: bool = True) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.deep = nn.Conv2d(4, 4, 3, groups=4, padding=1)
            self.grouped = nn.Conv2d(4, 4, 1, groups=2)
            self.point = nn.Conv2d(4, 8, 1) if pointwise else nn.Conv2d(4, 8, 3)
            self.out = nn.Linear(8, 8) if linear else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.out(self.point(self.grouped(self.deep(x))).mean(dim=(2, 3)))
        return found


def adapted(body: Body, rank: int = 2, seed: int = 0) -> Classifier:
    net = Classifier(body, 8, 2, 0.0, 0)
    add_adapters(net, rank, seed)
    return net


def learning(net: Classifier) -> dict[str, Tensor]:
    return {name: p for name, p in net.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(("linear", "place"), [(True, "out"), (False, "point")])
def test_only_adapters_and_the_head_learn_and_change_nothing_at_first(linear: bool, place: str) -> None:
    plain = Body(linear=linear)(X)
    net = adapted(Body(linear=linear))
    torch.testing.assert_close(net.backbone(X), plain)
    found = learning(net)
    adapters = {name for name in found if not name.startswith("linear.")}
    assert {"linear.weight", "linear.bias"} <= set(found)
    assert adapters and all(f"backbone.{place}.lora_" in name for name in adapters)
    assert not any(part in name for name in adapters for part in ("deep", "grouped"))


def test_the_rank_is_that_of_the_adapters_and_the_seed_theirs_alone() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one, two, other = (learning(adapted(Body(linear=True), rank=3, seed=seed)) for seed in (5, 5, 6))
    assert torch.equal(torch.random.get_rng_state(), before)
    name = next(name for name in one if "lora_A" in name)
    assert one[name].shape == (3, 8)
    assert torch.equal(one[name], two[name]) and not torch.equal(one[name], other[name])


def test_a_network_without_such_layers_is_refused() -> None:
    with pytest.raises(NoEffectError) as told:
        adapted(Body(linear=False, pointwise=False))
    assert (
        str(told.value) == "This backbone has no linear layer that an adapter could be put on; use finetune."
    )
