"""Depthwise convolutions that run their backward pass in fp32: the values of bf16, exact gradients of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headtohead.training.network.depthwise_conv import use_fp32_depthwise_backward

CASES: list[dict[str, Any]] = [
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": 5, "stride": 2, "bias": False},
    {"kernel_size": 3, "dilation": 2, "stride": 2},
]


def half() -> torch.autocast:
    """Return bf16 autocast on the CPU."""
    return torch.autocast("cpu", dtype=torch.bfloat16)


def small_whole(*shape: int, seed: int) -> Tensor:
    """Return whole numbers that bf16 holds exactly, as it holds every sum of products of them here."""
    return torch.randint(-2, 3, shape, generator=torch.Generator().manual_seed(seed)).float()


def layer(kind: type[nn.Conv2d], case: dict[str, Any]) -> nn.Conv2d:
    """Return a depthwise layer of six channels with whole weights."""
    made = kind(6, 6, groups=6, **case)
    with torch.no_grad():
        made.weight.copy_(small_whole(*made.weight.shape, seed=1))
        if made.bias is not None:
            made.bias.copy_(small_whole(6, seed=2))
    return made


def passes(net: nn.Module, x: Tensor, *, autocast: bool) -> list[Tensor]:
    """Return output and the gradients of input and parameters."""
    given = x.clone().requires_grad_()
    with half() if autocast else torch.enable_grad():
        out = net(given)
    weights = small_whole(*out.shape, seed=3)
    return [out.float(), *torch.autograd.grad((out.float() * weights).sum(), [given, *net.parameters()])]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("same", [False, True])
def test_values_and_gradients_are_exact_on_whole_numbers(case: dict[str, Any], same: bool) -> None:
    from timm.layers.conv2d_same import Conv2dSame

    net = layer(Conv2dSame if same else nn.Conv2d, case)
    x = small_whole(2, 6, 13, 13, seed=4)
    wanted = passes(net, x, autocast=False)
    assert use_fp32_depthwise_backward(net) == 1
    found = passes(net, x, autocast=True)
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == torch.float32 and torch.equal(one, other)


def test_only_what_was_computed_in_bf16_is_rounded() -> None:
    """The gradient of a weight is a long sum; in bf16 it would lose its last bits."""
    net = nn.Conv2d(4, 4, 3, padding=1, groups=4)
    x = torch.randn(2, 4, 40, 40, generator=torch.Generator().manual_seed(0)).bfloat16().float()
    with torch.no_grad():
        net.weight.copy_(net.weight.bfloat16())
    wanted = passes(net, x, autocast=False)[2]
    plain = passes(net, x, autocast=True)[2]
    use_fp32_depthwise_backward(net)
    found = passes(net, x, autocast=True)[2]
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-3)
    assert (found - wanted).abs().max() < (plain - wanted).abs().max()


def test_other_layers_and_other_times_are_left_alone() -> None:
    net = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(1, 1, 3, groups=1))
    assert use_fp32_depthwise_backward(net) == 0
    deep = nn.Conv2d(4, 4, 3, groups=4)
    x = torch.randn(1, 4, 8, 8)
    before = deep(x)
    with half(), torch.no_grad():
        quiet = deep(x)
    assert use_fp32_depthwise_backward(deep) == 1 and use_fp32_depthwise_backward(deep) == 0, "once is enough"
    assert torch.equal(deep(x), before), "without autocast it is the plain layer"
    with half(), torch.no_grad():
        assert torch.equal(deep(x), quiet)
    with half():
        assert "Depthwise" in type(deep(x).grad_fn).__name__


def test_what_does_not_learn_gets_no_gradient() -> None:
    net = nn.Conv2d(4, 4, 3, groups=4).requires_grad_(requires_grad=False)
    use_fp32_depthwise_backward(net)
    x = torch.randn(1, 4, 8, 8, requires_grad=True)
    with half():
        out = net(x)
    out.float().sum().backward()
    assert x.grad is not None and net.weight.grad is None
