"""The class token's part of a score, split once through the attention of the block that it comes from.

The class token after a block is x_in + s1 * attention(x) + s2 * MLP(...), and attention is a sum over tokens of
values that are weighted and projected. With the attention weights and the scale of the final normalisation kept as
they are, the score is a sum: one term per patch token, which has a place, and the terms of the residual, of the MLP
and of the token itself, which have none. (Gandelsman et al. 2024, arXiv:2310.05916, give this decomposition for
CLIP, over all layers.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from headtohead.explain.decomposition.pooling import frozen_norm
from headtohead.explain.decomposition.split import Weighting

__all__ = ["BlockTrace", "TokenSplit", "split_class_token", "trace_blocks"]

VALUE_NAMES = ("v_proj", "value", "v")
ATTENTION_NAMES = ("attn", "attention")
SCALE_NAMES = ("ls1", "layer_scale1")
MOST_ERROR = 1e-3  # of x_in + s1 attention + s2 MLP against the block's own output, relative


@dataclass
class BlockTrace:
    """What one block of a transformer did to the tokens in the last forward pass.

    Attributes:
        before, after: (B, N, C) tokens that went in and came out.
        attended: (B, N, C), what its attention returned; hangs on `values` by a graph.
        values: (B, N, C'), the values of all heads; None where the layer that makes them was not found.
        mlp: (B, N, C), what its MLP returned.
    """

    block: Any
    before: Tensor | None = None
    after: Tensor | None = None
    attended: Tensor | None = None
    values: Tensor | None = None
    mlp: Tensor | None = None


@dataclass(frozen=True)
class TokenSplit:
    """The class token's part of a score.

    Attributes:
        patches: (B, T, n) contribution of each patch token, or None where the token could not be split.
        elsewhere: (B, T) each, by name.
        note: why the token could not be split.
    """

    patches: Tensor | None
    elsewhere: dict[str, Tensor]
    note: str = ""


@contextmanager
def trace_blocks(blocks: Sequence[nn.Module]) -> Iterator[list[BlockTrace]]:
    """Follow these blocks through the next forward pass, which must run without gradients."""
    traces = [BlockTrace(block) for block in blocks]
    with ExitStack() as stack:
        for trace in traces:
            for hook in _hooks(trace):
                stack.callback(hook.remove)
        yield traces


def split_class_token(
    trace: BlockTrace, norm: nn.Module, weighting: Weighting, n_prefix: int
) -> TokenSplit | None:
    """Return the split of a score on the normalised class token after a traced block.

    Args:
        trace: of the block, after the forward pass.
        norm: the normalisation between the block and the features.
        weighting: of the C features of the class token.
        n_prefix: class token and registers, which come before the patches.

    Returns:
        None where the normalisation is of an unknown kind, so that no sum exists.
    """
    before, after, attended = trace.before, trace.after, trace.attended
    if after is None:
        return None
    own = after[:, 0]
    frozen = frozen_norm(norm, own, weighting)
    if frozen is None:
        return None
    inner, constant = frozen
    if before is None or attended is None or trace.values is None or not _adds_up(trace):
        whole = _dot(inner, own) + constant
        why = "The class token could not be split over places: its block is of an unknown kind."
        return TokenSplit(None, {"class token": whole}, why)
    scale = _scale(trace.block, own)
    through = inner.weights * scale
    per_token = _value_contributions(attended, trace.values, through)
    attention = _dot(Weighting(through, inner.reference), attended.detach()[:, 0])
    elsewhere = {
        "class token before the last block": _dot(inner, before[:, 0]) + constant,
        # as the rest, so that the block's own rounding is in it and the parts sum exactly
        "MLP of the last block": _dot(inner, own.double() - before[:, 0] - scale * attended.detach()[:, 0]),
        # registers and the bias of the projection are in it, too
        "class token's own value": attention - per_token[..., n_prefix:].sum(dim=-1),
    }
    return TokenSplit(per_token[..., n_prefix:], elsewhere)


def _dot(weighting: Weighting, rows: Tensor) -> Tensor:
    found: Tensor = torch.einsum("btc,bc->bt", weighting.weights, rows.double())
    return found


def _value_contributions(attended: Tensor, values: Tensor, through: Tensor) -> Tensor:
    """Return (B, T, N): the output of an attention is linear in its values, so v . d(score)/dv sums to it."""
    # sliced under `no_grad`, the token would not hang on the graph
    with torch.enable_grad():
        own = attended[:, 0]
    rows = []
    for number in range(through.shape[1]):
        (slope,) = torch.autograd.grad(own, values, through[:, number].to(own.dtype), retain_graph=True)
        rows.append((slope.double() * values.detach().double()).sum(dim=-1))
    return torch.stack(rows, dim=1)


def _adds_up(trace: BlockTrace) -> bool:
    """Return whether the block only adds its scaled attention and MLP to what went in."""
    if trace.mlp is None or trace.before is None or trace.after is None or trace.attended is None:
        return False
    second = _scale(trace.block, trace.after[:, 0], second=True)
    made = (
        trace.before + _scale(trace.block, trace.after[:, 0]) * trace.attended.detach() + second * trace.mlp
    )
    gap = (made - trace.after).abs().max()
    return bool(gap <= MOST_ERROR * trace.after.abs().max().clamp_min(1e-12))


def _scale(block: Any, like: Tensor, *, second: bool = False) -> Tensor:
    """Return (C,), by what the block multiplies its attention (or its MLP) before adding it."""
    ones = torch.ones(1, 1, like.shape[-1], dtype=like.dtype, device=like.device)
    for name in SCALE_NAMES:
        layer = getattr(block, name.replace("1", "2") if second else name, None)
        if layer is not None:
            with torch.no_grad():
                # whatever the layer calls its parameter, its answer to ones is the scale
                scaled: Tensor = layer(ones)
            return scaled[0, 0].double()
    return ones[0, 0].double()


def _hooks(trace: BlockTrace) -> Iterator[Any]:
    """Register what fills a trace; gradients are on inside the attention only."""
    block: Any = trace.block

    def seen(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:  # noqa: ARG001
        trace.before = (args[0] if args else kwargs["hidden_states"]).detach()
        trace.after = _first(output).detach()

    yield block.register_forward_hook(seen, with_kwargs=True)
    mlp = getattr(block, "mlp", None)
    if mlp is not None:

        def expanded(module: nn.Module, args: Any, output: Any) -> None:  # noqa: ARG001
            trace.mlp = _first(output).detach()

        yield mlp.register_forward_hook(expanded)
    attention = next((getattr(block, name) for name in ATTENTION_NAMES if hasattr(block, name)), None)
    source = None if attention is None else _value_layer(attention)
    if attention is None or source is None:
        return
    layer, joined = source

    def valued(module: nn.Module, args: Any, output: Tensor) -> Tensor:  # noqa: ARG001
        plain = output.detach()
        # a joined layer returns queries, keys and values, in this order
        start = 2 * plain.shape[-1] // 3 if joined else 0
        values = plain[..., start:].clone().requires_grad_(True)
        trace.values = values
        return torch.cat([plain[..., :start], values], dim=-1) if joined else values

    def entered(module: nn.Module, args: Any) -> None:  # noqa: ARG001
        torch.set_grad_enabled(True)

    def attended(module: nn.Module, args: Any, output: Any) -> Any:  # noqa: ARG001
        torch.set_grad_enabled(False)
        trace.attended = _first(output)
        # detached, so that no later layer builds a graph
        plain = trace.attended.detach()
        return (plain, *output[1:]) if isinstance(output, tuple) else plain

    yield layer.register_forward_hook(valued)
    yield attention.register_forward_pre_hook(entered)
    yield attention.register_forward_hook(attended)


def _value_layer(attention: nn.Module) -> tuple[nn.Module, bool] | None:
    """Return the layer that makes the values, and whether it makes queries and keys as well."""
    for name, layer in attention.named_modules():
        last = name.rpartition(".")[2]
        if isinstance(layer, nn.Linear) and last in ("qkv", *VALUE_NAMES):
            return layer, last == "qkv"
    return None


def _first(output: Any) -> Tensor:
    found: Tensor = output[0] if isinstance(output, tuple) else output
    return found
