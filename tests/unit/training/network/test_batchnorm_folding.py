"""Folding on a convolution with a bias: the bias goes through the normalisation too."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headtohead.training.network import batchnorm_folding as module
from headtohead.training.network.batchnorm_folding import fold_batchnorm

X = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Body(nn.Module):
    def __init__(self, *, bias: bool) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 5, 3, bias=bias)
            self.norm = nn.BatchNorm2d(5)
            for values in (self.norm.weight.data, self.norm.bias.data, self.norm.running_mean):
                assert values is not None
                values.copy_(torch.randn(5))
            assert self.norm.running_var is not None
            self.norm.running_var.copy_(torch.rand(5) + 0.5)
            if self.conv.bias is not None:
                self.conv.bias.data.copy_(torch.randn(5) * 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = torch.relu(self.norm(self.conv(x))).mean(dim=(2, 3))
        return found


@pytest.mark.parametrize("bias", [False, True])
def test_features_and_gradients_are_the_same_with_and_without_a_bias(bias: bool, listener: Any) -> None:
    plain, folded = Body(bias=bias).eval(), Body(bias=bias).eval()
    assert fold_batchnorm(folded, X, listener) == 1 and not listener.infos
    torch.testing.assert_close(folded(X), plain(X), atol=1e-5, rtol=1e-4)
    for net in (plain, folded):
        net(X).square().sum().backward()
    for (name, one), two in zip(plain.named_parameters(), folded.parameters(), strict=True):
        assert one.grad is not None and two.grad is not None
        torch.testing.assert_close(two.grad, one.grad, atol=1e-4, rtol=1e-3, msg=name)


def test_what_would_change_the_features_is_undone_and_said(
    listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ERROR", -1.0)
    net = Body(bias=True).eval()
    before = net(X)
    assert fold_batchnorm(net, X, listener) == 0
    assert "forward" not in vars(net.conv) and torch.equal(net(X), before)
    assert listener.infos[0].startswith(
        "BatchNorm is not folded into the convolutions: features would differ by"
    )


def test_a_convolution_whose_output_is_read_twice_by_the_same_layers_is_left_alone(listener: Any) -> None:
    class Twice(Body):
        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.norm(self.conv(x)).mean(dim=(2, 3)) + self.norm(self.conv(x.flip(-1))).mean(
                dim=(2, 3)
            )
            return found

    assert fold_batchnorm(Twice(bias=True).eval(), X, listener) == 0
