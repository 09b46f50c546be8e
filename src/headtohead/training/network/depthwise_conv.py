"""Convolutions for training on a CPU: depthwise ones run their backward pass in fp32, because bf16 is slower there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["convolve", "plain", "use_fp32_depthwise_backward"]

HALF = torch.bfloat16


def use_fp32_depthwise_backward(net: nn.Module) -> int:
    """Let the depthwise convolutions of a network on the CPU go through `convolve`; return how many.

    On two cores with AVX512-BF16, batches of 16, forward and backward of EfficientNet-Lite0's nine kinds of
    depthwise layers took 0.8 to 8 times as long in bf16 as in fp32, 2.9 times in all;
    `benchmarks/finetune_speed.py --network tf_efficientnet_lite0` shows what is left of that in a training.
    """
    # Folded layers have a forward of their own, which ends in `convolve`.
    found: list[Any] = [
        layer for layer in net.modules() if _is_depthwise(layer) and "forward" not in vars(layer)
    ]
    for layer in found:
        layer.forward = partial(_own, layer)
    return len(found)


def convolve(conv: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return what the layer makes of x (B, C, H, W) with other weights of the same shape.

    A depthwise layer under bf16 autocast on the CPU computes forward in bf16, as autocast would, and
    backward in fp32 from the same bf16 values.
    """
    padding: Any = conv.padding
    if type(conv) is not nn.Conv2d:  # TensorFlow's padding depends on the size of the map
        from timm.layers.padding import pad_same

        x = pad_same(x, [*conv.kernel_size], [*conv.stride], [*conv.dilation])
        padding = (0, 0)
    if not (_is_depthwise(conv) and _halved(x)):
        return functional.conv2d(x, weight, bias, conv.stride, padding, conv.dilation, conv.groups)
    how = ([*conv.stride], [*padding], [*conv.dilation], conv.groups)
    out: Tensor = _Depthwise.apply(x, weight, bias, how)
    return out


def plain(layer: nn.Module) -> bool:
    """Return whether `convolve` knows the layer: a convolution with zeros around, or with TensorFlow's padding."""
    from timm.layers.conv2d_same import Conv2dSame

    numbered = (
        isinstance(layer, nn.Conv2d) and not isinstance(layer.padding, str) and layer.padding_mode == "zeros"
    )
    return numbered and type(layer) in (nn.Conv2d, Conv2dSame)


def _is_depthwise(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and plain(layer) and layer.groups == layer.in_channels > 1


def _halved(x: Tensor) -> bool:
    on = x.device.type == "cpu" and torch.is_autocast_enabled("cpu") and torch.is_grad_enabled()
    return on and torch.get_autocast_dtype("cpu") is HALF


def _own(conv: nn.Conv2d, x: Tensor) -> Tensor:
    return convolve(conv, x, conv.weight, conv.bias)


How = tuple[Sequence[int], Sequence[int], Sequence[int], int]


class _Depthwise(torch.autograd.Function):
    """Forward in bf16, backward in fp32; x may be of either kind, weight and bias are fp32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, how: How) -> Tensor:
        stride, padding, dilation, groups = how
        half, half_weight = x.to(HALF), weight.to(HALF)
        ctx.save_for_backward(half, half_weight)
        ctx.how, ctx.kinds = how, (x.dtype, weight.dtype, None if bias is None else bias.dtype)
        half_bias = None if bias is None else bias.to(HALF)
        return functional.conv2d(half, half_weight, half_bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        half, half_weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.how
        wanted = [bool(need) for need in ctx.needs_input_grad[:3]]
        found = torch.ops.aten.convolution_backward(
            gradients[0].float(), half.float(), half_weight.float(), [len(half_weight)] if wanted[2] else None,
            stride, padding, dilation, False, [0, 0], groups, wanted,
        )  # fmt: skip
        own = (None if grad is None else grad.to(kind) for grad, kind in zip(found, ctx.kinds, strict=True))
        return (*own, None)
